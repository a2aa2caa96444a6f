import Foundation
import Testing

@testable import Gateway

@Suite struct `The issuer that a token claims` {
  static func token(_ payload: String, _ header: String = "{}") -> String {
    func part(_ text: String) -> String {
      Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        .replacing("=", with: "")
    }
    return part(header) + "." + part(payload) + ".c2lnbmF0dXJl"
  }

  static let tokens: [(text: String, issuer: String?)] = [
    (token(#"{"iss":"app_1"}"#), "app_1"),
    (token(#"{"sub":"a","iss":"é\n","exp":1}"#), "é\n"),
    (token(#"{"iss":""}"#), ""),
    (token(#"{"iss":7}"#), nil), (token(#"{"sub":"a"}"#), nil), (token("[]"), nil),
    (token("{"), nil), (token(""), nil),
    ("a.b", nil), ("a.b.c.d", nil), ("..", nil), (".", nil), ("", nil), ("sk_abc", nil),
    ("a.***.c", nil), (token(#"{"iss":"app_1"}"#) + ".x", nil),
    (token("{\"iss\":\"\(String(repeating: "a", count: 4_000))\"}"), nil),
  ]

  // RFC 7515 §7.1, RFC 7519 §4.1.1
  @Test(arguments: tokens) func `is read from a compact JWS and from nothing else`(
    text: String, issuer: String?
  ) {
    #expect(withBytes(text) { TokenIssuer.claimed(by: $0) } == issuer)
  }
}
