import PluginKit
import Testing

@testable import RealtimePlugin

@Suite struct `A message of the plain socket` {
  static let vectors: [(String, Command.Request)] = [
    (
      #"{"id":7,"type":"subscribe","channel":"a"}"#,
      .subscribe(SubscribeRequest(channel: "a", recover: false, positioned: true))
    ),
    (
      #"{"id":7,"type":"subscribe","channel":"a","offset":3,"epoch":"e","token":"t"}"#,
      .subscribe(
        SubscribeRequest(
          channel: "a", token: "t", recover: true, offset: 3, epoch: "e", positioned: true))
    ),
    (
      #"{"id":7,"type":"subscribe","channel":"a","offset":null}"#,
      .subscribe(SubscribeRequest(channel: "a", recover: false, positioned: true))
    ),
    (#"{"id":7,"type":"unsubscribe","channel":"a"}"#, .unsubscribe(channel: "a")),
    (
      #"{"id":7,"type":"publish","channel":"a","data":{ "b" : 1.0 }}"#,
      .publish(channel: "a", data: #"{ "b" : 1.0 }"#)
    ),
    (#"{"id":7,"type":"publish","channel":"a","data":null}"#, .publish(channel: "a", data: "null")),
    (#"{"id":7,"type":"presence","channel":"a"}"#, .presence(channel: "a")),
    (#"{"id":7,"type":"presence_stats","channel":"a"}"#, .presenceStats(channel: "a")),
    (
      #"{"id":7,"type":"history","channel":"a"}"#,
      .history(
        HistoryRequest(channel: "a", limit: 25, since: .init(offset: nil, epoch: nil), reverse: nil)
      )
    ),
    (
      #"{"id":7,"type":"history","channel":"a","since":2,"epoch":"e","limit":3,"reverse":true}"#,
      .history(
        HistoryRequest(channel: "a", limit: 3, since: .init(offset: 2, epoch: "e"), reverse: true))
    ),
    (#"{"id":7,"type":"auth","token":"t"}"#, .refresh(token: "t")),
    (#"{"id":7,"type":"ping"}"#, .ping),
    (#"{"id":7,"type":"pong"}"#, .pong),
    (#"{"id":7,"type":"a.b","data":[1]}"#, .rpc(method: "a.b", data: "[1]")),
    (
      #"{"id":7,"type":"a.b","c":{ "d":1},"e":null}"#,
      .rpc(method: "a.b", data: #"{"c":{ "d":1},"e":null}"#)
    ),
    (#"{"c":"\u00e4","type":"a.b","id":7}"#, .rpc(method: "a.b", data: #"{"c":"\u00e4"}"#)),
  ]

  @Test(arguments: vectors.indices) func `is read`(_ index: Int) throws {
    let (text, request) = Self.vectors[index]
    let frame = try PlainFrame(Array(text.utf8))
    #expect(frame.request == request && frame.id == "7")
  }

  @Test(arguments: [#""a""#, "1", "-1.5", #""\u0061""#]) func `keeps its name as it came`(
    _ id: String
  )
    throws
  {
    let frame = try PlainFrame(Array(#"{"type":"ping","id":\#(id)}"#.utf8))
    #expect(frame.id?.text == id)
  }

  @Test(arguments: [#"{"type":"ping"}"#, #"{"type":"ping","id":null}"#])
  func `needs no name`(_ text: String) throws {
    #expect(try PlainFrame(Array(text.utf8)).id == nil)
  }

  static let wrong: [(String, String, RawJSON?)] = [
    ("", "", nil), ("[]", "", nil), ("1", "", nil), ("{", "", nil),
    (#"{"type":"ping"} x"#, "", nil),
    (#"{"type":"ping","type":"pong"}"#, "/type", nil),
    ("{}", "/type", nil), (#"{"id":1}"#, "/type", "1"), (#"{"id":1,"type":7}"#, "/type", "1"),
    (#"{"id":[],"type":"ping"}"#, "/id", nil), (#"{"id":true,"type":"ping"}"#, "/id", nil),
    (#"{"id":"\#(String(repeating: "x", count: 254))","type":"ping"}"#, "/id", nil),
    (#"{"id":1,"type":"subscribe"}"#, "/channel", "1"),
    (#"{"id":1,"type":"subscribe","channel":""}"#, "/channel", "1"),
    (#"{"id":1,"type":"subscribe","channel":"@x"}"#, "/channel", "1"),
    (#"{"id":1,"type":"subscribe","channel":7}"#, "/channel", "1"),
    (#"{"id":1,"type":"subscribe","channel":"a","offset":-1}"#, "/offset", "1"),
    (#"{"id":1,"type":"subscribe","channel":"a","offset":"1"}"#, "/offset", "1"),
    (#"{"id":1,"type":"subscribe","channel":"a","epoch":1}"#, "/epoch", "1"),
    (#"{"id":1,"type":"subscribe","channel":"a","ofset":1}"#, "/ofset", "1"),
    (#"{"id":1,"type":"unsubscribe"}"#, "/channel", "1"),
    (#"{"id":1,"type":"publish","channel":"a"}"#, "/data", "1"),
    (#"{"id":1,"type":"publish","data":1}"#, "/channel", "1"),
    (#"{"id":1,"type":"history","channel":"a","limit":-1}"#, "/limit", "1"),
    (#"{"id":1,"type":"history","channel":"a","since":1.5}"#, "/since", "1"),
    (#"{"id":1,"type":"presence","channel":"Bad:x"}"#, "/channel", "1"),
    (#"{"id":1,"type":"auth"}"#, "/token", "1"), (#"{"id":1,"type":"ping","x":1}"#, "/x", "1"),
  ]

  @Test(arguments: wrong.indices) func `is refused with the place of what is wrong`(_ index: Int) {
    let (text, pointer, id) = Self.wrong[index]
    do throws(PlainFrame.Fault) {
      let frame = try PlainFrame(Array(text.utf8))
      Issue.record("\(text) was read as \(frame)")
    } catch {
      #expect(error.problem.code == "invalid_request", "\(text)")
      #expect(error.problem.errors.first?.pointer == pointer, "\(text): \(error)")
      #expect(error.id == id, "\(text)")
    }
  }

  @Test func `is read or refused, whatever its bytes are`() {
    var random = SplitMix(7)
    let seeds = Self.vectors.map(\.0) + Self.wrong.map(\.0)
    var read = 0
    for _ in 0..<20_000 {
      var bytes = Array((seeds.randomElement(using: &random) ?? "").utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        let place = bytes.indices.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(bytes[place], at: place)
        }
      }
      do throws(PlainFrame.Fault) {
        let frame = try PlainFrame(bytes)
        read += 1
        #expect((frame.id?.bytes.count ?? 0) <= PlainFrame.idBytes)
      } catch {
        #expect(error.problem.code == "invalid_request" && !error.problem.detail.isEmpty)
      }
    }
    #expect(read > 0)
  }
}
