internal import PluginKit

/// What a client of `/ws` says: a JSON object with a `type`, an `id` that comes back with the answer, and what the type
/// has beside them.
struct PlainFrame: Equatable {
  /// Why a message is none, for the client.
  struct Fault: Error, Equatable {
    /// nil where the message's own is not known.
    var id: RawJSON?
    let problem: Problem
  }

  /// A JSON string or number of at most ``idBytes``; nil where there is none.
  let id: RawJSON?
  let request: Command.Request

  /// The most bytes of JSON that an `id` has.
  static let idBytes = 255
  /// How many events a page of the history has where the client does not say.
  static let page = 25

  /// - Throws: `Fault`.
  init(_ message: [UInt8]) throws(Fault) {
    let members: Members
    do {
      members = try JSON.decode(from: message)
    } catch {
      let error = error as? JSONError ?? JSONError(pointer: "", message: "\(error)")
      throw Fault(
        problem: .invalid(
          "A message is a JSON object.",
          errors: [.init(pointer: error.pointer, message: error.message)]))
    }
    let id = members["id"].flatMap { $0 == "null" ? nil : $0 }
    guard id.map(Self.isID) ?? true else {
      throw Fault(
        problem: .invalid(
          pointer: "/id", "An id is a string or a number, in at most \(Self.idBytes) bytes."))
    }
    self.id = id
    do {
      request = try members.request()
    } catch let problem as Problem {
      throw Fault(id: id, problem: problem)
    } catch {
      throw Fault(id: id, problem: .invalid("\(error)"))
    }
  }

  private static func isID(_ json: RawJSON) -> Bool {
    guard json.bytes.count <= idBytes, let first = json.bytes.first else { return false }
    return first == UInt8(ascii: "\"") || first == UInt8(ascii: "-")
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
  }
}

/// The members of a message, in their order.
private struct Members: Decodable {
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private let list: [(name: String, value: RawJSON)]

  init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: Name.self)
    list = try object.allKeys.map { ($0.stringValue, try object.decode(RawJSON.self, forKey: $0)) }
  }

  subscript(name: String) -> RawJSON? { list.first { $0.name == name }?.value }

  /// What is asked.
  ///
  /// - Throws: `Problem`.
  func request() throws -> Command.Request {
    let type: String = try required("type")
    switch type {
    case "subscribe":
      try allow("channel", "offset", "epoch", "token")
      var request = SubscribeRequest(channel: try channel())
      request.offset = try optional("offset")
      request.epoch = try optional("epoch")
      request.token = try optional("token")
      request.recover = request.offset != nil
      request.positioned = true
      return .subscribe(request)
    case "unsubscribe":
      try allow("channel")
      return .unsubscribe(channel: try channel())
    case "publish":
      try allow("channel", "data")
      return .publish(channel: try channel(), data: try required("data"))
    case "presence":
      try allow("channel")
      return .presence(channel: try channel())
    case "presence_stats":
      try allow("channel")
      return .presenceStats(channel: try channel())
    case "history":
      try allow("channel", "since", "epoch", "limit", "reverse")
      let limit: Int = try optional("limit") ?? PlainFrame.page
      guard limit >= 0 else {
        throw Problem.invalid(pointer: "/limit", "limit is a number from 0.")
      }
      return .history(
        HistoryRequest(
          channel: try channel(), limit: limit,
          since: .init(offset: try optional("since"), epoch: try optional("epoch")),
          reverse: try optional("reverse")))
    case "auth":
      try allow("token")
      return .refresh(token: try required("token"))
    case "ping":
      try allow()
      return .ping
    case "pong":
      try allow()
      return .pong
    default: return .rpc(method: type, data: data)
    }
  }

  /// What a message of a plugin's carries: its `data`, or where it has other members too, all of them.
  private var data: RawJSON {
    let rest = list.filter { $0.name != "type" && $0.name != "id" }
    if rest.count == 1, rest[0].name == "data" { return rest[0].value }
    var line = JSONLine(keepsLines: true)
    line.object { line in for (name, value) in rest { line.member(named: name, json: value.bytes) }
    }
    return RawJSON(unchecked: line.bytes)
  }

  private func channel() throws -> String {
    let name: String = try required("channel")
    do {
      return try ChannelName(name).text
    } catch {
      throw Problem.invalid(pointer: "/channel", error.message)
    }
  }

  private func required<Value: Decodable>(_ name: String) throws -> Value {
    guard let value: Value = try optional(name) else {
      throw Problem.invalid(pointer: "/\(name)", "\"\(name)\" is needed here.")
    }
    return value
  }

  private func optional<Value: Decodable>(_ name: String) throws -> Value? {
    guard let json = self[name] else { return nil }
    if let json = json as? Value { return json }
    guard json != "null" else { return nil }
    do {
      return try json.decode(Value.self)
    } catch let error as JSONError {
      throw Problem.invalid(pointer: "/\(name)\(error.pointer)", error.message)
    }
  }

  /// Refuses members that the type does not have.
  private func allow(_ names: String...) throws {
    for (name, _) in list where name != "type" && name != "id" && !names.contains(name) {
      throw Problem.invalid(
        pointer: "/\(name)",
        names.isEmpty
          ? "There is nothing beside \"type\" and \"id\" here."
          : "There is no \"\(name)\" here, but \(names.map { "\"\($0)\"" }.joined(separator: ", "))."
      )
    }
  }
}
