internal import CSluice

/// `sluice.bus/1`: channels. Loop thread only.
public struct Bus {
  unowned(unsafe) let context: ShardContext

  /// From now on what is published in `channel` comes to the shard's `on.publication` with `context`.
  ///
  /// - Throws: `HostError` `.invalid` when it is no channel name, `.tooLarge` when the shard has a
  ///   million subscriptions; `ExtensionUnavailable`.
  public func subscribe(_ channel: String, context number: UInt64 = 0) throws -> Subscription {
    let (bus, host) = try context.busTable()
    var token: UInt64 = 0
    try context.check(
      channel.withSlice { bus.pointee.subscribe(host, $0, number, &token) }, "subscribe")
    return Subscription(token: token)
  }

  /// Ends a subscription; nothing more comes for it. One that has ended already is ignored.
  public func unsubscribe(_ subscription: Subscription) {
    guard let (bus, host) = try? context.busTable() else { return }
    _ = bus.pointee.unsubscribe(host, subscription.token)
  }

  /// Publishes an ephemeral event: no offset, kept nowhere. It reaches the shard's own subscriptions
  /// too, after the handler has returned.
  public func publish(_ channel: String, type: String? = nil, data: RawJSON) throws {
    try data.bytes.withSlice { try publish(channel, type, $0) }
  }

  /// Publishes borrowed bytes as they are: JSON wherever another plugin or a client is to read them.
  public func publish(_ channel: String, type: String? = nil, bytes: Bytes) throws {
    try publish(channel, type, bytes.slice)
  }

  private func publish(_ channel: String, _ type: String?, _ data: sluice_slice_t) throws {
    let (bus, host) = try context.busTable()
    try context.check(
      channel.withSlice { channel in
        type.withSlice { bus.pointee.publish(host, channel, $0, data) }
      }, "publish")
  }

  /// Reads a durable channel: events above `offset`, oldest first.
  ///
  /// - Parameter limit: 1 to 1,000.
  public func history(_ channel: String, since offset: UInt64, limit: Int) async throws -> History {
    let (bus, host) = try context.busTable()
    let block: [UInt8] = try await context.call { completion, call in
      channel.withSlice {
        bus.pointee.history(host, $0, offset, UInt32(clamping: limit), completion, call)
      }
    }
    return try History(channel: channel, try RowBlock(block).statements)
  }
}

/// A subscription of this shard; a value.
public struct Subscription: Hashable, Sendable {
  /// The number by which the host knows the subscription.
  public let token: UInt64
}

/// A page of a channel's history.
public struct History: Sendable {
  /// One durable event, as it stands in the history.
  public struct Entry: Sendable {
    /// Position among all durable events of the tenant, from 1.
    public let sequence: UInt64
    /// Position in the channel, from 1 and without gaps.
    public let offset: UInt64
    /// When it was committed, by the host's clock.
    public let time: Timestamp
    /// The event's type, such as "notes.item.created".
    public let type: String
    /// "evt_…", the same wherever the event appears.
    public let id: String
    /// JSON, byte for byte as it was emitted.
    public let data: RawJSON
  }

  /// The channel that was asked for.
  public let channel: String
  /// Oldest first, at most as many as were asked for; empty when there is nothing above the offset.
  public let entries: [Entry]
  /// The offset of the channel's newest event; 0 when there has been none.
  public let topOffset: UInt64
  /// Of the tenant's history. Offsets of another epoch are void: it changes when the file is restored or
  /// recreated.
  public let epoch: String

  init(channel: String, _ statements: [Rows]) throws {
    guard statements.count == 2, let top = statements[1].first else {
      throw HostError(.internal, "The history is not two statements.")
    }
    self.channel = channel
    entries = try statements[0].map { row in
      Entry(
        sequence: try row["sequence", UInt64.self], offset: try row["offset", UInt64.self],
        time: Timestamp(unixMilliseconds: try row["time_ms", Int64.self]),
        type: try row["type", String.self], id: try row["id", String.self],
        data: try row["data", RawJSON.self])
    }
    topOffset = try top["top_offset", UInt64.self]
    epoch = try top["epoch", String.self]
  }
}
