/// What readers are asked besides owners' SQL.
extension SQLiteConnection {
  /// Runs the statements in one snapshot.
  func read(owner: String, statements: [Statement]) throws(StoreError) -> RowBlock {
    try snapshot(of: statements.count) { () throws(StoreError) in
      try acting(as: owner, .data) { () throws(StoreError) in
        var run = SQLiteRun(connection: self, isRead: true)
        try run.run(statements)
      }
      return rows.finish()
    }
  }

  func history(
    channel: String, since: Int64?, limit: Int, reverse: Bool
  ) throws(StoreError) -> HistoryPage {
    try snapshot(of: 2) { () throws(StoreError) in
      var page = HistoryPage(
        publications: [], topOffset: 0, epoch: authorizer.schema.epoch, isTruncated: false)
      var size: Int64 = 0
      try query(.channel, .text(channel)) {
        page.topOffset = $0.integer(at: 0)
        size = $0.integer(at: 1)
      }
      let lowest = max(0, page.topOffset - size)
      var collector = EventCollector(limit: limit, maximumBytes: options.maximumResultBytes)
      // One more than asked for shows whether there is more.
      let rowLimit = Int64(limit) + 1
      let now = options.now()
      if reverse {
        try query(
          .historyReverse, .text(channel), .integer(lowest), .integer(now), .integer(rowLimit),
          .integer(since ?? .max)
        ) { collector.add($0) }
      } else {
        try query(
          .historyForward, .text(channel), .integer(max(lowest, since ?? 0)), .integer(now),
          .integer(rowLimit)
        ) { collector.add($0) }
      }
      page.publications = collector.events
      page.isTruncated = collector.isTruncated
      return page
    }
  }

  func events(after sequence: Int64, limit: Int) throws(StoreError) -> [CommittedEvent] {
    var collector = EventCollector(limit: limit, maximumBytes: options.maximumResultBytes)
    try query(.eventsAfter, .integer(sequence), .integer(Int64(limit))) { collector.add($0) }
    return collector.events
  }

  func cursor(of listener: String) throws(StoreError) -> Int64? {
    var position: Int64?
    try query(.cursor, .text(listener)) { position = $0.integer(at: 0) }
    return position
  }

  /// A single statement is its own snapshot; more of them need a transaction.
  private func snapshot<Result>(
    of statements: Int, _ body: () throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    guard statements > 1 else { return try body() }
    try query(.begin)
    do throws(StoreError) {
      let result = try body()
      try query(.commit)
      return result
    } catch {
      if !isAutocommit { try? query(.rollback) }
      throw error
    }
  }
}

/// Takes events from rows until a bound is reached; always at least one.
private struct EventCollector {
  let limit: Int
  let maximumBytes: Int
  private(set) var events: [CommittedEvent] = []
  private(set) var isTruncated = false
  private var bytes = 0

  init(limit: Int, maximumBytes: Int) {
    self.limit = limit
    self.maximumBytes = maximumBytes
  }

  mutating func add(_ row: SQLiteStatement) {
    guard !isTruncated, events.count < limit, events.isEmpty || bytes < maximumBytes else {
      isTruncated = true
      return
    }
    let event = CommittedEvent(
      sequence: row.integer(at: 0), channel: row.isNull(at: 1) ? nil : row.text(at: 1),
      offset: row.isNull(at: 2) ? nil : row.integer(at: 2), type: row.text(at: 4),
      id: row.text(at: 5), timeMilliseconds: row.integer(at: 3), data: row.blob(at: 6))
    bytes += event.data.count + 128
    events.append(event)
  }
}
