import Glibc
import Testing
import Wire

@testable import Client

@Suite struct `Where the gateway goes` {
  private func reaches(_ host: String, allowed: [String] = []) throws -> Bool {
    let reach = Reach(allowed: try allowed.map { try IPNetwork($0) })
    var v4 = sockaddr_in()
    v4.sin_family = sa_family_t(AF_INET)
    if inet_pton(AF_INET, host, &v4.sin_addr) == 1 {
      return withUnsafePointer(to: &v4) { address in
        address.withMemoryRebound(to: sockaddr.self, capacity: 1) { reach.includes($0) }
      }
    }
    var v6 = sockaddr_in6()
    v6.sin6_family = sa_family_t(AF_INET6)
    try #require(inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
    return withUnsafePointer(to: &v6) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { reach.includes($0) }
    }
  }

  @Test(arguments: [
    "8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.0.1.1",
    "198.17.0.1", "223.255.255.255", "2600::1", "2001:200::1", "2a00:1450::1", "::ffff:8.8.8.8",
  ]) func `is the internet at large`(_ host: String) throws {
    #expect(try reaches(host))
  }

  // RFC 6890, with what has come since.
  @Test(arguments: [
    "0.0.0.0", "10.255.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.168.0.1", "198.18.0.1", "198.19.255.255",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd12::1",
    "ff02::1", "64:ff9b::7f00:1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "100::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
  ]) func `is nothing else, unless the operator allows it`(_ host: String) throws {
    #expect(try !reaches(host))
    #expect(try reaches(host, allowed: [host]))
    #expect(try !reaches(host, allowed: ["203.0.113.0/24", "2001:db8:1::/48"]))
  }
}

@Suite struct `A request of somebody else's server` {
  private func refusal(_ request: ClientRequest) -> String? {
    do throws(ClientFailure) {
      try request.check()
      return nil
    } catch {
      return error.kind == .malformed ? error.description : "another kind"
    }
  }

  @Test func `is taken as it is given`() {
    #expect(refusal(ClientRequest(method: "POST", url: "https://a.example/")) == nil)
    #expect(refusal(ClientRequest(method: "purge", url: "HTTP://a.example:81/x?y#z")) == nil)
    let fields = [
      ClientRequest.Field("Content-Type", "text/plain; charset=utf-8"),
      ClientRequest.Field("x-empty", ""), ClientRequest.Field("x-name", "Zoë\t1"),
    ]
    let request = ClientRequest(method: "PUT", url: "http://a.example/", fields: fields)
    #expect(refusal(request) == nil)
    #expect(
      request.lines == [
        "Content-Type: text/plain; charset=utf-8", "x-empty;", "x-name: Zoë\t1", "accept:",
        "expect:",
      ])
  }

  @Test(arguments: [
    ("", "http://a/"), ("GET /", "http://a/"), ("CONNECT", "http://a/"), ("GET", ""),
    ("GET", "a.example"), ("GET", "ftp://a/"), ("GET", "http://a/ b"), ("GET", "http://a/\r\nb"),
    ("GET", "http://a/\u{7F}"), ("GET", "file:///etc/passwd"), ("GET", " http://a/"),
  ]) func `has a method and a URL that can be sent`(_ method: String, _ url: String) {
    #expect(refusal(ClientRequest(method: method, url: url))?.isEmpty == false)
  }

  @Test(arguments: [
    ("Host", "b"), ("CONTENT-LENGTH", "1"), ("Transfer-Encoding", "chunked"), ("Connection", "x"),
    ("Upgrade", "h2c"), ("Expect", "100-continue"), ("", "b"), ("a b", "c"), ("a:", "c"),
    ("ä", "c"), ("a", "b\r\nc: d"), ("a", "b\0"), ("a", "\u{7F}"),
  ]) func `has no field that would end it elsewhere`(_ name: String, _ value: String) {
    let request = ClientRequest(
      method: "GET", url: "http://a/", fields: [ClientRequest.Field(name, value)])
    #expect(refusal(request)?.isEmpty == false)
  }
}
