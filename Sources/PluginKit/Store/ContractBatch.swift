internal import CSluice

/// Statements and events laid out as the contract has them, for the time of one call.
///
/// All text goes into one piece of memory first; the structs that point into it are made when it no
/// longer grows.
struct ContractBatch {
  private struct Span {
    let start: Int
    let count: Int
  }

  private var bytes: [UInt8] = []
  private var spans: [Span] = []

  private mutating func add(_ text: String) {
    let start = bytes.count
    bytes.append(contentsOf: text.utf8)
    spans.append(Span(start: start, count: bytes.count - start))
  }

  private mutating func add(_ blob: [UInt8]) {
    spans.append(Span(start: bytes.count, count: blob.count))
    bytes.append(contentsOf: blob)
  }

  private mutating func add(_ statements: [SQL]) {
    for statement in statements {
      add(statement.text)
      for bind in statement.binds {
        add(bind.name)
        switch bind.value {
        case .text(let text): add(text)
        case .blob(let blob): add(blob)
        case .returned(from: _, let column): add(column)
        case .null, .integer, .real: break
        }
      }
    }
  }

  private mutating func add(_ events: [Emit]) {
    for event in events {
      add(event.type)
      if let channel = event.channel { add(channel) }
      add(event.data.bytes)
    }
  }

  /// Lends statements and events to `body`.
  static func lend(
    _ statements: [SQL], _ events: [Emit],
    to body: (
      UnsafeBufferPointer<sluice_statement_v1_t>, UnsafeBufferPointer<sluice_emit_v1_t>
    ) -> sluice_status_t
  ) -> sluice_status_t {
    var layout = ContractBatch()
    layout.add(statements)
    layout.add(events)
    // Never empty, so that an empty text has an address and is present.
    layout.bytes.append(0)
    return layout.bytes.withUnsafeBufferPointer { memory in
      var slices = layout.spans.makeIterator()
      func next() -> sluice_slice_t {
        guard let span = slices.next() else { return .absent }
        return sluice_slice_t(
          UnsafeBufferPointer(rebasing: memory[span.start..<span.start + span.count]))
      }
      let count = statements.reduce(0) { $0 + $1.binds.count }
      return withUnsafeTemporaryAllocation(of: sluice_bind_v1_t.self, capacity: count) { binds in
        var used = 0
        var rows: [sluice_statement_v1_t] = []
        rows.reserveCapacity(statements.count)
        for statement in statements {
          let text = next()
          let first = used
          for bind in statement.binds {
            let name = next()
            binds.initializeElement(at: used, to: bind.value.contract(name, next))
            used += 1
          }
          rows.append(
            statement.contract(
              text, binds.baseAddress.map { UnsafePointer($0 + first) }))
        }
        let emits = events.map { event in
          let type = next()
          let channel = event.channel == nil ? .absent : next()
          return sluice_emit_v1_t(type: type, channel: channel, data: next())
        }
        return rows.withUnsafeBufferPointer { rows in
          emits.withUnsafeBufferPointer { body(rows, $0) }
        }
      }
    }
  }
}

extension SQLValue {
  fileprivate func contract(
    _ name: sluice_slice_t, _ next: () -> sluice_slice_t
  ) -> sluice_bind_v1_t {
    var bind = sluice_bind_v1_t(
      name: name, kind: SLUICE_VALUE_NULL, reserved: 0, integer: 0, real: 0, bytes: .absent)
    switch self {
    case .null: break
    case .integer(let value):
      bind.kind = SLUICE_VALUE_INTEGER
      bind.integer = value
    case .real(let value):
      bind.kind = SLUICE_VALUE_REAL
      bind.real = value
    case .text:
      bind.kind = SLUICE_VALUE_TEXT
      bind.bytes = next()
    case .blob:
      bind.kind = SLUICE_VALUE_BLOB
      bind.bytes = next()
    case .returned(from: let statement, _):
      bind.kind = SLUICE_VALUE_REFERENCE
      bind.integer = Int64(statement)
      bind.bytes = next()
    }
    return bind
  }
}

extension SQL {
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
  func withContract(
    _ body: (UnsafePointer<sluice_batch_v1_t>) -> sluice_status_t
  ) -> sluice_status_t {
    ContractBatch.lend(statements, events) { statements, events in
      var batch = sluice_batch_v1_t(
        statements: statements.baseAddress, events: events.baseAddress,
        statement_count: UInt32(clamping: statements.count),
        event_count: UInt32(clamping: events.count), delivery: delivery,
        request: isApartFromRequest ? 0 : CurrentRequest.token)
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
