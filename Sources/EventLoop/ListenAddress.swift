internal import Glibc

/// An address to listen on: `HOST:PORT` as the operator wrote it, and as the kernel takes it.
public struct ListenAddress: Sendable, CustomStringConvertible {
  /// An IP address, or the name it was found by.
  public let host: String
  /// 0 asks the kernel for a free port: see ``PortReservation``.
  public let port: UInt16

  // `sockaddr_in6` holds both families: an IPv4 address is its first 16 bytes.
  let socketAddress: sockaddr_in6
  let family: Int32

  /// Reads `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or `:8080` and `*:8080` for every IPv4 address.
  ///
  /// Asks the resolver about names, which may block; of several addresses it takes an IPv4 one first.
  ///
  /// - Throws: ``ListenError/badAddress(text:reason:)``
  public init(parsing text: String) throws(ListenError) {
    guard let colon = text.lastIndex(of: ":") else {
      throw .badAddress(text: text, reason: "it has no port: write HOST:PORT")
    }
    var host = String(text[..<colon])
    let digits = text[text.index(after: colon)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
      let port = UInt16(digits)
    else {
      throw .badAddress(
        text: text, reason: "the port \"\(digits)\" is not a number from 0 to 65535")
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      throw .badAddress(text: text, reason: "write an IPv6 address in brackets: [HOST]:PORT")
    }
    try self.init(host: host, port: port)
  }

  /// Looks up a host; as ``init(parsing:)``.
  public init(host: String, port: UInt16) throws(ListenError) {
    let host = host.isEmpty || host == "*" ? "0.0.0.0" : host
    self.host = host
    self.port = port
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE
    var found: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, String(port), &hints, &found)
    guard status == 0 else {
      let text = Self.render(host: host, port: port)
      throw .badAddress(text: text, reason: String(cString: gai_strerror(status)))
    }
    defer { freeaddrinfo(found) }
    let all = sequence(first: found) { $0?.pointee.ai_next }.prefix { $0 != nil }.compactMap { $0 }
    guard let choice = all.first(where: { $0.pointee.ai_family == AF_INET }) ?? all.first else {
      throw .badAddress(text: host, reason: "the host has no address")
    }
    var address = sockaddr_in6()
    withUnsafeMutableBytes(of: &address) { target in
      let size = min(Int(choice.pointee.ai_addrlen), target.count)
      target.copyMemory(from: UnsafeRawBufferPointer(start: choice.pointee.ai_addr, count: size))
    }
    socketAddress = address
    family = choice.pointee.ai_family
  }

  private init(_ address: ListenAddress, port: UInt16) {
    host = address.host
    self.port = port
    family = address.family
    var socketAddress = address.socketAddress
    // Both families have the port in the same place.
    socketAddress.sin6_port = port.bigEndian
    self.socketAddress = socketAddress
  }

  /// The same host with another port.
  public func with(port: UInt16) -> ListenAddress { ListenAddress(self, port: port) }

  public var description: String { Self.render(host: host, port: port) }

  private static func render(host: String, port: UInt16) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
