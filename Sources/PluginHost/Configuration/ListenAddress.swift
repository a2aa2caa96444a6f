import Glibc

/// Where the gateway listens: an IP address and a port.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// An IPv4 or IPv6 address as text, without brackets.
  public let address: String
  /// The port; 0 lets the kernel choose one.
  public let port: UInt16

  /// Why a text is no address, in words for the operator.
  public struct Malformed: Error, CustomStringConvertible {
    public let description: String
  }

  /// Reads `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080` (which is 127.0.0.1).
  public init(_ text: String) throws(Malformed) {
    guard let colon = text.lastIndex(of: ":") else {
      throw Malformed(description: "\"\(text)\" has no port; write HOST:PORT")
    }
    let port = text[text.index(after: colon)...]
    guard port.utf8.allSatisfy(Grammar.isDigit), let number = UInt16(port) else {
      throw Malformed(description: "\"\(port)\" is not a port (0 to 65535)")
    }
    var host = String(text[..<colon])
    if host == "localhost" { host = "127.0.0.1" }
    if host.hasPrefix("[") && host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      var address = in6_addr()
      guard inet_pton(AF_INET6, host, &address) == 1 else {
        throw Malformed(description: "\"\(host)\" is not an IPv6 address")
      }
    } else {
      var address = in_addr()
      guard inet_pton(AF_INET, host, &address) == 1 else {
        throw Malformed(
          description: "\"\(host)\" is not an IPv4 address; IPv6 is written in brackets")
      }
    }
    self.address = host
    self.port = number
  }

  /// `127.0.0.1:8080`, `[::1]:8080`
  public var description: String {
    address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
  }
}
