import PluginKit
import Testing

@testable import RealtimePlugin

private func commands(_ text: String) throws -> [Command] {
  try CommandFrame.commands(in: Array(text.utf8))
}

@Suite struct `A message of commands` {
  static let vectors: [(String, Command.Request)] = [
    (
      #"{"id":7,"connect":{"token":"t","name":"py"}}"#,
      .connect(ConnectRequest(token: "t", data: nil, subs: nil, name: "py", version: nil))
    ),
    (
      #"{"id":7,"subscribe":{"channel":"a","recover":true,"offset":3,"epoch":"e","join_leave":true,"flag":3}}"#,
      .subscribe(
        SubscribeRequest(
          channel: "a", recover: true, offset: 3, epoch: "e", joinLeave: true, flag: 3))
    ),
    (#"{"id":7,"unsubscribe":{"channel":"a"}}"#, .unsubscribe(channel: "a")),
    (
      #"{"id":7,"publish":{"channel":"a","data":{ "b" : 1.0 }}}"#,
      .publish(channel: "a", data: #"{ "b" : 1.0 }"#)
    ),
    (#"{"id":7,"presence":{"channel":"a"}}"#, .presence(channel: "a")),
    (#"{"id":7,"presence_stats":{"channel":"a"}}"#, .presenceStats(channel: "a")),
    (
      #"{"id":7,"history":{"channel":"a","limit":-1,"since":{"offset":2,"epoch":"e"},"reverse":true}}"#,
      .history(
        HistoryRequest(
          channel: "a", limit: -1, since: .init(offset: 2, epoch: "e"), reverse: true))
    ),
    (#"{"id":7,"ping":{}}"#, .ping),
    (#"{"id":7,"send":{"data":[1]}}"#, .send("[1]")),
    (#"{"id":7,"rpc":{"method":"m","data":"d"}}"#, .rpc(method: "m", data: #""d""#)),
    (#"{"id":7,"refresh":{"token":"t"}}"#, .refresh(token: "t")),
    (#"{"id":7,"sub_refresh":{"channel":"a","token":"t"}}"#, .subRefresh(channel: "a", token: "t")),
    // The first request counts, a null one is none, and what is not known is passed over.
    (#"{"id":7,"publish":null,"ping":{},"new":1}"#, .ping),
    (#"{"id":7,"ping":{},"unsubscribe":{"channel":"a"}}"#, .unsubscribe(channel: "a")),
  ]

  @Test(arguments: vectors.indices) func `is read`(_ index: Int) throws {
    let (text, request) = Self.vectors[index]
    #expect(try commands(text) == [Command(id: 7, request: request)])
  }

  @Test func `holds several, one on a line`() throws {
    let read = try commands("{}\n{\"id\":1,\"ping\":{}}\r\n\n { } \n{\"id\":2,\"rpc\":{}}\n")
    #expect(
      read == [
        Command(id: 0, request: .pong), Command(id: 1, request: .ping),
        Command(id: 0, request: .pong), Command(id: 2, request: .rpc(method: "", data: "null")),
      ])
  }

  @Test(arguments: [
    "", "\n \n", "[]", "1", "{", #"{"id":1}"#, #"{"id":-1,"ping":{}}"#,
    #"{"id":4294967296,"ping":{}}"#, #"{"id":1,"ping":{}}x"#,
    #"{"id":1,"subscribe":{"offset":-1}}"#,
    #"{"id":1,"subscribe":[]}"#, String(repeating: "{}\n", count: 1_001),
  ])
  func `is refused otherwise`(_ text: String) {
    #expect(throws: (any Error).self) { try commands(text) }
  }
}

private func event(_ offset: UInt64, _ data: String, info: String? = nil) -> ChannelEvent {
  ChannelEvent(
    offset: offset, epoch: "e", time: Timestamp(unixMilliseconds: 0),
    type: ChannelEvent.published, id: "evt_1",
    data: Envelope(data: Array(data.utf8), info: info.map { Array($0.utf8) }).json, channel: "a")
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct `What a client is told` {
  @Test func `leaves out zeros and what is empty`() {
    #expect(text(Reply.publish(.none).line(3)) == #"{"id":3,"publish":{}}"#)
    #expect(
      text(Reply.error(.permissionDenied).line(3))
        == #"{"id":3,"error":{"code":103,"message":"permission denied"}}"#)
    #expect(
      text(Reply.error(.internal).line(3))
        == #"{"id":3,"error":{"code":100,"message":"internal server error","temporary":true}}"#)
    #expect(
      text(Reply.presenceStats(clients: 0, users: 0).line(3)) == #"{"id":3,"presence_stats":{}}"#)
    #expect(text(Reply.subscribe(SubscribeResult()).line(3)) == #"{"id":3,"subscribe":{}}"#)
  }

  @Test func `of a subscription says where it stands and what was missed`() {
    let result = SubscribeResult(
      ttl: 9, isRecoverable: true, isPositioned: true, offset: 2, epoch: "e",
      wasRecovering: true, isRecovered: true,
      publications: [event(1, "1"), event(2, #"{"x":"y"}"#)],
      hasDelta: false)
    #expect(
      text(Reply.subscribe(result).line(1))
        == #"{"id":1,"subscribe":{"expires":true,"ttl":9,"recoverable":true,"epoch":"e","publications":"#
        + #"[{"data":1,"offset":1},{"data":{"x":"y"},"offset":2}],"recovered":true,"offset":2,"#
        + #""positioned":true,"was_recovering":true}}"#)
  }

  @Test func `of a connection names it and what the server subscribed it to`() {
    var result = ConnectResult(client: "con_1", ttl: 60, ping: 25)
    result.subs = [("#42", SubscribeResult(isPositioned: true, offset: 4, epoch: "e"))]
    #expect(
      text(Reply.connect(result).line(1))
        == #"{"id":1,"connect":{"client":"con_1","version":"sluice","expires":true,"ttl":60,"#
        + ##""subs":{"#42":{"epoch":"e","offset":4,"positioned":true}},"ping":25,"pong":true}}"##)
  }

  @Test func `of a publication passes its data through on one line`() {
    let published = event(5, "{ \"a\":\n1.0 }", info: #"{"user":"u","client":"c"}"#)
    #expect(
      text(Push.publication(published, in: "a"))
        == #"{"push":{"channel":"a","pub":{"data":{ "a": 1.0 },"info":{"user":"u","client":"c"},"offset":5}}}"#
    )
    #expect(
      text(Push.publication(published, in: "a", asText: true))
        == #"{"push":{"channel":"a","pub":{"data":"{ \"a\":\n1.0 }","info":{"user":"u","client":"c"},"offset":5}}}"#
    )
  }

  @Test func `of another plugin's event has its type`() {
    let foreign = ChannelEvent(
      offset: 1, epoch: "e", time: Timestamp(unixMilliseconds: 0), type: "chat.message.created",
      id: "evt_1", data: Array(#"{"text":"hi"}"#.utf8), channel: "chat:a:b")
    #expect(
      text(Push.publication(foreign, in: "chat:a:b"))
        == #"{"push":{"channel":"chat:a:b","pub":{"data":{"type":"chat.message.created","id":"evt_1","#
        + #""time":"1970-01-01T00:00:00.000Z","channel":"chat:a:b","data":{"text":"hi"}},"offset":1}}}"#
    )
  }

  @Test func `without having asked`() {
    let info = ClientInfo(user: "u", client: "c", connection: Array("1".utf8), channel: nil).json
    #expect(
      text(Push.join(info, in: "a"))
        == #"{"push":{"channel":"a","join":{"info":{"user":"u","client":"c","conn_info":1}}}}"#)
    #expect(text(Push.leave(info, in: "a")).contains(#""leave":{"info":{"user":"u""#))
    #expect(
      text(Push.unsubscribe(.insufficientState, from: "a"))
        == #"{"push":{"channel":"a","unsubscribe":{"code":2500,"reason":"insufficient state"}}}"#)
    #expect(
      text(Push.disconnect(.forced))
        == #"{"push":{"disconnect":{"code":3503,"reason":"force disconnect"}}}"#)
  }

  @Test func `escapes what stands in names`() {
    #expect(
      text(Push.leave(Array("{}".utf8), in: "a\"\\\u{1}\n\t\rä"))
        == #"{"push":{"channel":"a\"\\\u0001\n\t\rä","leave":{"info":{}}}}"#)
  }
}

@Suite struct `An envelope` {
  @Test(arguments: [
    Envelope(data: Array("{}".utf8)), Envelope(data: Array(#"{"data":1}"#.utf8)),
    Envelope(data: Array("1".utf8), info: Array(#"{"user":"u"}"#.utf8)),
    Envelope(data: Array("[ 1,\n2 ]".utf8), tags: Array(#"{"data":"x"}"#.utf8)),
  ])
  func `gives back what went in, byte for byte`(_ envelope: Envelope) {
    #expect(Envelope(envelope.json) == envelope)
  }

  @Test func `is not made of something else`() {
    #expect(Envelope(Array("1".utf8)) == nil)
    #expect(Envelope(Array(#"{"info":{}}"#.utf8)) == nil)
  }
}
