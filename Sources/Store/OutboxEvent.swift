/// An event to commit with a batch.
public struct OutboxEvent: Sendable, Equatable {
  /// What happened, for example `notes.item.created`.
  public var type: String
  /// Where it is published; `nil` for an event that only listeners hear.
  public var channel: String?
  /// JSON, kept byte for byte.
  public var data: [UInt8]
  /// The same wherever the event appears; chosen by the caller.
  public var id: String
  /// How many events of the channel its history holds, this one included. 0: the event gets no
  /// offset and is in no history. The channel takes over the last value given.
  public var historySize: Int
  /// How long the event stays in the history, in seconds. 0: until the size drops it.
  public var historyTTLSeconds: Int
  /// What the member `id` is in the data of those events of the channel's history whose place it takes: they get its
  /// type and its data, and keep the rest. `nil`: it takes nobody's.
  public var replaced: String?

  /// - Parameters:
  ///   - channel: nil for listeners alone, without offset and history.
  ///   - data: JSON, which the caller has checked.
  ///   - id: unique; the same wherever the event appears.
  ///   - replaced: the `id` in the data of those whose place it takes; there has to be a channel then.
  public init(
    type: String, channel: String?, data: [UInt8], id: String, historySize: Int = 0,
    historyTTLSeconds: Int = 0, replaced: String? = nil
  ) {
    self.type = type
    self.channel = channel
    self.data = data
    self.id = id
    self.historySize = historySize
    self.historyTTLSeconds = historyTTLSeconds
    self.replaced = replaced
  }
}

/// Where a committed event stands.
public struct EventPosition: Sendable, Equatable {
  /// Its position among all events of the tenant: from 1, always rising, not without gaps.
  public var sequence: Int64
  /// Its position in its channel, from 1 and without gaps; `nil` when it has no history.
  public var offset: Int64?
}

/// An event that is on disk.
public struct CommittedEvent: Sendable, Equatable {
  /// Position among all durable events of the tenant, from 1.
  public var sequence: Int64
  /// nil for an event that is for listeners alone.
  public var channel: String?
  /// Position in the channel, from 1 and without gaps; nil without a channel.
  public var offset: Int64?
  /// As the batch gave it.
  public var type: String
  /// As the batch gave it.
  public var id: String
  /// When it was committed, Unix milliseconds by the store's clock.
  public var timeMilliseconds: Int64
  /// JSON, byte for byte as the batch gave it.
  public var data: [UInt8]
}

/// The events of one COMMIT, in the order of their sequences.
public struct CommittedEvents: Sendable, Equatable {
  /// Whose events they are.
  public var tenant: String
  /// Of the tenant's file. It changes when the file is restored or recreated, and offsets of another are
  /// void.
  public var epoch: String
  /// Never empty.
  public var events: [CommittedEvent]
}
