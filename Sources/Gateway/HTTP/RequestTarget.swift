internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Looks at what seldom is in a head; false when the request has been refused for it.
  @inline(never)
  func checkHead() -> Bool {
    guard !isMisdirected else {
      refuseMisdirected()
      return false
    }
    return checkPath() && checkQuery() && checkForwarding()
  }

  /// Whether what is asked for is to be had over TLS alone, and this connection has none (RFC 9110 §7.4). A trusted proxy
  /// may have it at its own side.
  var isMisdirected: Bool {
    let connection = pointee.connection.unsafelyUnwrapped
    return pointee.head.isForHTTPS && connection.pointee.secure == nil
      && !connection.isOfTrustedProxy
  }

  func refuseMisdirected() {
    problem(
      .misdirectedRequest,
      "What has an https address is served over TLS, which this connection has not.")
  }

  /// Refuses a path that could be understood in two ways.
  private func checkPath() -> Bool {
    guard !pointee.head.isPathPlain,
      let error = PathSegments.check(pointee.head.path, in: pointee.base)
    else { return true }
    problem(400, code: ProblemCode.invalidRequest.code.raw, detail: error.message.raw)
    return false
  }

  /// What stands in place of the route's `index`-th parameter, decoded.
  func parameter(_ index: Int) -> UnsafeRawBufferPointer? {
    guard index < RouteTable.parameterLimit, pointee.parameters[index].length > 0 else {
      return nil
    }
    let span = pointee.parameters[index]
    // A parameter's span counts from the path's first byte.
    return decoded(
      bytes(ByteSpan(offset: span.offset + pointee.head.path.offset, length: span.length)),
      plusIsSpace: false)
  }

  /// The first query parameter with this name, decoded; nil when there is none, or it cannot be decoded.
  func query(_ name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard pointee.head.hasQuery else { return nil }
    var items = QueryItems(pointee.head.query)
    while let item = items.next(in: pointee.base) {
      guard let decodedName = decoded(bytes(item.name), plusIsSpace: true),
        decodedName.elementsEqual(name)
      else { continue }
      return decoded(bytes(item.value), plusIsSpace: true)
    }
    return nil
  }

  /// Whether more than one query parameter has this name.
  func repeatsQuery(_ name: UnsafeRawBufferPointer) -> Bool {
    var items = QueryItems(pointee.head.query)
    var count = 0
    while let item = items.next(in: pointee.base) {
      if decoded(bytes(item.name), plusIsSpace: true)?.elementsEqual(name) == true { count += 1 }
    }
    return count > 1
  }

  /// Refuses a query with a broken encoding.
  private func checkQuery() -> Bool {
    guard pointee.head.hasQuery else { return true }
    var items = QueryItems(pointee.head.query)
    while let item = items.next(in: pointee.base) {
      for part in [item.name, item.value] {
        if case .failure(let error) = decode(bytes(part), plusIsSpace: true) {
          problem(.invalidRequest, error.message)
          return false
        }
      }
    }
    return true
  }

  /// Percent-decodes into the request's arena; as it is when there is nothing to decode, nil when it cannot be.
  private func decoded(_ raw: UnsafeRawBufferPointer, plusIsSpace: Bool) -> UnsafeRawBufferPointer?
  {
    try? decode(raw, plusIsSpace: plusIsSpace).get()
  }

  /// The same, with what is wrong where it cannot be decoded.
  private func decode(
    _ raw: UnsafeRawBufferPointer, plusIsSpace: Bool
  ) -> Result<UnsafeRawBufferPointer, TargetError> {
    guard raw.contains(where: { $0 == 0x25 || plusIsSpace && $0 == 0x2b || $0 >= 0x80 }) else {
      return .success(raw)
    }
    let capacity = max(raw.count, 1)
    var text = ByteWriter(pointee.arena.allocate(capacity), capacity: capacity)
    let error = PercentDecoding.decode(raw, plusIsSpace: plusIsSpace, into: &text)
    return error.map { .failure($0) } ?? .success(text.bytes)
  }
}
