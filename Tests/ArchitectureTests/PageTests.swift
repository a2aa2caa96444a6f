import Foundation
import Testing

/// Lists go on where a page ended. What is no place to go on from is refused by the manifest, so that it is refused alike everywhere: left to
/// plugins, one answered an empty page, one the first page again, and one 400.
@Suite struct `The places where lists go on` {
  private struct Manifest: Decodable {
    struct Entry: Decodable {
      struct Parameter: Decodable {
        var type: String?
        var pattern: String?
      }

      var operation: String
      var query: [String: Parameter]?
    }

    var routes: [Entry]?
  }

  @Test func `are described by a pattern`() throws {
    var lists: [String] = []
    for folder in Tree.folders(in: "Plugins") {
      let json = Data(try Tree.text("Plugins/\(folder)/plugin.json").utf8)
      for route in try JSONDecoder().decode(Manifest.self, from: json).routes ?? [] {
        for name in ["after", "before"] {
          guard let parameter = route.query?[name] else { continue }
          lists.append(route.operation)
          // What is no number is refused too.
          guard parameter.type != "integer" else { continue }
          let pattern = parameter.pattern ?? ""
          #expect(pattern.hasPrefix("^") && pattern.hasSuffix("$"), "\(route.operation): \(name)")
        }
      }
    }
    #expect(lists.count >= 13)
  }
}
