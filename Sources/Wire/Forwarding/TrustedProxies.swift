/// The proxies whose word counts on where a request comes from.
public struct TrustedProxies: Sendable, Equatable {
  /// The networks that they are in.
  public let networks: [IPNetwork]
  /// Whether nobody is trusted, so that there is nothing to look at in any request.
  public let isEmpty: Bool

  /// Hops that are looked at in a request's fields, from the last; those before them count for nothing.
  public static let mostHops = 32

  /// - Parameter networks: that the proxies are in; none for nobody.
  public init(_ networks: [IPNetwork] = []) {
    self.networks = networks
    isEmpty = networks.isEmpty
  }

  /// Whether an address is one of theirs.
  public func contains(_ address: IPAddress) -> Bool {
    for network in networks where network.contains(address) { return true }
    return false
  }

  /// Where a request comes from that a peer has passed on.
  ///
  /// Of a peer that is trusted, X-Forwarded-For counts, or Forwarded (RFC 7239): each hop is the word of the one behind it,
  /// so from the last one on, hops are passed as long as they are trusted, and the first that is not is the client. If all
  /// are trusted it is the first of them. Where a hop is no address (`unknown`, hidden, malformed), the proxy that said so
  /// counts as the client, and so does the last one that was looked at when there are more than ``mostHops``.
  ///
  /// - Parameters:
  ///   - peer: whom the connection is from.
  ///   - fields: the head's; its first ``RequestHead/fieldCount``.
  ///   - base: what the head was parsed from.
  /// - Returns: the client; the peer itself when it is not trusted or says nothing. Nil when both fields are there and lead
  ///   to different addresses: a proxy passes on what it does not know, so one of the two is a client's own word, and
  ///   nothing tells which.
  public func client(
    behind peer: IPAddress, _ head: borrowing RequestHead, _ fields: UnsafePointer<HeaderField>,
    in base: UnsafeRawPointer
  ) -> IPAddress? {
    let (hasList, hasForwarded) = (head.first(.xForwardedFor) != nil, head.hasForwarded)
    guard hasList || hasForwarded, contains(peer) else { return peer }
    guard hasForwarded else { return walk(.xForwardedFor, from: peer, head, fields, base) }
    let client = walk(.forwarded, from: peer, head, fields, base)
    if hasList, walk(.xForwardedFor, from: peer, head, fields, base) != client { return nil }
    return client
  }

  /// From hop to hop, from the last one of the last field with this name.
  private func walk(
    _ id: HeaderID, from peer: IPAddress, _ head: borrowing RequestHead,
    _ fields: UnsafePointer<HeaderField>, _ base: UnsafeRawPointer
  ) -> IPAddress {
    var client = peer
    var left = Self.mostHops
    var index = head.fieldCount
    while index > 0 {
      index -= 1
      guard fields[index].id == id else { continue }
      var hops = ForwardedList(fields[index].value, hasQuotes: id == .forwarded)
      while let hop = hops.next(in: base) {
        guard left > 0 else { return client }
        left -= 1
        let node = id == .forwarded ? ForwardedElement.node(of: hop, in: base) : hop
        guard let node, let address = ForwardedElement.address(of: node, in: base) else {
          return client
        }
        client = address
        if !contains(address) { return client }
      }
    }
    return client
  }
}
