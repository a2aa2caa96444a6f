internal import Glibc

/// A bound TCP socket on its way to a listener; closed unless it is handed over.
struct ListenSocket: ~Copyable {
  private let descriptor: Descriptor
  private let address: ListenAddress

  private init(_ descriptor: consuming Descriptor, _ address: ListenAddress) {
    self.descriptor = descriptor
    self.address = address
  }

  /// With whom a port may be shared.
  enum Sharing {
    /// With nobody, not even connections that an earlier owner of the port has left in `TIME_WAIT`.
    case nothing
    /// With such connections, and with sockets that are bound but do not listen (`SO_REUSEADDR`).
    case leftovers
    /// With listeners of this user: the kernel gives each its share of the connections (`SO_REUSEPORT`).
    case listeners
  }

  /// Makes a socket and binds it.
  static func bound(
    to address: ListenAddress, sharing: Sharing
  ) throws(ListenError) -> ListenSocket {
    let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let descriptor = socket(address.family, Int32(kind), 0)
    guard descriptor >= 0 else {
      throw ListenError(address: address, operation: "socket", code: errno)
    }
    let socket = ListenSocket(Descriptor(descriptor), address)
    if sharing != .nothing { try socket.set(SOL_SOCKET, SO_REUSEADDR, 1) }
    if sharing == .listeners { try socket.sharePort() }
    if address.family == AF_INET6 { try socket.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
    var target = address.socketAddress
    let isIPv4 = address.family == AF_INET
    let size = isIPv4 ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
    let status = withUnsafeBytes(of: &target) {
      bind(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(size))
    }
    guard status == 0 else {
      throw ListenError(address: address, operation: "bind", code: errno)
    }
    return socket
  }

  /// Lets sockets that share their port bind this socket's port too, from here on.
  func sharePort() throws(ListenError) { try set(SOL_SOCKET, SO_REUSEPORT, 1) }

  /// The port that the socket has, which the kernel chose if 0 was asked for.
  var port: UInt16 {
    var storage = sockaddr_in6()
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    _ = withUnsafeMutableBytes(of: &storage) {
      getsockname(
        descriptor.number, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size)
    }
    return UInt16(bigEndian: storage.sin6_port)
  }

  /// Starts to listen and hands the descriptor over.
  consuming func listen(backlog: Int32) throws(ListenError) -> Int32 {
    // Linux hands the option down to accepted sockets.
    try set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    guard Glibc.listen(descriptor.number, backlog) == 0 else {
      throw ListenError(address: address, operation: "listen", code: errno)
    }
    return descriptor.take()
  }

  private func set(_ level: Int32, _ option: Int32, _ value: Int32) throws(ListenError) {
    var value = value
    let size = socklen_t(MemoryLayout<Int32>.size)
    guard setsockopt(descriptor.number, level, option, &value, size) == 0 else {
      throw ListenError(address: address, operation: "setsockopt", code: errno)
    }
  }
}

/// A file descriptor that is closed when its owner is done with it.
struct Descriptor: ~Copyable {
  let number: Int32

  init(_ number: Int32) { self.number = number }

  /// Ends the ownership without closing.
  consuming func take() -> Int32 {
    let number = number
    discard self
    return number
  }

  deinit { close(number) }
}
