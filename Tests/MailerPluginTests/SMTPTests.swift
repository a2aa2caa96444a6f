import CCurl
import Foundation
import Glibc
import PluginKit
import Testing

@testable import MailerPlugin

/// A port on this machine at which connections are taken and nothing is said.
private final class SilentServer: Sendable {
  let port: Int
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (socket, bound) = (descriptor, length)
    let isListening = withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(socket, address, bound) == 0 && listen(socket, 8) == 0
          && getsockname(socket, address, &length) == 0
      }
    }
    try #require(isListening)
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  /// Waits for somebody to connect; false when nobody has for so long.
  func isAsked(within milliseconds: Int32) -> Bool {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&wanted, 1, milliseconds) == 1
  }

  deinit { close(descriptor) }
}

@Suite struct `The way out by SMTP` {
  private let letter = Letter(
    id: "msg_1", sender: "no-reply@example.com", recipient: "ada@example.com",
    bytes: Array("x".utf8))

  private func driver(_ port: Int, isPublicOnly: Bool = false) throws -> SMTPDriver {
    let changes = [
      "driver": #""smtp""#, "smtp_host": #""127.0.0.1""#, "smtp_port": "\(port)",
      "smtp_security": #""none""#, "smtp_timeout_seconds": "300",
    ]
    let settings = try JSON.decode(
      MailerSettings.self, from: MailerHost.settings(changes: changes).bytes)
    return SMTPDriver(settings, isPublicOnly: isPublicOnly)
  }

  // A shard closes when its worker is through: a server that says nothing must not hold it up for its whole time.
  @Test func `is broken off when nobody waits any more`() throws {
    let server = try SilentServer()
    let interruption = Interruption()
    // A thread of its own: tasks have few, and waiting takes one.
    Thread.detachNewThread {
      _ = server.isAsked(within: 60_000)
      interruption.set()
    }
    #expect(try driver(server.port).deliver(letter, until: interruption) == .interrupted)
  }

  @Test func `leads to no address of the operator's network for an app`() throws {
    let server = try SilentServer()
    let outcome = try driver(server.port, isPublicOnly: true).deliver(letter, until: Interruption())
    guard case .later = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(!server.isAsked(within: 0))
  }

  @Test(arguments: [
    ("8.8.8.8", true), ("1.1.1.1", true), ("203.0.114.1", true), ("0.0.0.0", false),
    ("10.1.2.3", false), ("127.0.0.1", false), ("100.64.0.1", false), ("100.128.0.1", true),
    ("169.254.169.254", false), ("172.15.0.1", true), ("172.16.0.1", false),
    ("172.31.255.255", false), ("172.32.0.1", true), ("192.0.0.8", false), ("192.168.1.1", false),
    ("198.18.0.1", false), ("198.19.255.255", false), ("198.20.0.1", true), ("224.0.0.1", false),
    ("255.255.255.255", false),
  ])
  func `knows which addresses are of the internet at large`(text: String, isPublic: Bool) {
    var v4 = sockaddr_in()
    v4.sin_family = sa_family_t(AF_INET)
    inet_pton(AF_INET, text, &v4.sin_addr)
    #expect(self.isPublic(&v4) == isPublic)
    // RFC 4291 §2.5.5.2: the same in IPv6's clothes.
    var v6 = sockaddr_in6()
    v6.sin6_family = sa_family_t(AF_INET6)
    inet_pton(AF_INET6, "::ffff:\(text)", &v6.sin6_addr)
    #expect(self.isPublic(&v6) == isPublic)
  }

  @Test(arguments: [
    ("2606:4700::1111", true), ("::1", false), ("::", false), ("fe80::1", false),
    ("fd00::1", false),
    ("ff02::1", false), ("2001:db8::1", false), ("2002:7f00:1::", false),
    ("64:ff9b::7f00:1", false),
  ])
  func `knows those of IPv6 too`(text: String, isPublic: Bool) {
    var v6 = sockaddr_in6()
    v6.sin6_family = sa_family_t(AF_INET6)
    inet_pton(AF_INET6, text, &v6.sin6_addr)
    #expect(self.isPublic(&v6) == isPublic)
  }

  private func isPublic<Address>(_ address: inout Address) -> Bool {
    withUnsafePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { ccurl_is_public($0) != 0 }
    }
  }
}
