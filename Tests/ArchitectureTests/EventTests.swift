import Foundation
import Testing

/// Events as app developers find them in a catalogue: each says what it is, and shows what it looks like.
@Suite struct `Events of the plugins` {
  struct Manifest: Decodable {
    struct Event: Decodable {
      var type: String
      var schema: String
    }
    var emits: [Event]?
  }

  struct Shown: Decodable {
    struct Example: Decodable {}
    var description: String?
    var examples: [Example]?
  }

  @Test func `are described, with an example each`() throws {
    var count = 0
    var silent: [String] = []
    for folder in Tree.folders(in: "Plugins") {
      let json = Data(try Tree.text("Plugins/\(folder)/plugin.json").utf8)
      for event in try JSONDecoder().decode(Manifest.self, from: json).emits ?? [] {
        count += 1
        let schema = try JSONDecoder().decode(
          Shown.self, from: Data(try Tree.text("Plugins/\(folder)/\(event.schema)").utf8))
        if (schema.description ?? "").isEmpty || (schema.examples ?? []).isEmpty {
          silent.append(event.type)
        }
      }
    }
    #expect(count > 40)
    #expect(silent == [])
  }
}
