internal import PluginKit

/// Whether a client without an SDK comes back, and to where it was in its channels: the field `Last-Event-ID`, as
/// EventSource sends it by itself, or `?last_event_id=`.
struct Resumption {
  /// Whether the client has said that it comes back, be it in words that are understood or not.
  let isAsked: Bool
  private let position: StreamPosition?

  init(_ request: Request) {
    let given = [request.header("last-event-id"), request.query("last_event_id")]
    let text = given.lazy.compactMap { $0 }.first { !$0.isEmpty }
    isAsked = text != nil
    position = text.flatMap { StreamPosition($0) }
  }

  /// How the client asks for what it missed in the channel at `index` of `count`.
  func request(at index: Int, of count: Int) -> SubscribeRequest {
    var request = SubscribeRequest()
    guard let position, position.places.count == count, !position.places[index].epoch.isEmpty else {
      return request
    }
    request.recover = true
    request.offset = position.places[index].offset
    request.epoch = position.places[index].epoch
    return request
  }

  /// The channels that cannot be resumed from where the client was.
  func lost(_ admissions: [Admission]) -> [String] {
    guard isAsked else { return [] }
    return admissions.filter { !$0.channel.isEphemeral && !$0.isRecovered }.map(\.name.text)
  }
}

extension Admission {
  /// Where the client stands before the first thing that it is told: where it was if it gets what it missed, else where
  /// the channel stands now.
  var start: StreamPosition.Place {
    guard !channel.isEphemeral else { return StreamPosition.Place(offset: 0, epoch: "") }
    let offset = isRecovered ? request.offset : nil
    return StreamPosition.Place(offset: offset ?? channel.feed.offset, epoch: channel.feed.epoch)
  }
}

extension ConnectedMessage {
  /// - Parameter places: where the client stands in each of its channels, in their order.
  init(
    _ subscriber: Subscriber, of app: String, at now: Timestamp, _ places: [StreamPosition.Place]
  ) {
    self.init(
      connectionID: subscriber.name, userID: subscriber.principal.id, app: app, time: now,
      channels: zip(subscriber.channels, places).map {
        Channel(channel: $0.name, offset: $1.offset, epoch: $1.epoch)
      })
  }
}

/// Tells a client which of its channels it cannot resume.
struct LostMessage: Encodable {
  let type = "insufficient_state"
  /// Read their state anew: what was missed in them is not known any more.
  let channels: [String]
}
