internal import PluginKit

/// The body of a delivery: `{"type","timestamp","data"}`.
enum Payload {
  /// - Parameter data: what goes out of it.
  static func body(of message: Message, _ data: RawJSON) throws -> [UInt8] {
    try JSON.encode(Whole(type: message.type, timestamp: message.at, data: data))
  }

  /// - Parameter isThin: whether it says only which event it is, for receivers that ask for the rest.
  static func data(of message: Message, isThin: Bool) throws -> RawJSON {
    isThin ? try RawJSON(encoding: Reference(message)) : message.data
  }

  private struct Whole: Encodable {
    let type: String
    let timestamp: Timestamp
    let data: RawJSON
  }

  private struct Reference: Encodable {
    let id: String
    let channel: String?

    init(_ message: Message) {
      id = message.id
      channel = message.channel
    }
  }
}

/// An event as it is kept for those who want it.
struct Message: Decodable, Sendable {
  /// The `webhook-id` of all its deliveries: the event's id.
  let id: String
  let type: String
  let channel: String?
  let at: Timestamp
  let data: RawJSON
}
