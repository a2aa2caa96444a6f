internal import CSluice

/// Something published in a channel, borrowed until the handler returns.
public struct Publication: ~Copyable {
  /// Position among all durable events of the tenant, from 1; 0 when ephemeral.
  public let sequence: UInt64
  /// Position in its channel, from 1 and without gaps; 0 when ephemeral.
  public let offset: UInt64
  /// When it was committed, or published when ephemeral, by the host's clock.
  public let time: Timestamp
  /// Absent when the publisher gave none.
  public let type: Bytes
  /// The event's id in UTF-8, "evt_…". Borrowed, as all bytes here.
  public let id: Bytes
  /// The channel's name in UTF-8, as it was subscribed to.
  public let channel: Bytes
  /// Absent when ephemeral.
  public let epoch: Bytes
  /// JSON, byte for byte as it was emitted.
  public let data: Bytes

  init(_ event: sluice_event_v1_t) {
    sequence = event.sequence
    offset = event.offset
    time = Timestamp(unixMilliseconds: event.time_ms)
    type = Bytes(event.type)
    id = Bytes(event.id)
    channel = Bytes(event.channel)
    epoch = Bytes(event.epoch)
    data = Bytes(event.data)
  }

  /// Whether it has an offset and stands in the history.
  public var isDurable: Bool { offset != 0 }
}

/// An event that a listener hears of. A copy, good for ever.
public struct Event: Sendable {
  /// Position among all durable events of the tenant, from 1.
  public let sequence: UInt64
  /// Position in its channel, from 1; 0 without a channel.
  public let offset: UInt64
  /// When it was committed, by the host's clock.
  public let time: Timestamp
  /// "notes.item.created"
  public let type: String
  /// "evt_…", the same wherever the event appears.
  public let id: String
  /// nil when it was emitted without a channel, for listeners alone.
  public let channel: String?
  /// Of the tenant's history; nil without a channel.
  public let epoch: String?
  /// JSON, byte for byte as it was emitted.
  public let data: RawJSON
  let delivery: UInt64

  init(_ event: sluice_event_v1_t, delivery: UInt64) {
    sequence = event.sequence
    offset = event.offset
    time = Timestamp(unixMilliseconds: event.time_ms)
    type = event.type.text
    id = event.id.text
    channel = event.channel.bytes == nil ? nil : event.channel.text
    epoch = event.epoch.bytes == nil ? nil : event.epoch.text
    data = RawJSON(unchecked: Array(Bytes(event.data)))
    self.delivery = delivery
  }

  /// The data as a value.
  ///
  /// - Throws: `JSONError` with the JSON pointer of what is wrong.
  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    try data.decode(type)
  }
}
