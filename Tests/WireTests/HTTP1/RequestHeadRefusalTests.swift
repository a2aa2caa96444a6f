import Testing
import Wire

/// A head that must be refused, why, and what says so.
struct Refusal: CustomTestStringConvertible, Sendable {
  var text: String
  var error: HTTP1Error
  var rule: String

  init(_ text: String, _ error: HTTP1Error, _ rule: String) {
    (self.text, self.error, self.rule) = (text, error, rule)
  }

  /// The head with one more field line.
  init(field: String, _ error: HTTP1Error, _ rule: String) {
    self.init("POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n", error, rule)
  }

  init(line: String, _ error: HTTP1Error, _ rule: String) {
    self.init("\(line)\r\nHost: a\r\n\r\n", error, rule)
  }

  var testDescription: String { "\(rule): \(text.debugDescription)" }

  static let all: [Refusal] = [
    Refusal(line: "\r\n\r\nGET / HTTP/1.1", .leadingEmptyLines, "9112 §2.2"),
    Refusal(line: "\nGET / HTTP/1.1", .bareLineFeed, "9112 §2.2"),
    Refusal(line: "\rGET / HTTP/1.1", .bareCarriageReturn, "9112 §2.2"),
    Refusal("GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed, "9112 §2.2"),
    Refusal("GET / HTTP/1.1\rHost: a\r\n\r\n", .bareCarriageReturn, "9112 §2.2"),
    Refusal("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLineFeed, "9112 §2.2"),
    Refusal("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed, "9112 §2.2"),
    Refusal("GET / HTTP/1.1\r\nHost: a\r\n\r!", .bareCarriageReturn, "9112 §2.2"),
    Refusal("GET / HTTP/1.1\r\nHost: a\r\nA\nB: c\r\n\r\n", .bareLineFeed, "9112 §2.2"),
    Refusal(field: "A: b\rc", .bareCarriageReturn, "9112 §2.2"),
    Refusal(field: "A: b\r", .bareCarriageReturn, "9112 §2.2"),

    Refusal(line: " GET / HTTP/1.1", .malformedRequestLine, "9112 §3"),
    Refusal(line: "GET  / HTTP/1.1", .malformedRequestLine, "9112 §3"),
    Refusal(line: "GET /  HTTP/1.1", .malformedRequestLine, "9112 §3"),
    Refusal(line: "GET / HTTP/1.1 ", .malformedRequestLine, "9112 §3"),
    Refusal(line: "GET / \tHTTP/1.1", .malformedRequestLine, "9112 §3"),
    Refusal(line: "GET /\tHTTP/1.1", .malformedRequestLine, "9112 §3"),
    Refusal(line: "GET\t/ HTTP/1.1", .invalidMethod, "9112 §3.1"),
    Refusal(line: "G(T / HTTP/1.1", .invalidMethod, "9112 §3.1"),
    Refusal(line: "\u{16}\u{03}\u{01}", .invalidMethod, "9112 §3.1"),
    Refusal(line: "GET", .malformedRequestLine, "9112 §3"),
    Refusal(line: "GET ", .malformedRequestLine, "9112 §3"),
    Refusal(line: "GET /", .malformedRequestLine, "9112 §3, HTTP/0.9"),
    Refusal(line: "GET /?a", .malformedRequestLine, "9112 §3, HTTP/0.9"),
    Refusal(
      line: "\(String(repeating: "A", count: 33)) / HTTP/1.1", .methodTooLong, "9112 §3"),

    Refusal(line: "GET /a#b HTTP/1.1", .fragmentInTarget, "9112 §3.2.1"),
    Refusal(line: "GET /a?b#c HTTP/1.1", .fragmentInTarget, "9112 §3.2.1"),
    Refusal(line: "GET /\u{1} HTTP/1.1", .invalidTarget, "3986 §3.3"),
    Refusal(line: "GET /\u{7f} HTTP/1.1", .invalidTarget, "3986 §3.3"),
    Refusal(line: "GET /é HTTP/1.1", .invalidTarget, "3986 §3.3"),
    Refusal(line: "GET /a\"b HTTP/1.1", .invalidTarget, "3986 §3.3"),
    Refusal(line: "GET /a<b HTTP/1.1", .invalidTarget, "3986 §3.3"),
    Refusal(line: "GET /a\\b HTTP/1.1", .invalidTarget, "3986 §3.3"),
    Refusal(line: "GET /a{b} HTTP/1.1", .invalidTarget, "3986 §3.3"),
    Refusal(line: "GET /a?b>c HTTP/1.1", .invalidTarget, "3986 §3.4"),
    Refusal(line: "GET * HTTP/1.1", .invalidTargetForm, "9112 §3.2.4"),
    Refusal(line: "OPTIONS *x HTTP/1.1", .invalidTargetForm, "9112 §3.2.4"),
    Refusal(line: "GET a HTTP/1.1", .invalidTargetForm, "9112 §3.2"),
    Refusal(line: "GET ftp://a/ HTTP/1.1", .invalidTargetForm, "9112 §3.2.2"),
    Refusal(line: "GET http:/a HTTP/1.1", .invalidTargetForm, "9112 §3.2.2"),
    Refusal(line: "GET \u{1} HTTP/1.1", .invalidTarget, "9112 §3.2"),
    Refusal(line: "GET http:/// HTTP/1.1", .invalidHost, "9110 §4.2.1"),
    Refusal(line: "GET http://u:p@a/ HTTP/1.1", .invalidHost, "9110 §4.2.4"),
    Refusal(line: "CONNECT a:443 HTTP/1.1", .connectNotSupported, "9112 §3.2.3"),
    Refusal(line: "CONNECT / HTTP/1.1", .connectNotSupported, "9112 §3.2.3"),
    Refusal(line: "CONNECT http://a/ HTTP/1.1", .connectNotSupported, "9112 §3.2.3"),
    Refusal(line: "CONNECT http:80 HTTP/1.1", .connectNotSupported, "9112 §3.2.3"),

    Refusal(line: "GET / http/1.1", .malformedVersion, "9112 §2.3"),
    Refusal(line: "GET / HTTP/1.10", .malformedVersion, "9112 §2.3"),
    Refusal(line: "GET / HTTP/11", .malformedVersion, "9112 §2.3"),
    Refusal(line: "GET / HTTP/1,1", .malformedVersion, "9112 §2.3"),
    Refusal(line: "GET / HTTP/a.1", .malformedVersion, "9112 §2.3"),
    Refusal(line: "GET / X", .malformedVersion, "9112 §2.3"),
    Refusal(line: "GET / HTTP/2.0", .unsupportedVersion, "9110 §15.6.6"),
    Refusal(line: "GET / HTTP/0.9", .unsupportedVersion, "9110 §15.6.6"),
    Refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .invalidTargetForm, "9113 §3.4"),

    Refusal(field: "A : b", .spaceBeforeColon, "9112 §5.1"),
    Refusal(field: "A\t: b", .spaceBeforeColon, "9112 §5.1"),
    Refusal(field: "A", .missingColon, "9112 §5"),
    Refusal(field: ": b", .emptyFieldName, "9110 §5.1"),
    Refusal(field: "A(: b", .invalidFieldName, "9110 §5.1"),
    Refusal(field: "Aé: b", .invalidFieldName, "9110 §5.1"),
    Refusal(field: "A\u{0}: b", .invalidFieldName, "9110 §5.1"),
    Refusal(field: "\u{0}A: b", .invalidFieldName, "9110 §5.1"),
    Refusal(field: "A: b\r\n c", .obsoleteLineFolding, "9112 §5.2"),
    Refusal(field: "A: b\r\n\tc: d", .obsoleteLineFolding, "9112 §5.2"),
    Refusal("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .obsoleteLineFolding, "9112 §2.2"),
    Refusal(field: "A: b\u{0}c", .invalidFieldValue, "9110 §5.5"),
    Refusal(field: "A: \u{7f}", .invalidFieldValue, "9110 §5.5"),
    Refusal(field: "A: 0123456789\u{1f}0123456789", .invalidFieldValue, "9110 §5.5"),
    Refusal(field: "A: 0123456789\u{7f}0123456789", .invalidFieldValue, "9110 §5.5"),

    Refusal("GET / HTTP/1.1\r\n\r\n", .missingHost, "9112 §3.2"),
    Refusal("GET http://a/ HTTP/1.1\r\n\r\n", .missingHost, "9112 §3.2"),
    Refusal(field: "Host: a", .duplicateHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", .duplicateHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost:\r\n\r\n", .invalidHost, "9110 §4.2.1"),
    Refusal("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .invalidHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", .invalidHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .invalidHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .invalidHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .invalidHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", .invalidHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", .invalidHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost: a:000080\r\n\r\n", .invalidHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", .invalidHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", .invalidHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost: [x]\r\n\r\n", .invalidHost, "9112 §3.2"),
    Refusal("GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", .invalidHost, "9112 §3.2"),

    Refusal(field: "Content-Length: +5", .invalidContentLength, "9110 §8.6"),
    Refusal(field: "Content-Length: -1", .invalidContentLength, "9110 §8.6"),
    Refusal(field: "Content-Length: 0x5", .invalidContentLength, "9110 §8.6"),
    Refusal(field: "Content-Length: 5_0", .invalidContentLength, "9110 §8.6"),
    Refusal(field: "Content-Length: 5 0", .invalidContentLength, "9110 §8.6"),
    Refusal(field: "Content-Length: 5, 5", .invalidContentLength, "9110 §8.6"),
    Refusal(field: "Content-Length: 5,6", .invalidContentLength, "9110 §8.6"),
    Refusal(field: "Content-Length:", .invalidContentLength, "9110 §8.6"),
    Refusal(field: "Content-Length: 5.0", .invalidContentLength, "9110 §8.6"),
    Refusal(field: "Content-Length: 9223372036854775808", .invalidContentLength, "9110 §8.6"),
    Refusal(
      field: "Content-Length: 18446744073709551621", .invalidContentLength, "9110 §8.6"),
    Refusal(
      field: "Content-Length: 5\r\nContent-Length: 6", .duplicateContentLength, "9112 §6.3"),
    Refusal(
      field: "Content-Length: 5\r\ncontent-length: 5", .duplicateContentLength, "9112 §6.3"),
    Refusal(
      field: "Content-Length: 5\r\nTransfer-Encoding: chunked",
      .contentLengthWithTransferEncoding, "9112 §6.1"),
    Refusal(
      field: "Transfer-Encoding: chunked\r\nContent-Length: 0",
      .contentLengthWithTransferEncoding, "9112 §6.1"),
    Refusal(
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10,
      "9112 §6.1"),
    Refusal(field: "Transfer-Encoding: gzip", .unsupportedTransferCoding, "9112 §6.1"),
    Refusal(field: "Transfer-Encoding: gzip, chunked", .unsupportedTransferCoding, "9112 §6.1"),
    Refusal(field: "Transfer-Encoding: xchunked", .unsupportedTransferCoding, "9112 §6.1"),
    Refusal(field: "Transfer-Encoding: identity", .unsupportedTransferCoding, "9112 §6.1"),
    Refusal(field: "Transfer-Encoding: \"chunked\"", .unsupportedTransferCoding, "9112 §6.1"),
    Refusal(field: "Transfer-Encoding:", .invalidTransferEncoding, "9112 §6.1"),
    Refusal(
      field: "Transfer-Encoding: chunked, chunked", .invalidTransferEncoding, "9112 §6.1"),
    Refusal(field: "Transfer-Encoding: chunked, gzip", .invalidTransferEncoding, "9112 §6.3"),
    Refusal(field: "Transfer-Encoding: chunked;q=1", .invalidTransferEncoding, "9112 §7"),
    Refusal(
      field: "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
      .invalidTransferEncoding, "9112 §6.1"),
    Refusal(field: "Connection: a b", .invalidConnection, "9110 §7.6.1"),
    Refusal(field: "Expect: 200-ok", .unsupportedExpectation, "9110 §10.1.1"),
    Refusal(field: "Expect: 100-continue, x", .unsupportedExpectation, "9110 §10.1.1"),
    Refusal(field: "Authorization: a\r\nAuthorization: b", .duplicateField, "9110 §5.3"),
    Refusal(field: "Content-Type: a/b\r\nContent-Type: a/b", .duplicateField, "9110 §5.3"),
  ]
}

@Suite struct `Request heads that are refused` {
  @Test(arguments: Refusal.all)
  func `ambiguity is refused, never repaired`(refusal: Refusal) {
    #expect(parse(refusal.text).error == refusal.error)
  }

  @Test(arguments: Refusal.all)
  func `the refusal is the same wherever the bytes were split`(refusal: Refusal) {
    let count = refusal.text.utf8.count
    for cut in 1..<count {
      #expect(parse(refusal.text, arriving: [cut, count]).error == refusal.error)
    }
    #expect(parse(refusal.text, arriving: Array(1...count)).error == refusal.error)
  }

  @Test func `a bad request line is refused as soon as it is whole`() {
    let line = "GET / HTTP/3.0\r\n"
    #expect(parse(line, arriving: Array(1...line.utf8.count)).error == .unsupportedVersion)
  }

  @Test(arguments: HTTP1Error.allCases)
  func `every error has a status, a code and a sentence`(error: HTTP1Error) {
    #expect([400, 414, 417, 431, 501, 505].contains(error.status))
    #expect(error.code.utf8CodeUnitCount > 0)
    #expect(error.message.utf8CodeUnitCount > 10)
    #expect(!error.message.description.hasSuffix("."))
  }
}
