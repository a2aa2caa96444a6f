internal import PluginKit

/// `POST /emulation {session,node,data}`: what clients of streams say. Whoever knows the session's name, which only the
/// client has been told, speaks for it.
extension RealtimeShard {
  /// Bytes of commands in one request.
  static let emulationBytes = 65_536

  private struct Emulation: Decodable {
    let session: String
    let node: String
    /// Commands, joined by line feeds.
    let data: String
  }

  func emulate(_ request: Request) async throws -> Response {
    let said: Emulation = try request.decode()
    guard said.data.utf8.count <= Self.emulationBytes else {
      throw Problem(
        status: 413, code: "payload_too_large",
        detail: "The commands are over the limit of \(Self.emulationBytes) bytes.")
    }
    let node = try NodeName(said.node)
    guard node.app == context.tenant else { throw NodeName.unknownSession }
    if !hear(said.data, in: said.session) {
      guard node.shard != link.name,
        try await link.ask(.emulate(session: said.session, data: said.data), of: node.shard)?
          .isKnown == true
      else { throw NodeName.unknownSession }
    }
    return .empty(204)
  }

  /// Carries out what the client of a session has said; false when there is no such session here.
  func hear(_ data: String, in session: String) -> Bool {
    guard let client = sessions[session], client.isOpen else { return false }
    received(Array(data.utf8), from: client)
    return true
  }
}

/// Where a session is, as its client is told and tells again: the app, and the shard.
struct NodeName: Equatable {
  let app: String
  let shard: String

  /// Whoever asks learns no more than this.
  static var unknownSession: Problem { .notFound("There is no such session.") }

  init(app: String, shard: String) {
    self.app = app
    self.shard = shard
  }

  /// - Throws: `Problem` when it is none.
  init(_ text: String) throws {
    guard let dot = text.lastIndex(of: "."), dot != text.startIndex else {
      throw Self.unknownSession
    }
    app = String(text[..<dot])
    shard = String(text[text.index(after: dot)...])
  }

  var text: String { "\(app).\(shard)" }
}

extension RequestCredential {
  /// The app of the node in `/emulation`.
  static var node: RequestCredential {
    struct Part: Decodable { let node: String }
    return RequestCredential(find: { _, body in
      .app(try NodeName(JSON.decode(Part.self, from: body).node).app)
    })
  }
}
