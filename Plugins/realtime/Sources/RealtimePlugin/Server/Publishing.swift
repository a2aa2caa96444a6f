internal import PluginKit

/// Where a publication stands in its channel; zeros in a channel that keeps nothing.
struct Position: Codable, Equatable {
  let offset: UInt64
  let epoch: String

  static let none = Position(offset: 0, epoch: "")
}

extension RealtimeShard {
  /// Publishes in a channel: durably where the plugin's own settings keep publications, else to whoever listens now.
  func publish(
    _ envelope: Envelope, in name: ChannelName, _ options: NamespaceOptions
  ) async throws -> Position {
    let data = RawJSON(unchecked: envelope.json)
    guard !options.isForeign, options.historySize > 0 else {
      try context.bus.publish(name.text, type: ChannelEvent.published, data: data)
      return .none
    }
    let commit = try await context.store.commit {
      try Emit(ChannelEvent.published, channel: name.text, data: data)
    }
    return Position(offset: commit.events.first?.offset ?? 0, epoch: commit.epoch)
  }
}
