internal import PluginKit

/// What a channel's owner says who takes back that somebody may listen (`sluice/services/channel-authority.h`).
struct Ending: Decodable {
  let channel: String
  /// nil is everybody.
  let user: String?

  func isOf(_ user: String) -> Bool { self.user?.isExactly(user) ?? true }
}

/// A stream on its way to its channels, which it does not hold yet.
final class Opening {
  let user: String
  let channels: [ChannelName]
  /// Whether it may not listen to one of them any more.
  var isOver = false

  init(_ user: String, _ channels: [ChannelName]) {
    self.user = user
    self.channels = channels
  }
}

extension RealtimeShard {
  /// Ends this loop's subscriptions to a channel that their users may not listen to any more, also those that are being made: whether they
  /// may was perhaps answered before. Who asks from now on is answered anew.
  func endSubscriptions(_ data: [UInt8]) {
    guard let ending = try? JSON.decode(Ending.self, from: data) else { return }
    wheel.each { client in
      guard client.isOpen, ending.isOf(client.user),
        let seat = client.conversation.seat(ending.channel)
      else { return }
      guard seat.place != nil else {
        // The client is answered that it cannot have it.
        _ = client.conversation.leave(seat.serial)
        return
      }
      take(seat, from: client, .server)
    }
    for subscriber in subscribers.values where ending.isOf(subscriber.principal.id) {
      if let name = subscriber.wanted.first(where: { $0.text.isExactly(ending.channel) }) {
        subscriber.end(.permissionDenied.about(name))
      }
    }
    for opening in openings.values where ending.isOf(opening.user) {
      if opening.channels.contains(where: { $0.text.isExactly(ending.channel) }) {
        opening.isOver = true
      }
    }
  }
}
