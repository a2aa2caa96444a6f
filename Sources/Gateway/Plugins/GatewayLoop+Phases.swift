internal import CSluice
internal import EventLoop

/// What plugins with a part in phases may do with a request. All of it is [loop-thread]; `owner` as for requests.
extension GatewayLoop {
  /// Lets a request go on that waits for the plugin whose instance this is.
  public func proceed(_ token: UInt64, instance: UInt, of owner: Generation) -> Int32 {
    request(token, owner)?.proceed(instance) ?? SLUICE_E_STALE
  }

  /// The operation of the request's route; nil when stale.
  public func operation(_ token: UInt64, of owner: Generation) -> UnsafeRawBufferPointer? {
    guard let request = request(token, owner), request.pointee.route >= 0 else { return nil }
    return request.lend(owner.routes.routes[Int(request.pointee.route)].operation)
  }

  /// The id of the plugin whose route the request's is; nil when stale.
  public func routeOwner(_ token: UInt64, of owner: Generation) -> UnsafeRawBufferPointer? {
    guard let request = request(token, owner), request.pointee.route >= 0 else { return nil }
    return request.lend(owner.pluginIDs[owner.routes.routes[Int(request.pointee.route)].plugin])
  }

  /// The answer's status; 0 when there is none, or the token is stale.
  public func status(_ token: UInt64, of owner: Generation) -> Int {
    Int(request(token, owner)?.pointee.status ?? 0)
  }

  /// Bytes of the answer so far; 0 when stale.
  public func bytesSent(_ token: UInt64, of owner: Generation) -> Int {
    request(token, owner)?.pointee.sent ?? 0
  }

  /// Nanoseconds since the head was read; 0 when stale.
  public func duration(_ token: UInt64, of owner: Generation) -> UInt64 {
    guard let request = request(token, owner) else { return 0 }
    return EventLoop.hrtime() &- request.pointee.began
  }
}

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// A copy of text that lives as long as the request.
  fileprivate func lend(_ text: String) -> UnsafeRawBufferPointer {
    let utf8 = text.utf8
    let memory = UnsafeMutableRawBufferPointer(
      start: pointee.arena.allocate(utf8.count), count: utf8.count)
    memory.copyBytes(from: utf8)
    return UnsafeRawBufferPointer(memory)
  }
}
