/// The events of a tenant: one row each, which is both what listeners are told and the history of
/// the channel.
extension SQLiteTenantFile {
  /// How many rows one step of the sweep looks at, and how many events come between steps. It looks
  /// at twice as many as come, so the dead rows stay in proportion to those alive.
  static let sweepRows: Int64 = 64
  static let eventsBetweenSweeps = 32

  /// Writes an event in the open transaction and gives it its sequence and offset.
  func insert(_ event: OutboxEvent) throws(StoreError) -> CommittedEvent {
    let now = options.now()
    if let replaced = event.replaced, let channel = event.channel {
      try connection.query(
        .replaceEvents, .text(channel), .text(replaced), .text(event.type), .blob(event.data))
    }
    var offset: Int64?
    if let channel = event.channel, event.historySize > 0 {
      try connection.query(.nextOffset, .text(channel), .integer(Int64(event.historySize))) {
        offset = $0.integer(at: 0)
      }
    }
    let expiry: SQLValue =
      offset != nil && event.historyTTLSeconds > 0
      ? .integer(now.addingClamped(Int64(event.historyTTLSeconds).multipliedClamped(by: 1000)))
      : .null
    var sequence: Int64 = 0
    try connection.query(
      .insertEvent, event.channel.map(SQLValue.text) ?? .null,
      offset.map(SQLValue.integer) ?? .null, expiry, .integer(now), .text(event.type),
      .text(event.id), .blob(event.data)
    ) { sequence = $0.integer(at: 0) }
    return CommittedEvent(
      sequence: sequence, channel: event.channel, offset: offset, type: event.type, id: event.id,
      timeMilliseconds: now, data: event.data)
  }

  /// Every so many events, drops rows that no history and no listener needs any more: a bounded
  /// number, going round the outbox step by step.
  func sweep(after count: Int) throws(StoreError) {
    eventsSinceSweep += count
    guard eventsSinceSweep >= Self.eventsBetweenSweeps else { return }
    let rows = Int64(eventsSinceSweep / Self.eventsBetweenSweeps) * Self.sweepRows
    var end: Int64 = 0
    var found: Int64 = 0
    try connection.query(.sweepEnd, .integer(sweepPosition), .integer(rows)) {
      end = $0.integer(at: 0)
      found = $0.integer(at: 1)
    }
    if found > 0 {
      try connection.query(
        .sweep, .integer(sweepPosition), .integer(end), .integer(options.now()))
    }
    // At the end it begins again: new rows come all the time, so it would never run dry.
    sweepPosition = found < rows ? 0 : end
    eventsSinceSweep = 0
  }

  /// Moves a listener's cursor forward in the open transaction.
  func move(_ advance: CursorAdvance) throws(StoreError) {
    var top: Int64 = 0
    try connection.query(.topSequence) { top = $0.integer(at: 0) }
    guard advance.sequence <= top else {
      throw StoreError(
        .invalid,
        "listener \(advance.listener) cannot move to \(advance.sequence): the last event is \(top)")
    }
    var moved = false
    try connection.query(
      .advanceCursor, .text(advance.listener), .integer(advance.sequence)
    ) { _ in moved = true }
    guard moved else {
      throw StoreError(
        .conflict,
        "listener \(advance.listener) has dealt with event \(advance.sequence) already, or has no cursor"
      )
    }
  }

  /// Gives a listener a cursor at the last event, unless it has one, and returns where it stands.
  func register(listener: String) throws(StoreError) -> Int64 {
    try connection.query(.insertCursor, .text(listener))
    return try connection.cursor(of: listener) ?? 0
  }

  func remove(listener: String) throws(StoreError) {
    try connection.query(.deleteCursor, .text(listener))
  }
}

extension Int64 {
  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  fileprivate func multipliedClamped(by other: Int64) -> Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
