import Testing
import Wire

/// Whom a request is from that `peer` has passed on with these fields; "two" when the fields lead to two addresses.
private func client(
  _ fields: [String], from peer: String = "10.0.0.1",
  trusting networks: [String] = ["10.0.0.0/8", "2001:db8:1::/48"]
) throws -> String {
  let lines = fields.map { $0 + "\r\n" }.joined()
  let parsed = try #require(parse("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n").head)
  let proxies = TrustedProxies(try networks.map { try IPNetwork($0) })
  let peer = try #require(withBytes(peer) { IPAddress($0) })
  let client = parsed.bytes.withUnsafeBytes { bytes in
    parsed.fields.withUnsafeBufferPointer { fields in
      proxies.client(
        behind: peer, parsed.head, fields.baseAddress.unsafelyUnwrapped,
        in: bytes.baseAddress.unsafelyUnwrapped)
    }
  }
  guard let client else { return "two" }
  return "\(client)"
}

private func expect(
  _ fields: [String], _ expected: String, from peer: String = "10.0.0.1",
  trusting networks: [String] = ["10.0.0.0/8", "2001:db8:1::/48"],
  _ location: SourceLocation = #_sourceLocation
) throws {
  let wanted = expected == "two" ? "two" : "\(try #require(withBytes(expected) { IPAddress($0) }))"
  let found = try client(fields, from: peer, trusting: networks)
  #expect(found == wanted, "\(fields)", sourceLocation: location)
}

/// Hops as X-Forwarded-For and as Forwarded have them, and the client that they lead to from the proxy 10.0.0.1.
struct Chain: CustomTestStringConvertible, Sendable {
  let list: String
  let forwarded: String
  let client: String
  var testDescription: String { "\(list) | \(forwarded)" }

  init(_ list: String, _ forwarded: String, _ client: String) {
    (self.list, self.forwarded, self.client) = (list, forwarded, client)
  }
}

