internal import PluginKit

/// Where a publication stands in its channel; zeros in a channel that keeps nothing.
struct Position: Codable, Equatable {
  let offset: UInt64
  let epoch: String

  static let none = Position(offset: 0, epoch: "")
}

extension RealtimeShard {
  /// How long a publisher's key is remembered, in milliseconds.
  static let keyLifetime: Int64 = 86_400_000
  /// How many keys that are too old go with each that comes.
  private static let sweep = 32
  /// How many events of a history are looked at at once.
  private static let page = 100

  /// Publishes in a channel: durably where the plugin's own settings keep publications, else to whoever listens now.
  ///
  /// - Parameters:
  ///   - key: what names this publication; the same again publishes nothing and has the same answer.
  ///   - isPart: whether the request that asks for it asks for others too, so that it is not carried out with this one.
  func publish(
    _ envelope: Envelope, in name: ChannelName, _ options: NamespaceOptions,
    key: PublicationKey? = nil, isPart: Bool = false
  ) async throws -> Position {
    let isDurable = options.keepsHistory
    var (envelope, batch) = (envelope, Batch())
    batch.isApartFromRequest = isPart
    if let key {
      if isDurable { envelope.mark = try context.id.make("pub") }
      try remember(key, name, envelope.mark, &batch)
    }
    let data = RawJSON(unchecked: envelope.json)
    if isDurable {
      batch.emit(try Emit(ChannelEvent.published, channel: name.text, data: data))
    }
    var position = Position.none
    if !batch.statements.isEmpty || isDurable {
      do {
        let commit = try await context.store.commit(batch)
        if isDurable {
          position = Position(offset: commit.events.first?.offset ?? 0, epoch: commit.epoch)
        }
      } catch let error as StoreError {
        guard case .conflict = error, let key else { throw error }
        return try await earlier(key, name)
      }
    }
    if !isDurable { try context.bus.publish(name.text, type: ChannelEvent.published, data: data) }
    if let key, isDurable { try await note(position, key, name) }
    return position
  }

  /// Has the batch fail if the key is known, and forgets some that are too old.
  private func remember(
    _ key: PublicationKey, _ name: ChannelName, _ mark: String?, _ batch: inout Batch
  ) throws {
    let now = try context.clock.now()
    let oldest = now.adding(milliseconds: -Self.keyLifetime)
    batch.add(
      """
      DELETE FROM realtime_publications WHERE made_at < \(oldest) AND (
        (key = \(key.text) AND channel = \(name.text)) OR (key, channel) IN (
          SELECT key, channel FROM realtime_publications WHERE made_at < \(oldest)
          LIMIT \(Self.sweep)))
      """)
    batch.add(
      SQL(
        """
        INSERT INTO realtime_publications (key, channel, made_at, mark, fingerprint)
        VALUES (\(key.text), \(name.text), \(now), \(mark), \(key.fingerprint))
        ON CONFLICT (key, channel) DO NOTHING
        """
      ).expect(exactly: 1))
  }

  /// Writes down where a publication went: a position is known only when it has one.
  private func note(_ position: Position, _ key: PublicationKey, _ name: ChannelName) async throws {
    try await context.store.commit(isApartFromRequest: true) {
      SQL(
        """
        UPDATE realtime_publications SET position = \(position.offset), epoch = \(position.epoch)
        WHERE key = \(key.text) AND channel = \(name.text)
        """)
    }
  }

  /// Where the publication went that had this key first. A gateway that ended between publishing and writing that
  /// down finds it in the history by its mark; one that the history has dropped is at the channel's newest position or below, and
  /// that is what is said.
  private func earlier(_ key: PublicationKey, _ name: ChannelName) async throws -> Position {
    let rows = try await context.store.read(
      """
      SELECT position, epoch, mark, fingerprint FROM realtime_publications
      WHERE key = \(key.text) AND channel = \(name.text)
      """)
    if let made = try rows.first?["fingerprint", [UInt8]?.self], made != key.fingerprint {
      throw PublicationKey.mismatch
    }
    if let row = rows.first, let offset = try row["position", UInt64?.self],
      let epoch = try row["epoch", String?.self]
    {
      return Position(offset: offset, epoch: epoch)
    }
    guard let options = rules.namespaces[name.namespace], options.historySize > 0 else {
      return .none
    }
    if let mark = try rows.first?["mark", String?.self],
      let found = try await position(of: mark, in: name)
    {
      try await note(found, key, name)
      return found
    }
    let page = try await histories.read(name.text, limit: 0)
    return Position(offset: page.topOffset, epoch: page.epoch)
  }

  /// Where a publication stands in its channel's history; nil when it does no longer.
  private func position(of mark: String, in name: ChannelName) async throws -> Position? {
    var below: UInt64?
    while true {
      let page = try await histories.read(
        name.text, since: below, limit: Self.page, isReversed: true)
      for entry in page.entries
      where entry.type == ChannelEvent.published && Envelope(entry.data.bytes)?.mark == mark {
        return Position(offset: entry.offset, epoch: page.epoch)
      }
      guard page.entries.count == Self.page, let last = page.entries.last else { return nil }
      below = last.offset
    }
  }
}
