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

  init(_ event: ChannelEvent, app: String, channel: String) {
    type = event.type
    id = event.id
    time = event.time
    self.app = app
    self.channel = channel
    data = RawJSON(unchecked: event.data)
    offset = event.offset > 0 ? event.offset : nil
    epoch = event.offset > 0 ? event.epoch : nil
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
}
