import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

extension TestHost {
  /// Who was told that a message mentions him, and what.
  fileprivate var mentioned: [String] {
    get async throws {
      try await settle()
      return try await published.filter { $0.type == "chat.mention" }.map {
        "\($0.channel ?? "") \($0.data.text)"
      }
    }
  }
}

@Suite struct `Mentioning users` {
  @Test func `tells them on their own channels, and not the author`() async throws {
    try await withChat { host async throws in
      let sent = try await host.post(
        #"{"text":"hi @alice @carol","mentions":["carol","alice","carol","bob"],"id":"m1"}"#)
      #expect(sent.status == 201)
      #expect(sent.text.contains(#""mentions":["carol","alice","bob"],"#))
      #expect(try await host.message("m1").text == sent.text)
      #expect(try await host.mentioned == ["#carol \(sent.text)", "#alice \(sent.text)"])
      // The same again tells nobody again.
      let again = try await host.post(
        #"{"text":"hi @alice @carol","mentions":["carol","alice","bob"],"id":"m1"}"#)
      #expect(again.status == 200)
      #expect(try await host.mentioned.count == 2)
    }
  }

  @Test func `who may not read the message tells nobody`() async throws {
    try await withChat { host async throws in
      try await host.create(#"{"type":"private","id":"p","members":["alice","bob"]}"#)
      let sent = try await host.post(
        #"{"text":"a secret","mentions":["eve","alice"],"id":"m1"}"#, to: "private/p")
      #expect(sent.status == 201)
      #expect(try await host.mentioned == ["#alice \(sent.text)"])
    }
  }

  @Test func `in a change tells those who are new`() async throws {
    try await withChat { host async throws in
      try await host.post(#"{"text":"x","mentions":["alice"],"id":"m1"}"#)
      let changed = try await host.change("m1", #"{"mentions":["alice","carol"]}"#)
      #expect(changed.status == 200)
      #expect(try await host.mentioned.map { $0.prefix(6) } == ["#alice", "#carol"])
      let none = try await host.change("m1", #"{"mentions":[]}"#)
      #expect(none.status == 200 && !none.text.contains("mentions"))
      #expect(try await host.mentioned.count == 2)
    }
  }

  @Test func `has a bound`() async throws {
    try await withChat { host async throws in
      func body(_ count: Int) -> String {
        #"{"text":"x","mentions":[\#((0..<count).map { "\"u\($0)\"" }.joined(separator: ","))]}"#
      }
      #expect(try await host.post(body(Mentions.limit)).status == 201)
      let refused = try await host.post(body(Mentions.limit + 1))
      #expect(refused.status == 400)
      #expect(refused.problem?.errors?.map(\.pointer) == ["/mentions"])
    }
  }
}
