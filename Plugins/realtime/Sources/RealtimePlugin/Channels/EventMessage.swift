internal import PluginKit

/// An event as clients see it, over sockets and in the history.
struct EventMessage: Encodable {
  /// nil when the publisher of an ephemeral event gave none.
  let type: String?
  let id: String?
  let time: Timestamp
  let app: String
  let channel: String
  let data: RawJSON
  /// nil when the event is ephemeral, as is `epoch`.
  let offset: UInt64?
  let epoch: String?

  /// - Parameter name: what the event is called here; nil is its type.
  init(_ event: ChannelEvent, app: String, channel: String, name: String? = nil) {
    type = name ?? event.type
    id = event.id
    time = event.time
    self.app = app
    self.channel = channel
    data = RawJSON(unchecked: event.data)
    offset = event.offset > 0 ? event.offset : nil
    epoch = event.offset > 0 ? event.epoch : nil
  }
}

/// Writes events as clients without an SDK see them.
final class EventWriter {
  let app: String
  private unowned(unsafe) let context: ShardContext

  init(_ context: ShardContext) {
    self.context = context
    app = context.tenant
  }

  /// An event under its type.
  func plain(_ event: ChannelEvent, in channel: String) -> [UInt8] {
    write(EventMessage(event, app: app, channel: channel))
  }

  /// An event under the name that its owner gives it on sockets; under its type where there is none.
  func named(_ event: ChannelEvent, in channel: String) -> [UInt8] {
    write(EventMessage(event, app: app, channel: channel, name: name(of: event)))
  }

  /// What its owner calls an event on sockets; nil where it has no name but its type.
  func name(of event: ChannelEvent) -> String? {
    event.type.flatMap { context.socketName(ofEvent: $0) }
  }

  private func write(_ message: EventMessage) -> [UInt8] {
    do {
      return try JSON.encode(message)
    } catch {
      // Texts, numbers and JSON that is JSON: there is nothing in it that cannot be written.
      context.log.error("an event cannot be written", ["error": "\(error)"])
      return Array("{}".utf8)
    }
  }
}

/// The first message on a socket: from here on its channels are live.
struct ConnectedMessage: Encodable {
  /// Where a channel stood: events above `offset` follow, each once.
  struct Channel: Encodable {
    let channel: String
    let offset: UInt64
    let epoch: String
  }

  let type = "connected"
  let connectionID: String
  let userID: String
  let app: String
  let time: Timestamp
  let channels: [Channel]

  private enum CodingKeys: String, CodingKey {
    case type
    case connectionID = "connection_id"
    case userID = "user_id"
    case app, time, channels
  }
}

/// A page of a channel's history.
struct HistoryPage: Encodable {
  let data: [EventMessage]
  /// Of the newest event in the channel; 0 when there has been none.
  let offset: UInt64
  let epoch: String
  /// What to pass as `after` for the events that follow; null at the end.
  let next: String?

  private enum CodingKeys: CodingKey { case data, next, offset, epoch }

  func encode(to encoder: any Encoder) throws {
    var page = encoder.container(keyedBy: CodingKeys.self)
    try page.encode(data, forKey: .data)
    try page.encode(next, forKey: .next)
    try page.encode(offset, forKey: .offset)
    try page.encode(epoch, forKey: .epoch)
  }
}
