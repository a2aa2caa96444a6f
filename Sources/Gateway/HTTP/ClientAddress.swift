internal import EventLoop
internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Where the request comes from: the connection's peer, or what that says if it is a trusted proxy. Worked out from the
  /// head each time, so that nothing has to be kept.
  @inline(__always)
  var clientAddress: PeerAddress {
    let connection = pointee.connection.unsafelyUnwrapped
    return connection.loop.pointee.settings.trustedProxies.isEmpty
      ? connection.pointee.stream.peer : forwardedAddress ?? connection.pointee.stream.peer
  }

  /// Refuses a request whose fields name two clients. [loop-thread]
  func checkForwarding() -> Bool {
    guard pointee.head.hasForwarded, !loop.pointee.settings.trustedProxies.isEmpty,
      forwardedAddress == nil
    else { return true }
    problem(
      .invalidRequest,
      "X-Forwarded-For and Forwarded name different clients: a proxy must pass on one of them alone."
    )
    return false
  }

  /// Whether it was made on this machine, and not passed on by a proxy here: that answers for whoever asks it.
  var isOfThisMachine: Bool {
    let connection = pointee.connection.unsafelyUnwrapped
    guard connection.pointee.stream.peer.isLoopback else { return false }
    let isForwarded = pointee.head.first(.xForwardedFor) != nil || pointee.head.hasForwarded
    return !isForwarded || loop.pointee.settings.trustedProxies.isEmpty
      || !connection.isOfTrustedProxy
  }

  /// The client's address; nil when two are named.
  @inline(never)
  private var forwardedAddress: PeerAddress? {
    let connection = pointee.connection.unsafelyUnwrapped
    let peer = connection.pointee.stream.peer
    let client = loop.pointee.settings.trustedProxies.client(
      behind: IPAddress(peer), pointee.head, pointee.fields, in: pointee.base)
    return client.map { PeerAddress($0) }
  }
}

extension UnsafeMutablePointer where Pointee == Connection {
  /// Whether the peer is one of those whose word counts on where requests come from.
  var isOfTrustedProxy: Bool {
    loop.pointee.settings.trustedProxies.contains(IPAddress(pointee.stream.peer))
  }
}

extension IPAddress {
  fileprivate init(_ peer: PeerAddress) {
    self.init(
      value: UInt128(UInt64(bigEndian: peer.high)) << 64 | UInt128(UInt64(bigEndian: peer.low)))
  }
}

extension PeerAddress {
  fileprivate init(_ address: IPAddress) {
    self.init(
      high: UInt64(truncatingIfNeeded: address.value >> 64).bigEndian,
      low: UInt64(truncatingIfNeeded: address.value).bigEndian, port: 0)
  }
}
