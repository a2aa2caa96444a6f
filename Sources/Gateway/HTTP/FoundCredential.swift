internal import CSluice
internal import EventLoop
internal import Wire

/// What a request's query or body has led to, where its head shows no credential. A plain value in the request's arena.
struct FoundCredential {
  /// `SLUICE_FOUND_…`.
  let kind: UInt32
  /// A copy in the request's arena.
  let bytes: UnsafeRawBufferPointer
}

/// Takes a plugin's bytes into the writer whose place is `sink`.
private func takeBytes(_ sink: UInt64, _ bytes: sluice_slice_t) {
  UnsafeMutableRawPointer(address: sink).assumingMemoryBound(to: ByteWriter.self)
    .pointee.append(bytes.raw)
}

/// Requests whose credential stands in their query or body: with it they go through their stages again, now to the tenant
/// that it leads to.
extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// The credential that was found.
  var foundCredential: UnsafeRawBufferPointer? {
    guard let found = pointee.found?.pointee, found.kind == SLUICE_FOUND_CREDENTIAL else {
      return nil
    }
    return found.bytes
  }

  /// The id of the app that was found.
  var foundApp: String? {
    guard let found = pointee.found?.pointee, found.kind == SLUICE_FOUND_APP else { return nil }
    return String(decoding: found.bytes, as: UTF8.self)
  }

  /// The route is known. Whether the credential is to be looked for where the route says that it may be; then the
  /// next stage is set.
  @inline(never)
  func looksFurther() -> Bool {
    let facts = facts
    if pointee.flags.contains(.namesNoApp), !facts.pointee.isForeign {
      refuseUnknownApp()
      return true
    }
    if pointee.flags.contains(.isUnproven), facts.pointee.auth == .none {
      if let phases = facts.pointee.phases { beginPassage(phases) }
      identify(.none)
      return true
    }
    if facts.pointee.socket != nil {
      guard facts.pointee.firstMessage != nil, Greeting.isDue(self) else { return false }
      // Who it is and what they may is asked when the credential has come.
      pointee.flags.insert(.awaitsGreeting)
      pointee.stage = .body
      return true
    }
    if pointee.flags.contains(.hasFound) {
      guard !facts.pointee.looksFurther else { return false }
      // Another plugin's route here; it does not have what the one that was asked speaks of.
      problem(.notFound, "There is nothing at this path.")
      return true
    }
    guard loop.credential(of: self) == nil else { return false }
    if facts.pointee.takesTokenInQuery, let token = query(("token" as StaticString).raw),
      token.count > 0
    {
      find(SLUICE_FOUND_CREDENTIAL, token)
      restart()
      return true
    }
    guard facts.pointee.requestCredential != nil else { return false }
    pointee.flags.insert(.awaitsCredential)
    pointee.stage = .body
    return true
  }

  /// The request has come whole, and nobody knows whose it is.
  func findCredential() {
    guard !pointee.flags.contains(.awaitsGreeting) else { return beginGreeting() }
    guard let table = facts.pointee.requestCredential else { return }
    var kind = SLUICE_FOUND_NOTHING
    var bytes = ByteWriter(growingFrom: 256)
    defer { bytes.deallocate() }
    let status = withUnsafeMutablePointer(to: &bytes) { bytes in
      table.pointee.credential_of(
        facts.pointee.handler, querySlice, bodySlice, &kind, takeBytes, UInt64(address: bytes))
    }
    guard status >= 0 else {
      let (code, detail) = ProblemCode.forStatus(status)
      problem(code, detail)
      return
    }
    find(bytes.count == 0 ? SLUICE_FOUND_NOTHING : kind, bytes.bytes)
    restart()
  }

  /// Answers a refused credential as the plugin wishes that has found it; false where it has no wish.
  func refusesInPluginsWords(_ why: Int32) -> Bool {
    if turnsAway(why) { return true }
    guard pointee.route >= 0, foundCredential != nil, pointee.stage.takesAnswer,
      let table = facts.pointee.requestCredential, let refusal = table.pointee.refusal
    else { return false }
    var type = sluice_slice_t.absent
    var words = ByteWriter(growingFrom: 256)
    defer { words.deallocate() }
    let status = withUnsafeMutablePointer(to: &words) { words in
      refusal(
        facts.pointee.handler, querySlice, bodySlice, why, takeBytes, UInt64(address: words), &type)
    }
    guard (200...599).contains(status), type.length <= 256, FieldSyntax.isValue(type.raw) else {
      return false
    }
    return answer(Int(status), contentType: type.raw, body: words.bytes)
  }

  /// Remembers what has been found; the bytes are copied.
  private func find(_ kind: UInt32, _ bytes: UnsafeRawBufferPointer) {
    let size = MemoryLayout<FoundCredential>.size
    let memory = pointee.arena.allocate(size + bytes.count)
    let copy = UnsafeMutableRawBufferPointer(start: memory + size, count: bytes.count)
    copy.copyMemory(from: bytes)
    let found = memory.bindMemory(to: FoundCredential.self, capacity: 1)
    found.initialize(to: FoundCredential(kind: kind, bytes: UnsafeRawBufferPointer(copy)))
    pointee.found = found
    pointee.flags.insert(.hasFound)
  }

  private var querySlice: sluice_slice_t {
    pointee.head.hasQuery ? sluice_slice_t(bytes(pointee.head.query)) : .absent
  }

  private var bodySlice: sluice_slice_t {
    guard let body = pointee.body else {
      return sluice_slice_t(UnsafeRawBufferPointer(start: UnsafeRawPointer(self), count: 0))
    }
    return sluice_slice_t(UnsafeRawBufferPointer(start: body, count: pointee.bodyCount))
  }
}
