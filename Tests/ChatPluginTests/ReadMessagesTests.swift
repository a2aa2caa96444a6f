import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

@Suite struct `Reading messages` {
  private func page(
    _ host: TestHost, _ query: String
  ) async throws -> (ids: [String], next: String?) {
    let page: ListPage<Said> = try await host.list(query).json()
    return (page.data.map(\.id), page.next)
  }

  private func send(_ numbers: ClosedRange<Int>, _ host: TestHost) async throws {
    for number in numbers {
      let answer = try await host.send("\(number)", id: "m\(number)")
      #expect(answer.status == 201, "\(answer.text)")
    }
  }

  @Test func `begins with the newest`() async throws {
    try await withChat { host async throws in
      try await send(1...5, host)
      let whole = try await page(host, "")
      #expect(whole.ids == ["m5", "m4", "m3", "m2", "m1"])
      #expect(whole.next == nil)
      #expect(try await host.list().text.contains(#""next":null,"offset":"#))
    }
  }

  @Test func `goes on to the oldest, whatever is sent meanwhile`() async throws {
    try await withChat { host async throws in
      try await send(1...5, host)
      let first = try await page(host, "?limit=2")
      #expect(first.ids == ["m5", "m4"])
      try await send(6...9, host)
      let second = try await page(host, "?limit=2&after=\(try #require(first.next))")
      #expect(second.ids == ["m3", "m2"])
      let third = try await page(host, "?limit=2&after=\(try #require(second.next))")
      #expect(third.ids == ["m1"])
      #expect(third.next == nil)
    }
  }

  @Test func `begins before or after a message`() async throws {
    try await withChat { host async throws in
      try await send(1...6, host)
      let before = try await page(host, "?before=m4&limit=2")
      #expect(before.ids == ["m3", "m2"])
      #expect(try await page(host, "?after=\(try #require(before.next))").ids == ["m1"])
      let after = try await page(host, "?after=m2&limit=2")
      #expect(after.ids == ["m3", "m4"])
      #expect(try await page(host, "?after=\(try #require(after.next))").ids == ["m5", "m6"])
      #expect(try await page(host, "?after=m6").ids == [])
      #expect(try await page(host, "?before=m1").ids == [])
    }
  }

  @Test func `around a message goes on both ways`() async throws {
    try await withChat { host async throws in
      try await send(1...9, host)
      struct Both: Decodable {
        let data: [Said]
        let next: String?
        let previous: String?
      }
      let middle: Both = try await host.list("?around=m5&limit=4").json()
      #expect(middle.data.map(\.id) == ["m4", "m5", "m6", "m7"])
      // What comes and goes meanwhile moves nothing.
      #expect(try await host.request("DELETE", "/v1/messages/m3", as: .user("bob")).status == 204)
      try await send(10...10, host)
      let older = try await page(host, "?after=\(try #require(middle.previous))")
      #expect(older.ids == ["m2", "m1"] && older.next == nil)
      let newer = try await page(host, "?after=\(try #require(middle.next))")
      #expect(newer.ids == ["m8", "m9", "m10"] && newer.next == nil)
      // At the ends nothing goes on.
      let whole = try await host.list("?around=m1&limit=100")
      #expect(whole.text.contains(#""next":null,"previous":null,"offset":"#))
      let one: Both = try await host.list("?around=m10&limit=1").json()
      #expect(one.data.map(\.id) == ["m10"] && one.next == nil && one.previous == "older:10")
      // A deleted one still has its place.
      let gone: Both = try await host.list("?around=m3&limit=1").json()
      #expect(gone.data.map(\.id) == ["m2"] && gone.next == "newer:2")
      // Others say nothing of what was before.
      #expect(try await host.list().text.contains(#""next":null,"offset":"#))
    }
  }

  @Test func `around a message that is all there is, deleted, still goes on`() async throws {
    try await withChat { host async throws in
      try await send(1...2, host)
      #expect(try await host.request("DELETE", "/v1/messages/m1", as: .user("bob")).status == 204)
      #expect(
        try await host.list("?around=m1&limit=1").text.hasPrefix(
          #"{"data":[],"next":"newer:1","previous":null,"#))
    }
  }

  @Test(arguments: [
    ("?after=gone", "/query/after"), ("?before=gone", "/query/before"),
    ("?before=m1&after=m1", "/query/before"),
    ("?around=gone", "/query/around"), ("?around=newer:1", "/query/around"),
    ("?after=m1&around=m1", "/query/after"), ("?before=m1&around=m1", "/query/before"),
    ("?after=a%20b", "/query/after"),
    ("?limit=0", "/query/limit"), ("?limit=101", "/query/limit"), ("?limit=x", "/query/limit"),
  ])
  func `says what is wrong with a query`(_ query: String, _ pointer: String) async throws {
    try await withChat { host async throws in
      try await host.send("x", id: "m1")
      let reply = try await host.list(query)
      #expect(reply.status == 400)
      #expect(reply.problem?.errors?.map(\.pointer) == [pointer])
    }
  }

  @Test func `takes no message of another channel as a beginning`() async throws {
    try await withChat { host async throws in
      try await host.send("x", id: "m1", to: "messaging/other")
      #expect(try await host.list("?after=m1").status == 400)
    }
  }

  @Test func `finds nothing in an open channel that nobody has made`() async throws {
    try await withChat { host async throws in
      #expect(try await host.list().text.hasPrefix(#"{"data":[],"next":null,"#))
    }
  }

  @Test func `of a closed channel is for members`() async throws {
    try await withChat { host async throws in
      #expect(try await host.list(of: "private/den").status == 404)
      try await host.create(#"{"type":"private","id":"den"}"#)
      try await host.send("x", id: "m1", to: "private/den")
      #expect(try await host.list(of: "private/den", as: .user("bob")).status == 200)
      #expect(try await host.list(of: "private/den", as: .key()).status == 200)
      #expect(try await host.list(of: "private/den", as: .user("eve")).status == 403)
      let path = "/v1/messages/m1"
      #expect(try await host.request("GET", path, as: .user("bob")).status == 200)
      #expect(try await host.request("GET", path, as: .user("eve")).status == 404)
      #expect(try await host.request("GET", "/v1/messages/m2", as: .user("bob")).status == 404)
    }
  }
}
