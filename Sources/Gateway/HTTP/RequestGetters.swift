internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Bytes of the head.
  @inline(__always)
  func bytes(_ span: ByteSpan) -> UnsafeRawBufferPointer { span.bytes(in: pointee.base) }

  /// The value of the first field with a well-known name.
  @inline(__always)
  func field(_ id: HeaderID) -> UnsafeRawBufferPointer? {
    guard let index = pointee.head.first(id) else { return nil }
    return bytes(pointee.fields[index].value)
  }

  /// The value of the first field with this name, in any case.
  func field(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    // RFC 9112 §3.2.2: a target in absolute form names the host, and the Host field is ignored.
    if pointee.head.isAbsoluteForm, equalsIgnoringCase(name, ("host" as StaticString).raw) {
      return bytes(pointee.head.authority)
    }
    for index in 0..<pointee.head.fieldCount {
      let field = pointee.fields[index]
      guard field.name.count == name.count, field.id != .authorization else { continue }
      if equalsIgnoringCase(bytes(field.name), name) { return bytes(field.value) }
    }
    return nil
  }

  /// The subject of the certificate that the client has shown and that was verified; nil when it has shown none.
  var clientSubject: UnsafeRawBufferPointer? {
    guard let secure = pointee.connection?.pointee.secure, secure.pointee.clientSubject.count > 0
    else { return nil }
    return secure.pointee.clientSubject
  }

  /// The method's name as sent.
  var method: UnsafeRawBufferPointer { bytes(pointee.head.methodSpan) }

  /// The path as sent.
  var path: UnsafeRawBufferPointer { bytes(pointee.head.path) }

  /// Copies head and body to memory of the request's own: from now on it may wait.
  func keep() {
    // A request may be kept before its tenant is known.
    if let tenant = pointee.tenant, !pointee.flags.contains(.holdsTenant) {
      _ = tenant.retain()
      pointee.flags.insert(.holdsTenant)
    }
    guard pointee.kept == nil else { return }
    let fieldBytes = pointee.head.fieldCount * MemoryLayout<HeaderField>.stride
    let aligned = (fieldBytes + 15) & ~15
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: aligned + pointee.headCount, alignment: 16)
    memory.copyMemory(from: pointee.fields, byteCount: fieldBytes)
    (memory + aligned).copyMemory(from: pointee.base, byteCount: pointee.headCount)
    pointee.kept = memory
    pointee.fields = memory.assumingMemoryBound(to: HeaderField.self)
    pointee.base = UnsafeRawPointer(memory + aligned)
    if let body = pointee.body, pointee.bodyMemory == nil, pointee.bodyCount > 0 {
      let copy = UnsafeMutableRawPointer.allocate(byteCount: pointee.bodyCount, alignment: 16)
      copy.copyMemory(from: body, byteCount: pointee.bodyCount)
      pointee.bodyMemory = copy
      pointee.bodyCapacity = pointee.bodyCount
      pointee.body = UnsafeRawPointer(copy)
    }
  }

  /// Frees everything the request holds.
  @inline(__always)
  func release() {
    pointee.arena.freeAll()
    if let kept = pointee.kept {
      kept.deallocate()
      pointee.kept = nil
    }
    if let memory = pointee.bodyMemory {
      memory.deallocate()
      pointee.bodyMemory = nil
    }
    if let added = pointee.added {
      added.deallocate()
      pointee.added = nil
    }
    if let passage = pointee.passage { endPassage(passage) }
    if pointee.claim != nil { dropClaim() }
    if let principal = pointee.principal {
      principal.release()
      pointee.principal = nil
    }
    if pointee.flags.contains(.holdsTenant) { pointee.tenant?.release() }
    pointee.tenant = nil
  }
}
