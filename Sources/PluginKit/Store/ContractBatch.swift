internal import CSluice

/// Statements and events laid out as the contract has them, for the time of one call.
///
/// What it takes is counted first, so that all text goes into one piece of memory that does not move.
struct ContractBatch {
  private var memory: UnsafeMutableBufferPointer<UInt8>
  private var used = 0

  private mutating func copy(_ text: String) -> sluice_slice_t {
    var text = text
    return text.withUTF8 { copy($0) }
  }

  private mutating func copy(_ bytes: UnsafeBufferPointer<UInt8>) -> sluice_slice_t {
    let place = UnsafeMutableBufferPointer(rebasing: memory[used..<used + bytes.count])
    _ = place.initialize(from: bytes)
    used += bytes.count
    return sluice_slice_t(UnsafeBufferPointer(place))
  }

  private mutating func copy(_ blob: [UInt8]) -> sluice_slice_t {
    blob.withUnsafeBufferPointer { copy($0) }
  }

  /// Lends statements and events to `body`.
  static func lend(
    _ statements: [SQL], _ events: [Emit],
    to body: (
      UnsafeBufferPointer<sluice_statement_v1_t>, UnsafeBufferPointer<sluice_emit_v1_t>
    ) -> sluice_status_t
  ) -> sluice_status_t {
    // Never empty, so that an empty text has an address and is present.
    var bytes = 1
    var bindCount = 0
    for statement in statements {
      bytes += statement.contractBytes
      bindCount += statement.binds.count
    }
    for event in events {
      bytes += event.type.utf8.count + (event.channel?.utf8.count ?? 0) + event.data.bytes.count
      bytes += event.replaced?.utf8.count ?? 0
    }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes) { memory in
      withUnsafeTemporaryAllocation(of: sluice_bind_v1_t.self, capacity: bindCount) { binds in
        withUnsafeTemporaryAllocation(
          of: sluice_statement_v1_t.self, capacity: statements.count
        ) { rows in
          withUnsafeTemporaryAllocation(of: sluice_emit_v1_t.self, capacity: events.count) {
            emits in
            var layout = ContractBatch(memory: memory)
            layout.lay(statements, into: rows, binds)
            layout.lay(events, into: emits)
            return body(UnsafeBufferPointer(rows), UnsafeBufferPointer(emits))
          }
        }
      }
    }
  }

  private mutating func lay(
    _ statements: [SQL], into rows: UnsafeMutableBufferPointer<sluice_statement_v1_t>,
    _ binds: UnsafeMutableBufferPointer<sluice_bind_v1_t>
  ) {
    var first = 0
    for (index, statement) in statements.enumerated() {
      let text = copy(statement.text)
      for (place, bind) in statement.binds.enumerated() {
        binds.initializeElement(at: first + place, to: lay(bind))
      }
      rows.initializeElement(
        at: index,
        to: statement.contract(text, binds.baseAddress.map { UnsafePointer($0 + first) }))
      first += statement.binds.count
    }
  }

  private mutating func lay(
    _ events: [Emit], into emits: UnsafeMutableBufferPointer<sluice_emit_v1_t>
  ) {
    for (index, event) in events.enumerated() {
      let type = copy(event.type)
      let channel = event.channel.map { copy($0) } ?? .absent
      emits.initializeElement(
        at: index,
        to: sluice_emit_v1_t(
          type: type, channel: channel, data: copy(event.data.bytes),
          replaces: event.replaced.map { copy($0) } ?? .absent))
    }
  }

  private mutating func lay(_ bind: SQL.Bind) -> sluice_bind_v1_t {
    var laid = sluice_bind_v1_t(
      name: copy(bind.name), kind: SLUICE_VALUE_NULL, reserved: 0, integer: 0, real: 0,
      bytes: .absent)
    switch bind.value {
    case .null: break
    case .integer(let value):
      laid.kind = SLUICE_VALUE_INTEGER
      laid.integer = value
    case .real(let value):
      laid.kind = SLUICE_VALUE_REAL
      laid.real = value
    case .text(let text):
      laid.kind = SLUICE_VALUE_TEXT
      laid.bytes = copy(text)
    case .blob(let blob):
      laid.kind = SLUICE_VALUE_BLOB
      laid.bytes = copy(blob)
    case .returned(from: let statement, let column):
      laid.kind = SLUICE_VALUE_REFERENCE
      laid.integer = Int64(statement)
      laid.bytes = copy(column)
    }
    return laid
  }
}

extension SQL {
  /// The bytes of its text, its names and its values.
  fileprivate var contractBytes: Int {
    var bytes = text.utf8.count
    for bind in binds {
      bytes += bind.name.utf8.count
      switch bind.value {
      case .text(let text): bytes += text.utf8.count
      case .blob(let blob): bytes += blob.count
      case .returned(from: _, let column): bytes += column.utf8.count
      case .null, .integer, .real: break
      }
    }
    return bytes
  }

  fileprivate func contract(
    _ text: sluice_slice_t, _ binds: UnsafePointer<sluice_bind_v1_t>?
  ) -> sluice_statement_v1_t {
    let (kind, rows): (UInt32, Int) =
      switch rowGuard {
      case .none: (SLUICE_GUARD_NONE, 0)
      case .exactly(let rows): (SLUICE_GUARD_EXACTLY, rows)
      case .atLeast(let rows): (SLUICE_GUARD_AT_LEAST, rows)
      }
    return sluice_statement_v1_t(
      sql: text, binds: self.binds.isEmpty ? nil : binds,
      bind_count: UInt32(clamping: self.binds.count), guard: kind, guard_rows: Int64(rows))
  }
}

extension Batch {
  /// Lends the batch to the contract.
  ///
  /// - Parameter request: what it is the effect of, unless it is apart from that.
  func withContract(
    ofRequest request: sluice_token_t = CurrentRequest.token,
    _ body: (UnsafePointer<sluice_batch_v1_t>) -> sluice_status_t
  ) -> sluice_status_t {
    ContractBatch.lend(statements, events) { statements, events in
      var batch = sluice_batch_v1_t(
        statements: statements.baseAddress, events: events.baseAddress,
        statement_count: UInt32(clamping: statements.count),
        event_count: UInt32(clamping: events.count), delivery: delivery,
        request: isApartFromRequest ? 0 : request)
      return body(&batch)
    }
  }
}

extension [SQL] {
  /// Lends the statements to the contract.
  func withContract(
    _ body: (UnsafePointer<sluice_statement_v1_t>) -> sluice_status_t
  ) -> sluice_status_t {
    ContractBatch.lend(self, []) { statements, _ in
      guard let first = statements.baseAddress, !statements.isEmpty else { return SLUICE_E_INVALID }
      return body(first)
    }
  }
}
