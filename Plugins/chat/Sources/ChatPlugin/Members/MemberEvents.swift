internal import PluginKit

extension ChatShard {
  /// Tells a user something that concerns his own list of channels; kept nowhere but in the tables.
  func tell(_ type: String, _ data: some Encodable, to user: String) {
    guard let data = try? RawJSON(encoding: data) else { return }
    tell(type, data, to: user)
  }

  /// Has a user's subscriptions to a channel end, or everybody's, where they might go on although he may not read it any more
  /// (`sluice/services/channel-authority.h`).
  ///
  /// - Parameter user: nil is everybody.
  func endSubscriptions(to address: ChannelAddress, of user: String?) {
    struct Ending: Encodable {
      let channel: String
      let user: String?
    }
    do {
      try context.bus.publish(
        "@subscriptions",
        data: RawJSON(encoding: Ending(channel: address.realTimeName, user: user)))
    } catch {
      context.log.error(
        "subscriptions cannot be ended", ["channel": "\(address)", "error": "\(error)"])
    }
  }
}
