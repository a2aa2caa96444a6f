/// A port that this process holds, so that the listeners of all its loops can share it.
///
/// `SO_REUSEPORT` hides a port in use: two programs would quietly split each other's connections. So the
/// port is first bound without it, which fails if anyone else has it, and only then opened to sharing.
/// Keep the reservation until the last listener is made; it takes no connections. [any-thread]
public final class PortReservation: Sendable {
  /// The address with the port that was reserved, never 0: what the listeners are to be given.
  public let address: ListenAddress

  private let socket: Locked<ListenSocket?>

  init(_ wanted: ListenAddress) throws(ListenError) {
    let socket = try Self.bind(wanted)
    try socket.sharePort()
    address = wanted.with(port: socket.port)
    self.socket = Locked(consume socket)
  }

  /// Binds a port that nobody listens on, sharing it with as little as will do.
  private static func bind(_ wanted: ListenAddress) throws(ListenError) -> ListenSocket {
    do throws(ListenError) {
      return try ListenSocket.bound(to: wanted, sharing: .nothing)
    } catch .addressInUse {
      // After a restart it may be only the old connections in TIME_WAIT; a listener still refuses this.
      return try ListenSocket.bound(to: wanted, sharing: .leftovers)
    }
  }

  /// Gives the port up, for those who do not already listen on it. Idempotent; so does the last reference.
  public func release() { socket.withLock { $0 = nil } }
}
