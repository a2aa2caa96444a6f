import Testing
import Wire

private func address(_ text: String) -> IPAddress? { withBytes(text) { IPAddress($0) } }

@Suite struct `Addresses` {
  @Test(
    arguments: [
      // RFC 4291 §2.2
      ("2001:db8:cafe:0:0:0:0:17", 0x2001_0db8_cafe_0000_0000_0000_0000_0017),
      ("2001:DB8:CAFE::17", 0x2001_0db8_cafe_0000_0000_0000_0000_0017),
      ("::", 0), ("::1", 1), ("1::", 1 << 112),
      ("1:2:3:4:5:6:7::", 0x1_0002_0003_0004_0005_0006_0007_0000),
      ("::2:3:4:5:6:7:8", 0x2_0003_0004_0005_0006_0007_0008),
      ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", UInt128.max),
      ("::13.1.68.3", 0x0d01_4403), ("0:0:0:0:0:ffff:129.144.52.38", 0xffff_8190_3426),
      // RFC 3986 §3.2.2; held in the mapped form of RFC 4291 §2.5.5.2
      ("192.0.2.43", 0xffff_c000_022b), ("0.0.0.0", 0xffff_0000_0000),
      ("255.255.255.255", 0xffff_ffff_ffff), ("::ffff:192.0.2.43", 0xffff_c000_022b),
      ("::ffff:c000:22b", 0xffff_c000_022b),
    ] as [(String, UInt128)])
  func `are read in every form that there is`(text: String, value: UInt128) {
    #expect(address(text)?.value == value)
    #expect(address(text)?.isIPv4 == (value >> 32 == 0xffff))
  }

  @Test(arguments: [
    "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.1.1.1", "1.2.3.1000",
    "01.2.3.4", "1.2.3.00", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4:80", "1.2.3.-4",
    "a.b.c.d",
    ":", ":::", "1:", ":1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:", "::1::",
    "1::2::3", "12345::", "::g", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "[::1]", "::1%eth0",
    "::1.2.3", "::1.2.3.4:5", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "::01.2.3.4", "::1.2.3.456",
    "fe80::1%25eth0", "::1/128", "localhost",
    "0000:0000:0000:0000:0000:ffff:255.255.255.2555555",
  ])
  func `are nothing else`(text: String) { #expect(address(text) == nil) }
}

@Suite struct `Networks` {
  @Test(arguments: [
    // network, in it, not in it
    ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"), ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
    ("192.0.2.7", "192.0.2.7", "192.0.2.8"), ("192.0.2.6/31", "192.0.2.7", "192.0.2.8"),
    ("128.0.0.0/1", "192.0.2.1", "127.0.0.1"), ("::1", "::1", "127.0.0.1"),
    ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"), ("::/1", "::1", "127.0.0.1"),
    ("::/8", "::1", "10.0.0.1"), ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
    ("2001:db8::ff/128", "2001:db8::ff", "2001:db8::fe"),
  ])
  func `have those addresses in them that begin alike`(
    text: String, member: String, other: String
  ) throws {
    let network = try IPNetwork(text)
    #expect(network.contains(try #require(address(member))))
    #expect(!network.contains(try #require(address(other))))
  }

  @Test(arguments: [
    ("10.0.0.0/33", "\"10.0.0.0/33\": \"33\" is not a prefix length, 1 to 32"),
    ("::1/129", "\"::1/129\": \"129\" is not a prefix length, 1 to 128"),
    ("10.0.0.0/", "\"10.0.0.0/\": \"\" is not a prefix length, 1 to 32"),
    ("10.0.0.0/-8", "\"10.0.0.0/-8\": \"-8\" is not a prefix length, 1 to 32"),
    ("10.0.0.0/+8", "\"10.0.0.0/+8\": \"+8\" is not a prefix length, 1 to 32"),
    ("10.0.0.0/8/8", "\"10.0.0.0/8/8\": \"8/8\" is not a prefix length, 1 to 32"),
    (
      "10.0.0.0/99999999999999999999",
      "\"10.0.0.0/99999999999999999999\": \"99999999999999999999\" is not a prefix length, 1 to 32"
    ),
    ("10.0.0.1/8", "\"10.0.0.1/8\" has bits set behind the first 8, so it is no network"),
    ("2001:db8::1/32", "\"2001:db8::1/32\" has bits set behind the first 32, so it is no network"),
    ("0.0.0.0/0", "\"0.0.0.0/0\" is every address there is"),
    ("::/0", "\"::/0\" is every address there is"),
    ("::ffff:0:0/96", "\"::ffff:0:0/96\" is every address there is"),
    (
      "localhost",
      "\"localhost\" is neither an IP address nor a network such as 10.0.0.0/8 or 2001:db8::/32"
    ),
    (
      "10.0.0/8",
      "\"10.0.0/8\" is neither an IP address nor a network such as 10.0.0.0/8 or 2001:db8::/32"
    ),
    (
      "[::1]",
      "\"[::1]\" is neither an IP address nor a network such as 10.0.0.0/8 or 2001:db8::/32"
    ),
  ])
  func `that are none are refused with a reason`(text: String, reason: String) {
    #expect(throws: IPNetwork.Malformed(description: reason)) { try IPNetwork(text) }
  }

  @Test func `are the same however they are written`() throws {
    #expect(try IPNetwork("10.0.0.1") == IPNetwork("10.0.0.1/32"))
    #expect(try IPNetwork("::ffff:10.0.0.1") == IPNetwork("10.0.0.1"))
    #expect(try IPNetwork("2001:db8:0::/32") == IPNetwork("2001:DB8::/32"))
    #expect(try IPNetwork("10.0.0.0/8") != IPNetwork("10.0.0.0/9"))
  }
}
