import CSSL
import TLS
import Testing

@Suite struct `A handshake` {
  let folder: ScratchFolder
  let settings: TLSSettings

  init() throws {
    folder = try ScratchFolder()
    settings = TLSSettings(certificates: [try folder.certificate(for: "localhost")])
  }

  @Test(arguments: [(TLS1_3_VERSION, TLSVersion.tls13), (TLS1_2_VERSION, .tls12)])
  func `succeeds with both versions that are allowed`(highest: Int32, version: TLSVersion) throws {
    let client = Client(of: try .strict(settings), .init(highest: highest))
    #expect(client.shakeHands())
    #expect(client.server.version == version)
    #expect(!client.server.isResumed)
    #expect(client.server.applicationProtocol == nil)
    #expect(client.server.clientSubject == nil)
    #expect(client.shownName == "localhost")
  }

  @Test(arguments: [TLS1_3_VERSION, TLS1_2_VERSION])
  func `succeeds when every byte comes alone`(highest: Int32) throws {
    let client = Client(of: try .strict(settings), .init(highest: highest))
    client.step = 1
    #expect(client.shakeHands())
    client.write(Array("byte by byte".utf8))
    client.exchange()
    #expect(client.heard == Array("byte by byte".utf8))
  }

  @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION])
  func `is refused to versions before 1.2`(version: Int32) throws {
    let client = Client(of: try .strict(settings), .init(lowest: version, highest: version))
    #expect(!client.shakeHands())
    #expect(client.arrival == .failed(.version))
    #expect(client.alert == SSL_AD_PROTOCOL_VERSION)
  }

  @Test(arguments: ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"])
  func `is refused to suites without forward secrecy or authenticated encryption`(
    suite: String
  ) throws {
    let choice = Client.Choice(highest: TLS1_2_VERSION, suites: suite)
    let client = Client(of: try .strict(settings), choice)
    #expect(!client.shakeHands())
    #expect(client.arrival == .failed(.parameters))
  }

  @Test func `chooses the protocol that the server prefers`() throws {
    let offered: [UInt8] = [8] + "http/1.1".utf8 + [2] + "h2".utf8
    let client = Client(of: try .strict(settings), .init(protocols: offered))
    #expect(client.shakeHands())
    #expect(client.server.applicationProtocol == .http2)
  }

  @Test func `does not choose h2 where it is not offered`() throws {
    var settings = settings
    settings.protocols = [.http11]
    let offered: [UInt8] = [2] + "h2".utf8 + [8] + "http/1.1".utf8
    let client = Client(of: try .strict(settings), .init(protocols: offered))
    #expect(client.shakeHands())
    #expect(client.server.applicationProtocol == .http11)
  }

  // RFC 7301 §3.2
  @Test func `ends when no protocol is common`() throws {
    let client = Client(of: try .strict(settings), .init(protocols: [4] + "spdy".utf8))
    #expect(!client.shakeHands())
    #expect(client.arrival == .failed(.applicationProtocol))
    #expect(client.alert == SSL_AD_NO_APPLICATION_PROTOCOL)
  }

  @Test(arguments: [
    ("a.example", "a.example"), ("A.Example", "a.example"), ("one.b.example", "*.b.example"),
    ("exact.b.example", "exact.b.example"), ("one.two.b.example", "a.example"),
    ("b.example", "a.example"), ("unknown", "a.example"), (nil, "a.example"),
  ]) func `shows the certificate for the host that was named`(
    host: String?, expected: String
  ) throws {
    let settings = TLSSettings(certificates: [
      try folder.certificate(for: "a.example"), try folder.certificate(for: "*.b.example"),
      try folder.certificate(for: "exact.b.example"),
    ])
    let client = Client(of: try .strict(settings), .init(host: host))
    #expect(client.shakeHands())
    #expect(client.shownName == expected)
  }

  @Test func `goes on with the certificate it began with when the context is let go`() throws {
    var context: TLSContext? = try .strict(
      TLSSettings(certificates: [
        try folder.certificate(for: "a.example"), try folder.certificate(for: "b.example"),
      ]))
    let client = Client(of: context!, .init(host: "b.example"))
    context = nil
    #expect(client.shakeHands())
    #expect(client.shownName == "b.example")
  }

  @Test(arguments: [
    Array("GET / HTTP/1.1\r\nhost: a\r\n\r\n".utf8), [0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5],
    [0x16, 3, 1, 0xff, 0xff, 0], [0x80, 0x2e, 1, 0, 2] + [UInt8](repeating: 9, count: 64),
    [UInt8](repeating: 0, count: 600),
  ]) func `with something else ends with a failure and no more`(bytes: [UInt8]) throws {
    let client = Client(of: try .strict(settings))
    client.feed(bytes)
    guard case .failed = client.arrival else {
      Issue.record("\(client.arrival)")
      return
    }
    #expect(!client.server.isOpen)
    #expect(client.heard == [])
    client.server.close(on: client.transfer)
    #expect(client.transfer.ciphertext.count == 0)
  }
}
