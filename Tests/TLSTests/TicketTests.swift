import CSSL
import TLS
import Testing

@Suite struct Tickets {
  let folder: ScratchFolder
  let settings: TLSSettings
  let keys = TicketKeys()!

  init() throws {
    folder = try ScratchFolder()
    settings = TLSSettings(certificates: [try folder.certificate(for: "localhost")])
  }

  /// The session of a client that has been here; TLS 1.3 hands it out after the handshake.
  func visit(_ context: TLSContext, _ version: Int32) throws -> OpaquePointer {
    let client = Client(of: context, .init(highest: version))
    try #require(client.shakeHands())
    #expect(!client.server.isResumed)
    return try #require(SSL_get1_session(client.ssl))
  }

  func returns(_ session: OpaquePointer, to context: TLSContext, _ version: Int32) -> Bool {
    let client = Client(of: context, .init(highest: version, session: session))
    #expect(client.shakeHands())
    return client.server.isResumed
  }

  static let versions = [TLS1_3_VERSION, TLS1_2_VERSION]

  @Test(arguments: versions) func `let a client come back`(version: Int32) throws {
    let context = try TLSContext.strict(settings, tickets: keys)
    let session = try visit(context, version)
    defer { SSL_SESSION_free(session) }
    #expect(returns(session, to: context, version))
  }

  @Test(arguments: versions) func `are good for every context with the same keys`(
    version: Int32
  ) throws {
    let session = try visit(try .strict(settings, tickets: keys), version)
    defer { SSL_SESSION_free(session) }
    #expect(returns(session, to: try .strict(settings, tickets: keys), version))
    #expect(!returns(session, to: try .strict(settings, tickets: TicketKeys()!), version))
  }

  @Test(arguments: versions) func `live through one rotation and not through two`(
    version: Int32
  ) throws {
    let context = try TLSContext.strict(settings, tickets: keys)
    let session = try visit(context, version)
    defer { SSL_SESSION_free(session) }
    #expect(keys.rotate())
    #expect(returns(session, to: context, version))
    #expect(keys.rotate())
    #expect(!returns(session, to: context, version))
  }

  @Test(arguments: versions) func `are not taken where clients must show a certificate`(
    version: Int32
  ) throws {
    let session = try visit(try .strict(settings, tickets: keys), version)
    defer { SSL_SESSION_free(session) }
    var strict = settings
    strict.clientCA = settings.certificates[0].certificate
    strict.clientAuthentication = .required
    let client = Client(
      of: try .strict(strict, tickets: keys), .init(highest: version, session: session))
    #expect(!client.shakeHands())
    #expect(client.arrival == .failed(.clientCertificate))
  }
}
