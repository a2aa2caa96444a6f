internal import CSluice
internal import Store
internal import Synchronization

/// The tenant's database of a test host: the gateway's own store, on a folder that the test throws away.
///
/// The one file that sees the store's types beside the contract's; PluginKit has types of the same names.
final class TestStore: Sendable {
  /// A status of the contract and the bytes of its result.
  typealias Completion = @Sendable (sluice_status_t, [UInt8]) -> Void

  struct CommittedEvent: Sendable {
    var sequence: UInt64
    var offset: UInt64
    var time: Int64
    var type: String
    var id: String
    var channel: String?
    var epoch: String
    var data: [UInt8]

    init(_ event: Store::CommittedEvent, epoch: String) {
      sequence = UInt64(event.sequence)
      offset = UInt64(event.offset ?? 0)
      time = event.timeMilliseconds
      type = event.type
      id = event.id
      channel = event.channel
      self.epoch = epoch
      data = event.data
    }
  }

  private let store: Store
  private let tenant: String
  private let owner: String
  let folder: String
  private let history: @Sendable (String) -> TestBounds
  /// What is committed between the plugin's batches, each after so many.
  let interposed = Mutex<[(batches: Int, sql: String)]>([])

  init(
    tenant: String, owner: String, history: @escaping @Sendable (String) -> TestBounds,
    now: @escaping @Sendable () -> Int64,
    committed: @escaping @Sendable ([CommittedEvent]) -> Void
  ) throws {
    folder = try TestFiles.makeFolder()
    self.tenant = tenant
    self.owner = owner
    self.history = history
    var options = StoreOptions(
      now: now,
      onCommitted: { group in
        committed(group.events.map { CommittedEvent($0, epoch: group.epoch) })
      })
    options.writerThreads = 1
    options.readerThreads = 1
    // The gateway's bound would make a test's outcome depend on what else the machine does.
    options.timeoutMilliseconds = 120_000
    store = try Store(directory: folder, options: options)
  }

  func migrate(_ migrations: [(name: String, sql: String)]) async throws {
    _ = try await store.migrate(
      tenant: tenant, owner: owner,
      migrations: migrations.enumerated().map { index, migration in
        Migration(version: index + 1, name: migration.name, sql: migration.sql)
      })
    _ = try await store.registerListener(tenant: tenant, listener: owner)
  }

  func close() {
    store.close()
    TestFiles.removeFolder(folder)
  }

  /// Commits an event of another plugin.
  func emit(
    type: String, channel: String?, data: [UInt8], id: String
  ) async throws -> Int64 {
    let reply = try await store.submit(
      tenant: tenant,
      batch: Batch(
        owner: "test", statements: [],
        events: [event(type: type, channel: channel, data: data, id: id)]))
    guard let position = reply.events.first else { throw TestFailure("the event has no position") }
    return position.sequence
  }

  /// Runs a statement as the plugin's own.
  func execute(_ sql: String) async throws -> [[String]] {
    let reply = try await store.submit(
      tenant: tenant, batch: Batch(owner: owner, statements: [Statement(sql)], events: []))
    return try reply.rows.decoded()[0].rows.map { row in
      row.map { value in
        switch value {
        case .null: "NULL"
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .text(let value): value
        case .blob(let bytes): "\(bytes)"
        }
      }
    }
  }

  func commit(
    _ batch: sluice_batch_v1_t, delivered sequence: Int64?, makeID: () -> String,
    _ completion: @escaping Completion
  ) -> sluice_status_t {
    let statements = UnsafeBufferPointer(
      start: batch.statements, count: Int(batch.statement_count)
    ).map(TestStore.statement)
    let events = UnsafeBufferPointer(start: batch.events, count: Int(batch.event_count)).map {
      event(
        type: $0.type.text, channel: $0.channel.bytes == nil ? nil : $0.channel.text,
        data: $0.data.array, id: makeID(),
        replaced: $0.replaces.bytes == nil ? nil : $0.replaces.text)
    }
    let advance = sequence.map { CursorAdvance(listener: owner, sequence: $0) }
    let before = interposed.withLock { interposed in
      let due = interposed.filter { $0.batches == 0 }.map(\.sql)
      interposed = interposed.filter { $0.batches > 0 }.map { ($0.batches - 1, $0.sql) }
      return due
    }
    do {
      if !before.isEmpty {
        try store.submit(
          tenant: tenant, batch: Batch(owner: owner, statements: before.map { Statement($0) })
        ) { result in
          if case .failure(let error) = result {
            preconditionFailure("what a test interposes is refused: \(error)")
          }
        }
      }
      try store.submit(
        tenant: tenant,
        batch: Batch(owner: owner, statements: statements, events: events, advance: advance)
      ) { result in
        switch result {
        case .success(let reply): completion(SLUICE_OK, reply.rows.bytes)
        case .failure(let error): completion(TestStore.status(error), TestStore.words(error))
        }
      }
      return SLUICE_PENDING
    } catch {
      return TestStore.status(error)
    }
  }

