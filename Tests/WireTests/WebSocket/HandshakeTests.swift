import Testing
import Wire

@Suite struct `WebSocket handshake` {
  static let sample = """
    GET /chat HTTP/1.1\r
    Host: server.example.com\r
    Upgrade: websocket\r
    Connection: Upgrade\r
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
    Sec-WebSocket-Protocol: chat, superchat\r
    Sec-WebSocket-Version: 13\r
    Sec-WebSocket-Protocol: ,bearer.a.b-c_d\r
    \r

    """

  func outcome(_ text: String) throws -> (WebSocketHandshake.Outcome, ParsedHead) {
    let parsed = try #require(parse(text).head)
    var fields = parsed.fields
    let outcome = fields.withUnsafeMutableBufferPointer { fields in
      parsed.bytes.withUnsafeBytes { bytes in
        WebSocketHandshake.check(
          parsed.head, fields, in: bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!)
      }
    }
    return (outcome, parsed)
  }

  @Test func `the sample of RFC 6455 §1.3 is accepted with its answer`() throws {
    let (outcome, parsed) = try outcome(Self.sample)
    guard case .accept(let key) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    let answer = written { output in
      withBytes(parsed.text(key)) { WebSocketHandshake.appendAccept(for: $0, to: &output) }
    }
    #expect(answer == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  }

  @Test func `subprotocols are listed in order over all fields`() throws {
    let (_, parsed) = try outcome(Self.sample)
    var names: [String] = []
    var fields = parsed.fields
    fields.withUnsafeMutableBufferPointer { fields in
      parsed.bytes.withUnsafeBytes { bytes in
        var list = SubprotocolList(parsed.head, fields)
        while let name = bytes.baseAddress.flatMap({ list.next(in: $0) }) {
          names.append(parsed.text(name))
        }
      }
    }
    #expect(names == ["chat", "superchat", "bearer.a.b-c_d"])
  }

  @Test(arguments: [
    ("GET", "POST", WebSocketHandshake.Refusal.notGet, 405),
    ("HTTP/1.1", "HTTP/1.0", .notHTTP11, 400),
    ("Upgrade: websocket", "Upgrade: h2c", .noUpgrade, 426),
    ("Connection: Upgrade", "Connection: close", .noUpgrade, 426),
    ("Host:", "Content-Length: 1\r\nHost:", .hasBody, 400),
    ("Sec-WebSocket-Version: 13\r\n", "", .missingVersion, 400),
    ("Version: 13", "Version: 8", .unsupportedVersion, 426),
    ("Version: 13", "Version: 99", .unsupportedVersion, 426),
    ("Sec-WebSocket-Key", "X", .invalidKey, 400), ("bXBs", "bXB", .invalidKey, 400),
    ("ZQ==", "ZR==", .invalidKey, 400), ("ZQ==", "ZQ=!", .invalidKey, 400),
    ("chat,", "ch at,", .invalidProtocols, 400), ("chat,", "superchat,", .invalidProtocols, 400),
    (",bearer.a.b-c_d", "chat", .invalidProtocols, 400),
  ])
  func `what is missing or wrong is refused, RFC 6455 §4.2.1`(
    part: String, replacement: String, refusal: WebSocketHandshake.Refusal, status: Int
  ) throws {
    let text = Self.sample.replacing(part, with: replacement)
    let (outcome, _) = try outcome(text)
    #expect(outcome == .refuse(refusal))
    #expect(refusal.status == status && refusal.message.utf8CodeUnitCount > 0)
  }
}