@Suite struct `Trusted proxies` {
  @Test(arguments: [
    // RFC 7239 §4, §6: one hop, with ports, IPv6 in brackets and quotation marks, names in any case.
    Chain("192.0.2.43", "for=192.0.2.43", "192.0.2.43"),
    Chain("192.0.2.43:4711", "for=\"192.0.2.43:4711\"", "192.0.2.43"),
    Chain("192.0.2.43:4711", "for=192.0.2.43:4711", "192.0.2.43"),
    Chain("2001:db8:cafe::17", "For=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
    Chain("[2001:db8:cafe::17]", "FOR=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
    Chain("[2001:db8:cafe::17]:4711", "for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
    Chain("192.0.2.43:4711", "for=\"192.0.2.43:_port\"", "192.0.2.43"),
    Chain("192.0.2.43", "proto=http;for=192.0.2.43;by=203.0.113.43;host=a", "192.0.2.43"),
    Chain("192.0.2.43", "by=\"a;for=6.6.6.6,for=7.7.7.7\"; for=192.0.2.43", "192.0.2.43"),
    Chain("192.0.2.43", #"ext="a\",for=6.6.6.6";for=192.0.2.43"#, "192.0.2.43"),
    Chain("192.0.2.43", #"ext="a\\";for=192.0.2.43"#, "192.0.2.43"),
    Chain("192.0.2.43", ";;for=192.0.2.43;", "192.0.2.43"),
    // Several: from the right, past those that are trusted, to the first that is not.
    Chain("192.0.2.1, 192.0.2.2", "for=192.0.2.1, for=192.0.2.2", "192.0.2.2"),
    Chain("192.0.2.1,10.9.9.9", "for=192.0.2.1,for=10.9.9.9", "192.0.2.1"),
    Chain(
      "6.6.6.6, 192.0.2.1, 10.2.2.2, 2001:db8:1::9",
      "for=6.6.6.6, for=192.0.2.1;proto=https, for=10.2.2.2, for=\"[2001:db8:1::9]\"", "192.0.2.1"),
    Chain("::ffff:10.2.2.2, ::ffff:192.0.2.1", "for=\"[::ffff:192.0.2.1]\"", "192.0.2.1"),
    // All of them trusted: the first.
    Chain("10.3.3.3, 10.2.2.2", "for=10.3.3.3, for=10.2.2.2", "10.3.3.3"),
    // RFC 9110 §5.6.1.2: empty elements are skipped.
    Chain(" ,, 192.0.2.1 ,\t, ", ",for=192.0.2.1, ,", "192.0.2.1"),
    Chain("", "", "10.0.0.1"), Chain(" , ,", ",,", "10.0.0.1"),
    // RFC 7239 §6.2, §6.3: who is not named is whoever does not name it.
    Chain("unknown", "for=unknown", "10.0.0.1"), Chain("_hidden", "for=_hidden", "10.0.0.1"),
    Chain("_SEVKISEK", "for=\"_SEVKISEK:80\"", "10.0.0.1"),
    Chain("192.0.2.1, unknown", "for=192.0.2.1, for=unknown", "10.0.0.1"),
    Chain("192.0.2.1, unknown, 10.2.2.2", "for=192.0.2.1, for=unknown, for=10.2.2.2", "10.2.2.2"),
    Chain("unknown, 192.0.2.1", "for=unknown, for=192.0.2.1", "192.0.2.1"),
    Chain("192.0.2.1, x", "for=192.0.2.1, proto=https", "10.0.0.1"),
    // So it is where something is malformed, and what stands before it counts for nothing.
    Chain("192.0.2.1, 1.2.3", "for=192.0.2.1, for=1.2.3", "10.0.0.1"),
    Chain("192.0.2.1, 1.2.3.4:", "for=192.0.2.1, for=\"1.2.3.4:\"", "10.0.0.1"),
    Chain("192.0.2.1, 1.2.3.4:x", "for=192.0.2.1, for=\"1.2.3.4:x\"", "10.0.0.1"),
    Chain("192.0.2.1, 1.2.3.4:123456", "for=192.0.2.1, for=\"1.2.3.4:123456\"", "10.0.0.1"),
    Chain("192.0.2.1, [::1", "for=192.0.2.1, for=\"[::1\"", "10.0.0.1"),
    Chain("192.0.2.1, [::1]x", "for=192.0.2.1, for=\"[::1]x\"", "10.0.0.1"),
    Chain("192.0.2.1, [1.2.3.4]", "for=192.0.2.1, for=\"[1.2.3.4]\"", "10.0.0.1"),
    Chain("192.0.2.1, []", "for=192.0.2.1, for=\"[]\"", "10.0.0.1"),
    Chain("192.0.2.1, fe80::1%eth0", "for=192.0.2.1, for=\"[fe80::1%eth0]\"", "10.0.0.1"),
    Chain("192.0.2.1, \"1.2.3.4\"", "for=192.0.2.1, for=\"\"", "10.0.0.1"),
    Chain("192.0.2.1, 1.2.3.4 5", "for=192.0.2.1, for", "10.0.0.1"),
    Chain("192.0.2.1, :80", "for=192.0.2.1, for=", "10.0.0.1"),
    Chain("192.0.2.1, =", "for=192.0.2.1, =6.6.6.6", "10.0.0.1"),
    Chain("192.0.2.1, for=1.2.3.4", "for=192.0.2.1, for =6.6.6.6", "10.0.0.1"),
    Chain("192.0.2.1, ;", "for=192.0.2.1, for=6.6.6.6;for=6.6.6.6", "10.0.0.1"),
    Chain("192.0.2.1, x", "for=192.0.2.1, for=\"6.6.6.6\"x", "10.0.0.1"),
    Chain("192.0.2.1, x", #"for=192.0.2.1, for="\6.6.6.6""#, "10.0.0.1"),
    // A client's open quotation mark swallows nothing of what a proxy appends (RFC 7239 §8.1).
    Chain("\", 192.0.2.1", "for=\", for=192.0.2.1", "192.0.2.1"),
    Chain("6.6.6.6, 192.0.2.1", #"for=6.6.6.6;x="\, for=192.0.2.1"#, "192.0.2.1"),
    Chain(
      "6.6.6.6, 192.0.2.1", #"for=6.6.6.6;x=", for=192.0.2.1;host="a""#, "192.0.2.1"),
  ])
  func `tell whom a request is from`(chain: Chain) throws {
    try expect(
      ["X-Forwarded-For: \(chain.list)"], chain.client == "10.0.0.1" ? "10.0.0.1" : chain.client)
    try expect(["Forwarded: \(chain.forwarded)"], chain.client)
  }

  @Test func `are heard alone`() throws {
    for fields in [["X-Forwarded-For: 6.6.6.6"], ["Forwarded: for=6.6.6.6"]] {
      try expect(fields, "192.0.2.1", from: "192.0.2.1")
      try expect(fields, "10.0.0.1", trusting: [])
      try expect(fields, "::1", from: "::1", trusting: ["127.0.0.1"])
      try expect(fields, "6.6.6.6", from: "::1", trusting: ["127.0.0.1", "::1"])
    }
    try expect(
      ["X-Forwarded-For: 6.6.6.6", "Forwarded: for=7.7.7.7"], "192.0.2.1", from: "192.0.2.1")
    try expect(["X-Real-IP: 6.6.6.6", "X-Forwarded: 6.6.6.6"], "10.0.0.1")
  }

  @Test func `may write a field each, which are one list in their order, RFC 9110 §5·3`() throws {
    try expect(
      [
        "X-Forwarded-For: 6.6.6.6", "X-Other: a", "x-forwarded-for: 192.0.2.1, 10.2.2.2",
        "X-FORWARDED-FOR: 10.3.3.3",
      ],
      "192.0.2.1")
    try expect(["Forwarded: for=6.6.6.6", "forwarded: for=192.0.2.1"], "192.0.2.1")
    try expect(["Forwarded: for=\"6.6.6.6", "Forwarded: for=10.2.2.2"], "10.2.2.2")
    try expect(["X-Forwarded-For: 192.0.2.1", "X-Forwarded-For:"], "192.0.2.1")
  }

  @Test func `that write both fields must mean the same client`() throws {
    try expect(["X-Forwarded-For: 6.6.6.6", "Forwarded: for=192.0.2.1"], "two")
    try expect(["Forwarded: for=192.0.2.1", "X-Forwarded-For: 6.6.6.6"], "two")
    try expect(["X-Forwarded-For: 192.0.2.1", "Forwarded: for=unknown"], "two")
    try expect(["X-Forwarded-For: 192.0.2.1", "Forwarded: "], "two")
    try expect(["X-Forwarded-For: 192.0.2.1", "Forwarded: for=\"192.0.2.1:80\""], "192.0.2.1")
    try expect(["X-Forwarded-For: unknown", "Forwarded: proto=https"], "10.0.0.1")
  }

  @Test func `are followed over so many hops and no further`() throws {
    func hops(_ count: Int) -> [String] { (0..<count).map { "10.1.0.\($0)" } }
    let most = TrustedProxies.mostHops
    let far = (["192.0.2.1"] + hops(most - 1)).joined(separator: ", ")
    try expect(["X-Forwarded-For: \(far)"], "192.0.2.1")
    let farther = (["192.0.2.1"] + hops(most)).joined(separator: ", ")
    try expect(["X-Forwarded-For: \(farther)"], "10.1.0.0")
    try expect(
      ["X-Forwarded-For: 192.0.2.1"] + hops(most).map { "X-Forwarded-For: \($0)" }, "10.1.0.0")
    let forwarded = (["192.0.2.1"] + hops(most)).map { "for=\($0)" }.joined(separator: ", ")
    try expect(["Forwarded: \(forwarded)"], "10.1.0.0")
  }
}

@Suite struct `Heads with Forwarded` {
  @Test func `say so, and are not plain`() throws {
    let with = try #require(parse("GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=a\r\n\r\n").head)
    #expect(with.head.hasForwarded && !with.head.isPlain)
    let without = try #require(
      parse("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n").head)
    #expect(!without.head.hasForwarded && without.head.isPlain)
    for target in ["/?a", "/%61", "/a/../b"] {
      let other = try #require(parse("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n").head)
      #expect(!other.head.isPlain)
    }
  }

  @Test func `over HTTP, version 2, say so too`() {
    let lines = [
      (":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"),
      ("forwarded", "for=a"), ("cookie", "a=b"), ("cookie", "c=d"),
    ]
    #expect(ReadSection(lines).head.hasForwarded)
    #expect(!ReadSection(lines.filter { $0.0 != "forwarded" }).head.hasForwarded)
  }
}
