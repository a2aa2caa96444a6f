import CSSL
import TLS
import Testing

@Suite struct `A session` {
  let folder: ScratchFolder
  let context: TLSContext

  init() throws {
    folder = try ScratchFolder()
    context = try .strict(TLSSettings(certificates: [try folder.certificate(for: "localhost")]))
  }

  func open(_ highest: Int32 = TLS1_3_VERSION) throws -> Client {
    let client = Client(of: context, .init(highest: highest))
    try #require(client.shakeHands())
    return client
  }

  static let versions = [TLS1_3_VERSION, TLS1_2_VERSION]

  @Test(arguments: versions) func `carries megabytes both ways`(version: Int32) throws {
    let client = try open(version)
    let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    #expect(client.serverSends(large))
    #expect(client.read() == large)
    client.step = 65_536
    client.write(large)
    client.exchange()
    #expect(client.heard == large)
    #expect(client.arrival == .open)
  }

  @Test func `packs what is sent at once in few records`() throws {
    let client = try open()
    let sent = [UInt8](repeating: 7, count: 40_000)
    #expect(sent.withUnsafeBytes { client.server.send($0, on: client.transfer) })
    // Three records, each with 5 bytes of head, a byte of type and a tag of 16 (RFC 8446 §5.2).
    #expect(client.transfer.ciphertext.count == 40_000 + 3 * 22)
  }

  @Test func `says nothing for an empty send`() throws {
    let client = try open()
    #expect(client.serverSends([]))
    #expect(client.read() == [])
  }

  @Test func `sends nothing before the handshake is complete`() throws {
    let client = Client(of: context)
    #expect(!client.serverSends([1]))
    #expect(client.shakeHands())
    #expect(client.serverSends([1]))
    #expect(client.read() == [1])
  }

  @Test(arguments: versions) func `hands over what came before the peer's end`(
    version: Int32
  ) throws {
    let client = try open(version)
    client.write(Array("last".utf8))
    SSL_shutdown(client.ssl)
    client.exchange()
    #expect(client.heard == Array("last".utf8))
    #expect(client.arrival == .ended)
    #expect(client.serverSends(Array("answer".utf8)))
    #expect(client.read() == Array("answer".utf8))
    #expect(!client.hasSeenEnd)
    client.server.close(on: client.transfer)
    client.deliver()
    #expect(client.read() == [])
    #expect(client.hasSeenEnd)
  }

  @Test func `says once that it ends`() throws {
    let client = try open()
    client.server.close(on: client.transfer)
    let count = client.transfer.ciphertext.count
    #expect(count > 0)
    client.server.close(on: client.transfer)
    #expect(client.transfer.ciphertext.count == count)
  }

  @Test(arguments: versions) func `ends with an alert when a record was changed`(
    version: Int32
  ) throws {
    let client = try open(version)
    client.write(Array("a".utf8))
    let good = client.takeOutgoing()
    client.write(Array("b".utf8))
    var changed = client.takeOutgoing()
    changed[changed.count - 1] ^= 1
    client.feed(good + changed)
    #expect(client.arrival == .failed(.malformed))
    #expect(client.heard == [])
    #expect(client.read() == [])
    #expect(client.alert == SSL_AD_BAD_RECORD_MAC)
  }

  @Test func `refuses a record that is too long`() throws {
    let client = try open()
    client.feed([0x17, 3, 3, 0x7f, 0xff] + [UInt8](repeating: 0, count: 0x7fff))
    #expect(client.arrival == .failed(.malformed))
  }

  @Test func `is not disturbed by errors that others have left in the queue`() throws {
    let client = try open()
    #expect(EVP_CIPHER_fetch(nil, "no such cipher", nil) == nil)
    client.write(Array("a".utf8))
    client.exchange()
    #expect(client.arrival == .open)
    #expect(client.heard == Array("a".utf8))
    #expect(EVP_CIPHER_fetch(nil, "no such cipher", nil) == nil)
    #expect(client.serverSends([1]))
  }

  // RFC 5246 §7.2.2: no_renegotiation is a warning, and the session goes on.
  @Test func `does not negotiate again`() throws {
    let client = try open(TLS1_2_VERSION)
    #expect(SSL_renegotiate(client.ssl) == 1)
    SSL_do_handshake(client.ssl)
    client.exchange()
    #expect(client.arrival == .open)
    _ = client.read()
    #expect(cssl_error_reason(ERR_peek_last_error()) == SSL_R_NO_RENEGOTIATION)
    #expect(client.serverSends([1]))
  }

  @Test func `answers a new key with its own`() throws {
    let client = try open()
    #expect(SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
    client.write(Array("after".utf8))
    client.exchange()
    #expect(client.heard == Array("after".utf8))
    #expect(client.serverSends(Array("too".utf8)))
    #expect(client.read() == Array("too".utf8))
  }

  @Test func `shares a transfer with the others of its thread`() throws {
    let transfer = TLSTransfer.make()
    let sessions = (0..<50).compactMap { _ in TLSSession.accept(context, on: transfer) }
    #expect(sessions.count == 50)
    for session in sessions {
      #expect(
        [0x16].withUnsafeBytes { session.receive($0.baseAddress!, 1, on: transfer) } == .handshaking
      )
    }
    for session in sessions { session.destroy() }
    transfer.destroy()
  }
}
