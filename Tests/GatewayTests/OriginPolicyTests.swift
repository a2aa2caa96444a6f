import Testing

@testable import Gateway

@Suite struct `Allowed origins` {
  private func allows(_ allowed: [String], _ origin: String) -> Bool {
    var origin = origin
    return origin.withUTF8 { OriginPolicy(allowed).allows(UnsafeRawBufferPointer($0)) }
  }

  @Test(arguments: [
    "https://shop.example", "http://localhost:3000", "https://xn--bcher-kva.example",
    "https://*.shop.example", "https://*.shop.example:8443", "capacitor://localhost",
    "http://127.0.0.1:8080", "http://[::1]:3000", "https://a_b.example", "http://shop.example:443",
  ])
  func `are written as browsers write them`(_ origin: String) {
    #expect(OriginPolicy.isOrigin(origin))
  }

  @Test(arguments: [
    "", "*", "null", "shop.example", "https://", "https://shop.example/",
    "https://shop.example/path",
    "https://Shop.example", "HTTPS://shop.example", "https://shop.example.",
    "https://bücher.example",
    "https://shop.example:443", "http://shop.example:80", "https://shop.example:0",
    "https://shop.example:080", "https://shop.example:65536", "https://shop.example:",
    "https://user@shop.example", "https://*", "https://*.", "https://*.example",
    "https://*.*.example.com",
    "https://a.*.example.com", "https://a*.example.com", "https://-a.example", "https://a-.example",
    "https://a..example", "https://a b.example", "https://.example.com", "https://shop.example?x",
    "http://[::1", "http://[]:3000", "://shop.example", "1http://a.example",
  ])
  func `are refused where no browser would write them so`(_ origin: String) {
    #expect(!OriginPolicy.isOrigin(origin))
  }

  @Test(arguments: ["https://anything.example", "null", "", "not an origin"])
  func `are all where none is named`(_ origin: String) {
    #expect(allows([], origin))
    #expect(OriginPolicy([]).isOpen)
  }

  @Test func `are compared byte for byte`() {
    let allowed = ["https://shop.example", "http://localhost:3000"]
    #expect(!OriginPolicy(allowed).isOpen)
    #expect(allows(allowed, "https://shop.example"))
    #expect(allows(allowed, "http://localhost:3000"))
    for other in [
      "null", "", "https://shop.example.", "https://SHOP.example", "HTTPS://shop.example",
      "http://shop.example", "https://shop.example:443", "https://shop.example:8443",
      "http://localhost", "http://localhost:30000", "https://shop.example.evil.test",
      "https://evilshop.example", "https://www.shop.example", "https://shop.example/",
      "https://shop.example, https://other.example", "https://shop.example\u{0}",
    ] {
      #expect(!allows(allowed, other), "\(other)")
    }
  }

  @Test func `may leave the labels before a name open`() {
    let allowed = ["https://*.shop.example", "https://*.shop.example:8443"]
    for good in [
      "https://www.shop.example", "https://a.b.shop.example", "https://xn--bcher-kva.shop.example",
      "https://www.shop.example:8443",
    ] {
      #expect(allows(allowed, good), "\(good)")
    }
    for bad in [
      "https://shop.example", "https://.shop.example", "https://wwwshop.example",
      "http://www.shop.example", "https://www.shop.example:9000", "https://www.shop.example.",
      "https://evil.test/.shop.example", "https://evil.test#.shop.example",
      "https://evil.test:1.shop.example", "https://user@www.shop.example", "https://A.shop.example",
      "https://bücher.shop.example", "https://www.shop.example.evil.test", "https://..shop.example",
      "https://a..shop.example", "https://-.shop.example", "null",
    ] {
      #expect(!allows(allowed, bad), "\(bad)")
    }
  }
}
