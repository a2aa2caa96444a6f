/// Part of a channel's history, with the position needed to go on from it.
public struct HistoryPage: Sendable, Equatable {
  /// In rising order of their offsets, or falling when asked for in reverse.
  public var publications: [CommittedEvent]
  /// The last offset given out in the channel; 0 when it never had an event with history.
  public var topOffset: Int64
  /// Of the tenant's file. Offsets of different epochs do not compare.
  public var epoch: String
  /// Whether the page ended before the history did: at its limit, or at the bound on result bytes.
  public var isTruncated: Bool

  /// Whether a client that has seen everything up to `offset` misses nothing but `publications`,
  /// and what a truncated page leaves for the next one.
  public func continues(from offset: Int64) -> Bool {
    var expected = offset + 1
    for publication in publications {
      guard publication.offset == expected else { return false }
      expected += 1
    }
    return isTruncated ? !publications.isEmpty : expected == topOffset + 1
  }

  /// The page as a row block of two statements: the publications with the columns `sequence`,
  /// `offset`, `time_ms`, `type`, `id`, `data`, then one row of `top_offset` and `epoch`.
  public func rowBlock() -> RowBlock {
    let writer = RowBlockWriter()
    writer.begin()
    writer.beginStatement(columns: ["sequence", "offset", "time_ms", "type", "id", "data"])
    for publication in publications {
      writer.beginRow()
      writer.append(.integer(publication.sequence))
      writer.append(publication.offset.map(SQLValue.integer) ?? .null)
      writer.append(.integer(publication.timeMilliseconds))
      writer.append(.text(publication.type))
      writer.append(.text(publication.id))
      publication.data.withUnsafeBytes { writer.append(text: $0) }
    }
    writer.endStatement(rowsChanged: 0)
    writer.beginStatement(columns: ["top_offset", "epoch"])
    writer.beginRow()
    writer.append(.integer(topOffset))
    writer.append(.text(epoch))
    writer.endStatement(rowsChanged: 0)
    return writer.finish()
  }
}