  func read(
    _ statements: UnsafeBufferPointer<sluice_statement_v1_t>, _ completion: @escaping Completion
  ) -> sluice_status_t {
    do {
      try store.read(
        tenant: tenant, owner: owner, statements: statements.map(TestStore.statement)
      ) { result in
        switch result {
        case .success(let rows): completion(SLUICE_OK, rows.bytes)
        case .failure(let error): completion(TestStore.status(error), TestStore.words(error))
        }
      }
      return SLUICE_PENDING
    } catch {
      return TestStore.status(error)
    }
  }

  func history(
    _ channel: String, since: UInt64, limit: UInt32, isReversed: Bool = false,
    _ completion: @escaping Completion
  ) -> sluice_status_t {
    let start: Int64? =
      limit == 0 ? .max : isReversed && since == 0 ? nil : Int64(clamping: since)
    do {
      try store.history(
        tenant: tenant, channel: channel, since: start, limit: max(1, Int(limit)),
        reverse: isReversed && limit > 0
      ) { result in
        switch result {
        case .success(let page): completion(SLUICE_OK, page.rowBlock().bytes)
        case .failure(let error): completion(TestStore.status(error), TestStore.words(error))
        }
      }
      return SLUICE_PENDING
    } catch {
      return TestStore.status(error)
    }
  }

  /// A channel's history, oldest first, at most a thousand events of it.
  func history(of channel: String) async throws -> [CommittedEvent] {
    let page = try await store.history(tenant: tenant, channel: channel, limit: 1_000)
    return page.publications.map { CommittedEvent($0, epoch: page.epoch) }
  }

  private func event(
    type: String, channel: String?, data: [UInt8], id: String, replaced: String? = nil
  ) -> OutboxEvent {
    let bounds = channel.map { history($0) }
    return OutboxEvent(
      type: type, channel: channel, data: data, id: id, historySize: bounds?.size ?? 0,
      historyTTLSeconds: bounds?.seconds ?? 0, replaced: replaced)
  }

  /// A row block of one statement.
  static func block(_ columns: [String], _ rows: [[SQLValue]]) -> [UInt8] {
    let writer = RowBlockWriter()
    writer.begin()
    writer.beginStatement(columns: columns)
    for row in rows {
      writer.beginRow()
      for cell in row { writer.append(cell) }
    }
    writer.endStatement(rowsChanged: 0)
    return writer.finish().bytes
  }

  private static func statement(_ value: sluice_statement_v1_t) -> Statement {
    let rowGuard: Statement.Guard =
      switch value.guard {
      case SLUICE_GUARD_EXACTLY: .exactly(value.guard_rows)
      case SLUICE_GUARD_AT_LEAST: .atLeast(value.guard_rows)
      default: .none
      }
    let binds = UnsafeBufferPointer(start: value.binds, count: Int(value.bind_count)).map { bind in
      let bound: Bind.Value =
        switch bind.kind {
        case SLUICE_VALUE_INTEGER: .integer(bind.integer)
        case SLUICE_VALUE_REAL: .real(bind.real)
        case SLUICE_VALUE_TEXT: .text(bind.bytes.text)
        case SLUICE_VALUE_BLOB: .blob(bind.bytes.array)
        case SLUICE_VALUE_REFERENCE:
          .reference(statement: Int(bind.integer), column: bind.bytes.text)
        default: .null
        }
      return Bind(bind.name.text, bound)
    }
    return Statement(value.sql.text, binds: binds, guard: rowGuard)
  }

  private static func words(_ error: StoreError) -> [UInt8] {
    let place = error.statement.map { "statement \($0): " } ?? ""
    return Array((place + error.message).utf8)
  }

  private static func status(_ error: StoreError) -> sluice_status_t {
    switch error.code {
    case .conflict, .constraint: SLUICE_E_CONFLICT
    case .forbidden: SLUICE_E_DENIED
    case .invalid, .sql: SLUICE_E_INVALID
    case .overloaded, .outOfMemory: SLUICE_E_OVERLOADED
    case .closed, .repeated: SLUICE_E_CANCELLED
    case .deadline: SLUICE_E_DEADLINE
    case .tooLarge: SLUICE_E_TOO_LARGE
    case .storageFull: SLUICE_E_STORAGE_FULL
    case .readOnly, .io, .corrupted, .busy, .schemaTooNew, .migrationChanged, .directory,
      .tenantDeleted:
      SLUICE_E_UNAVAILABLE
    }
  }
}

extension sluice_slice_t {
  var array: [UInt8] { Array(UnsafeBufferPointer(start: bytes, count: Int(length))) }
  var text: String { String(decoding: array, as: UTF8.self) }
}
