import Foundation
import Testing

/// What a key or a user may do is said by scopes, so what they reach must ask for one: else a key that was made to read
/// users writes messages.
@Suite struct `Scopes of what a key or a user reaches` {
  private struct Manifest: Decodable {
    struct Entry: Decodable {
      var operation: String?
      var type: String?
      var auth: [String]?
      var scopes: [String]?
    }

    var routes: [Entry]?
    var sockets: [Entry]?
    var messages: [Entry]?
  }

  /// Operations that take a key or a user and ask for no scope.
  static let open: [(operation: String, reason: String)] = [
    ("sse", "what is listened to there is decided for each channel"),
    ("sseByPost", "what is listened to there is decided for each channel"),
    ("httpStream", "what is listened to there is decided for each channel"),
    ("uniSse", "what is listened to there is decided for each channel"),
    ("websocket", "what is said there is decided for each channel and message"),
    ("plainWebsocket", "what is said there is decided for each channel and message"),
    ("uniWebsocket", "what is listened to there is decided for each channel"),
  ]

  @Test func `are asked for, or there is a reason`() throws {
    let open = Set(Self.open.map(\.operation))
    var found: Set<String> = []
    var asked = 0
    for folder in Tree.folders(in: "Plugins") {
      let json = Data(try Tree.text("Plugins/\(folder)/plugin.json").utf8)
      let manifest = try JSONDecoder().decode(Manifest.self, from: json)
      // A message has no `auth`: it comes from whom the socket let in.
      let messages = manifest.messages ?? []
      for entry in (manifest.routes ?? []) + (manifest.sockets ?? []) + messages {
        let name = entry.operation ?? entry.type ?? ""
        guard entry.auth.map({ !Set($0).isDisjoint(with: ["key", "user"]) }) ?? true else {
          continue
        }
        if entry.scopes?.isEmpty == false {
          asked += 1
        } else {
          found.insert(name)
        }
      }
    }
    #expect(found == open)
    #expect(asked > 30)
  }
}
