import Foundation
import Testing

/// The gateway knows no feature, not even by name. What is left out: the scaffold's texts, which are the first
/// files of somebody else's plugin.
@Suite struct `Features by name` {
  struct Manifest: Decodable {
    struct Event: Decodable { var type: String }
    var id: String
    var emits: [Event]?
  }

  static let manifests = Result<[Manifest], any Error> {
    try Tree.folders(in: "Plugins").map { folder in
      let json = try Tree.text("Plugins/\(folder)/plugin.json")
      return try JSONDecoder().decode(Manifest.self, from: Data(json.utf8))
    }
  }

  static func literals() throws -> [(place: String, text: String)] {
    try SwiftSource.files(under: "Sources")
      .filter { !$0.path.hasPrefix("Sources/sluice/Scaffold/") }
      .flatMap { file, source in source.literals.map { ("\(file):\($0.line)", $0.text) } }
  }

  // A path under /v1 is a feature's. The gateway's own pages are /healthz, /readyz, /metrics, /openapi.json and /docs.
  @Test func `no literal in Sources holds a path under v1`() throws {
    #expect(try Self.literals().count > 500)
    let paths = try Self.literals().filter { $0.text.contains("/v1/") }
    #expect(paths.map { "\($0.place) \($0.text)" } == [])
  }

  /// Words of the gateway that are spelled like a plugin's id.
  static let otherMeanings: [(word: String, file: String, meaning: String)] = [
    ("auth", "", "the manifest's key"),
    ("control", "Sources/PluginHost/Server/Server.swift", "the name of the control thread"),
  ]

  // Code that asks for one plugin by its id treats it otherwise than a stranger's.
  @Test func `no literal in Sources is the id of a plugin`() throws {
    let ids = Set(try Self.manifests.get().map(\.id))
    #expect(ids.isSuperset(of: ["auth", "control", "realtime", "chat"]))
    let named = try Self.literals().filter { literal in
      ids.contains(literal.text)
        && !Self.otherMeanings.contains {
          $0.word == literal.text && literal.place.hasPrefix($0.file)
        }
    }
    #expect(named.map { "\($0.place) \($0.text)" } == [])
  }

  // Events belong to who emits them; the gateway carries them unread.
  @Test func `no literal in Sources begins like an event of a plugin`() throws {
    let types = try Self.manifests.get().flatMap { $0.emits ?? [] }.map(\.type)
    #expect(types.contains("chat.message.created"))
    let prefixes = Set(types.compactMap { $0.split(separator: ".").first.map { "\($0)." } })
    let named = try Self.literals().filter { literal in
      prefixes.contains { literal.text.hasPrefix($0) }
    }
    #expect(named.map { "\($0.place) \($0.text)" } == [])
  }
}
