import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `A code that changes with time` {
  private let code = TimeCode(secret: Array("12345678901234567890".utf8))

  /// RFC 6238 Appendix B, SHA-1, the last six of eight digits.
  @Test(arguments: [
    (59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"),
    (1_234_567_890, "005924"), (2_000_000_000, "279037"), (20_000_000_000, "353130"),
  ])
  func `is that of RFC 6238`(seconds: Int64, digits: String) {
    #expect(code.code(at: seconds / 30) == digits)
    #expect(code.step(of: digits, at: seconds) == seconds / 30)
  }

  @Test func `is good a step before and after its own`() {
    for (seconds, isGood) in [(29, false), (30, true), (89, true), (119, true), (120, false)] {
      #expect((code.step(of: code.code(at: 2), at: Int64(seconds)) != nil) == isGood)
    }
    #expect(code.step(of: "", at: 59) == nil)
    #expect(code.step(of: "28708", at: 59) == nil)
  }

  /// RFC 4648 §10.
  @Test(arguments: [
    ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
    ("foobar", "MZXW6YTBOI"),
  ])
  func `has its secret in base32`(secret: String, text: String) {
    #expect(TimeCode(secret: Array(secret.utf8)).base32 == text)
  }

  @Test func `is told to an app by a URL`() {
    #expect(
      code.url(issuer: "Ada & Co", account: "ada+x@example.com")
        == "otpauth://totp/Ada%20%26%20Co:ada%2Bx%40example.com"
        + "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ada%20%26%20Co"
        + "&algorithm=SHA1&digits=6&period=30")
  }
}
