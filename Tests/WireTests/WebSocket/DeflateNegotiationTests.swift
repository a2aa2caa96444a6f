import Testing
import Wire

@Suite struct `permessage-deflate negotiation` {
  /// What is answered to these fields: the value, "-" for none, "400" when the handshake is refused.
  func answer(_ fields: [String], _ terms: DeflateTerms = DeflateTerms()) throws -> String {
    let lines = fields.map { "Sec-WebSocket-Extensions: \($0)\r\n" }.joined()
    let text = `WebSocket handshake`.sample.replacing(
      "Sec-WebSocket-Version", with: lines + "Sec-WebSocket-Version")
    let parsed = try #require(parse(text).head)
    var fields = parsed.fields
    return fields.withUnsafeMutableBufferPointer { fields in
      parsed.bytes.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return "no bytes" }
        switch WebSocketHandshake.check(parsed.head, fields, in: base) {
        case .refuse(.invalidExtensions): return "400"
        case .refuse(let other): return "\(other)"
        case .accept: break
        }
        guard
          let agreed = DeflateParameters.negotiate(parsed.head, fields, in: base, terms: terms)
        else { return "-" }
        return written { agreed.appendAnswer(to: &$0) }
      }
    }
  }

  static let forgetful =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

  /// What was offered, and what is answered; `~` stands for ``forgetful``.
  static let rows: [(String, String)] = [
    // RFC 7692 §7: the parameters, one by one.
    ("permessage-deflate", "~"),
    ("permessage-deflate; server_no_context_takeover", "~"),
    ("permessage-deflate; client_no_context_takeover", "~"),
    ("permessage-deflate; client_no_context_takeover; server_no_context_takeover", "~"),
    // §7.1.2.1: answered with the same or a smaller value.
    ("permessage-deflate; server_max_window_bits=15", "~; server_max_window_bits=15"),
    ("permessage-deflate; server_max_window_bits=10", "~; server_max_window_bits=10"),
    ("permessage-deflate; server_max_window_bits=9", "~; server_max_window_bits=9"),
    // zlib has no raw deflate with a window of 256 bytes: the offer is declined, the next one looked at.
    ("permessage-deflate; server_max_window_bits=8", "-"),
    ("permessage-deflate; server_max_window_bits=8, permessage-deflate", "~"),
    // §7.1.2.2: with and without a value.
    ("permessage-deflate; client_max_window_bits", "~"),
    ("permessage-deflate; client_max_window_bits=15", "~"),
    ("permessage-deflate; client_max_window_bits=8", "~; client_max_window_bits=8"),
    ("permessage-deflate; client_max_window_bits=12", "~; client_max_window_bits=12"),
    (
      "permessage-deflate; client_max_window_bits=9; server_max_window_bits=11",
      "~; server_max_window_bits=11; client_max_window_bits=9"
    ),
    // §5.1: in the client's order of preference; other extensions are passed over.
    (
      "permessage-deflate; server_max_window_bits=10, permessage-deflate",
      "~; server_max_window_bits=10"
    ),
    ("x-webkit-deflate-frame, permessage-deflate", "~"),
    ("permessage-bzip2; client_max_compress_level=1, foo; bar=\"b\\az\"", "-"),
    ("Permessage-Deflate", "-"), ("permessage-deflate2", "-"), ("permessage", "-"),
    // §7.1: an unknown parameter, one that stands twice or one with a bad value declines the offer.
    ("permessage-deflate; server_window", "-"), ("permessage-deflate; x=y", "-"),
    ("permessage-deflate; Server_No_Context_Takeover", "-"),
    ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", "-"),
    ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", "-"),
    ("permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", "-"),
    ("permessage-deflate; client_max_window_bits; client_max_window_bits", "-"),
    ("permessage-deflate; client_max_window_bits; client_max_window_bits=10", "-"),
    ("permessage-deflate; server_no_context_takeover=1", "-"),
    ("permessage-deflate; client_no_context_takeover=true", "-"),
    ("permessage-deflate; server_max_window_bits", "-"),
    ("permessage-deflate; server_max_window_bits=7", "-"),
    ("permessage-deflate; server_max_window_bits=16", "-"),
    ("permessage-deflate; server_max_window_bits=0", "-"),
    ("permessage-deflate; server_max_window_bits=010", "-"),
    ("permessage-deflate; server_max_window_bits=08", "-"),
    ("permessage-deflate; server_max_window_bits=1a", "-"),
    ("permessage-deflate; server_max_window_bits=+9", "-"),
    ("permessage-deflate; server_max_window_bits=99999999999999999999", "-"),
    ("permessage-deflate; client_max_window_bits=7", "-"),
    ("permessage-deflate; client_max_window_bits=16", "-"),
    ("permessage-deflate; client_max_window_bits=-9", "-"),
    ("permessage-deflate; client_max_window_bits=99, permessage-deflate", "~"),
    // RFC 6455 §9.1: a quoted value means what it means unquoted, and blanks mean nothing.
    ("permessage-deflate; server_max_window_bits=\"10\"", "~; server_max_window_bits=10"),
    ("permessage-deflate; server_max_window_bits=\"\\1\\0\"", "~; server_max_window_bits=10"),
    (
      "permessage-deflate ;\tserver_max_window_bits\t= 10 ,x",
      "~; server_max_window_bits=10"
    ),
    (",, permessage-deflate ,,", "~"),
  ]

  @Test(arguments: rows)
  func `an offer is answered as RFC 7692 §5 to §7 say`(offers: String, expected: String) throws {
    #expect(try answer([offers]) == expected.replacing("~", with: Self.forgetful))
  }

  @Test(arguments: [
    "", ",", ";", "permessage-deflate;", "permessage-deflate; ;x", "; x", "=",
    "permessage-deflate=1",
    "permessage-deflate; =10", "permessage-deflate; server_max_window_bits=",
    "permessage-deflate; server_max_window_bits=\"10", "permessage-deflate; x=\"\"",
    "permessage-deflate; x=\"a b\"", "permessage-deflate; x=\"a\\", "permessage-deflate; x=\"a\"b",
    "permessage-deflate x", "per(message", "permessage-deflate; x=a/b", "permessage-deflate, \"x\"",
    "permessage-deflate; server_max_window_bits=10 5", "x; server_max_window_bits==10",
  ])
  func `a field that breaks the grammar of RFC 6455 §9.1 is refused`(field: String) throws {
    #expect(try answer([field]) == "400")
  }

  @Test func `offers in several fields are one list, RFC 6455 §11_3_2`() throws {
    #expect(try answer(["foo", "permessage-deflate"]) == Self.forgetful)
    #expect(try answer(["foo;", "permessage-deflate"]) == "400")
    #expect(try answer(["", "permessage-deflate"]) == Self.forgetful)
  }

  @Test func `without the field nothing is agreed`() throws {
    #expect(try answer([]) == "-")
  }

  @Test(arguments: [
    ("permessage-deflate", "permessage-deflate; server_max_window_bits=12"),
    (
      "permessage-deflate; client_max_window_bits",
      "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"
    ),
    (
      "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
      "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9"
    ),
    (
      "permessage-deflate; server_no_context_takeover; client_max_window_bits",
      "permessage-deflate; server_no_context_takeover; client_max_window_bits=12"
    ),
    (
      "permessage-deflate; client_no_context_takeover; client_max_window_bits",
      "permessage-deflate; client_no_context_takeover; server_max_window_bits=12"
    ),
    // The client will forget; the window of its one message is no memory that is kept.
    (forgetful, forgetful),
  ])
  func `where contexts are kept their windows are bounded`(
    offers: String, expected: String
  ) throws {
    let terms = DeflateTerms(allowsContextTakeover: true, contextWindowBits: 12)
    #expect(try answer([offers], terms) == expected)
  }

  @Test func `no answer is longer than was promised`() throws {
    let terms = DeflateTerms(allowsContextTakeover: false)
    let longest = try answer(
      [Self.forgetful + "; server_max_window_bits=10; client_max_window_bits=10"], terms)
    #expect(longest.hasSuffix("=10; client_max_window_bits=10"))
    #expect(longest.utf8.count <= DeflateParameters.answerBytes)
  }
}
