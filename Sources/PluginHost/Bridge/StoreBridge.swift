internal import CSluice
internal import Gateway
internal import Store
internal import Wire

/// `sluice.store/1` (ext/store.h).
enum StoreBridge {
  static let table = PermanentTable(
    sluice_store_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_store_v1_t>.size), reserved: 0,
      commit: { host, batch, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard batch.pointee.statement_count <= 256, batch.pointee.event_count <= 256,
          let statements = statements(batch.pointee.statements, batch.pointee.statement_count)
        else { return SLUICE_E_INVALID }
        var events: [OutboxEvent] = []
        for index in 0..<Int(batch.pointee.event_count) {
          guard let emit = batch.pointee.events?[index] else { return SLUICE_E_INVALID }
          switch event(emit, shard) {
          case .success(let event): events.append(event)
          case .failure(let refusal): return refusal.status
          }
        }
        var advance: CursorAdvance?
        if batch.pointee.delivery != 0 {
          guard let delivery = shard.deliveries[batch.pointee.delivery] else {
            return SLUICE_E_STALE
          }
          advance = CursorAdvance(listener: shard.plugin.manifest.id, sequence: delivery)
        }
        guard !shard.gateway.hasLapsed(batch.pointee.request) else { return SLUICE_E_CANCELLED }
        let promise = shard.promise(completion, context)
        let whole = Batch(
          owner: shard.tablePrefix, statements: statements, events: events,
          advance: advance, request: shard.record(of: batch.pointee.request))
        do throws(StoreError) {
          try shard.instance.host.store.submit(tenant: shard.tenant, batch: whole) { result in
            switch result {
            case .success(let reply):
              shard.instance.host.trouble.worked(tenant: shard.tenant)
              shard.keepLater(promise, SLUICE_OK, reply.rows.bytes)
            case .failure(let error): fail(shard, promise, error)
            }
          }
        } catch {
          shard.withdraw(promise)
          return error.status
        }
        return SLUICE_PENDING
      },
      read: { host, list, count, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard count >= 1, count <= 256, let statements = statements(list, count) else {
          return SLUICE_E_INVALID
        }
        let promise = shard.promise(completion, context)
        do throws(StoreError) {
          try shard.instance.host.store.read(
            tenant: shard.tenant, owner: shard.tablePrefix, statements: statements
          ) { result in
            switch result {
            case .success(let rows): shard.keepLater(promise, SLUICE_OK, rows.bytes)
            case .failure(let error): fail(shard, promise, error)
            }
          }
        } catch {
          shard.withdraw(promise)
          return error.status
        }
        return SLUICE_PENDING
      },
      room: { host in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        return shard.gateway.storageUsedUp(by: shard.tenant) == nil ? SLUICE_OK : SLUICE_E_LIMITED
      }))

  /// Tells the plugin, and the operator where it concerns one. [store's thread]
  private static func fail(_ shard: Shard, _ promise: UInt64, _ error: StoreError) {
    shard.instance.host.trouble.failed(
      error, tenant: shard.tenant, plugin: shard.plugin.manifest.id)
    shard.keepLater(promise, error.status, Array(error.text.utf8))
  }

  private static func statements(_ list: UnsafePointer<sluice_statement_v1_t>?, _ count: UInt32)
    -> [Statement]?
  {
    var statements: [Statement] = []
    statements.reserveCapacity(Int(count))
    for index in 0..<Int(count) {
      guard let given = list?[index] else { return nil }
      var binds: [Bind] = []
      binds.reserveCapacity(Int(given.bind_count))
      for position in 0..<Int(given.bind_count) {
        guard let bind = given.binds?[position], let value = value(bind) else { return nil }
        binds.append(Bind(String(bind.name), value))
      }
      let condition: Statement.Guard
      switch given.guard {
      case SLUICE_GUARD_NONE: condition = .none
      case SLUICE_GUARD_EXACTLY: condition = .exactly(given.guard_rows)
      case SLUICE_GUARD_AT_LEAST: condition = .atLeast(given.guard_rows)
      default: return nil
      }
      statements.append(Statement(String(given.sql), binds: binds, guard: condition))
    }
    return statements
  }

  private static func value(_ bind: sluice_bind_v1_t) -> Bind.Value? {
    switch bind.kind {
    case SLUICE_VALUE_NULL: .null
    case SLUICE_VALUE_INTEGER: .integer(bind.integer)
    case SLUICE_VALUE_REAL: .real(bind.real)
    case SLUICE_VALUE_TEXT: UTF8Validator.isValid(bind.bytes.raw) ? .text(String(bind.bytes)) : nil
    case SLUICE_VALUE_BLOB: .blob(Array(bind.bytes.raw))
    case SLUICE_VALUE_REFERENCE:
      .reference(statement: Int(bind.integer), column: String(bind.bytes))
    default: nil
    }
  }

  private struct Refusal: Error { let status: Int32 }

  /// An event as the store keeps it, if the plugin has declared it and may publish in its channel.
  private static func event(_ emit: sluice_emit_v1_t, _ shard: Shard) -> Result<
    OutboxEvent, Refusal
  > {
    let type = String(emit.type)
    let manifest = shard.plugin.manifest
    guard manifest.emits.contains(where: { $0.type == type && !$0.isEphemeral }) else {
      return .failure(Refusal(status: SLUICE_E_DENIED))
    }
    guard (try? JSONDocument(emit.data.raw)) != nil else {
      return .failure(Refusal(status: SLUICE_E_INVALID))
    }
    let id = shard.loop.host.identifier("evt")
    let replaced = emit.replaces.bytes == nil ? nil : String(emit.replaces)
    if let replaced {
      guard emit.channel.bytes != nil, (1...255).contains(replaced.utf8.count) else {
        return .failure(Refusal(status: SLUICE_E_INVALID))
      }
    }
    guard emit.channel.bytes != nil else {
      return .success(OutboxEvent(type: type, channel: nil, data: Array(emit.data.raw), id: id))
    }
    let channel = String(emit.channel)
    guard ChannelName.isValid(channel),
      let bounds = bounds(ChannelName.namespace(of: channel), shard)
    else { return .failure(Refusal(status: SLUICE_E_DENIED)) }
    return .success(
      OutboxEvent(
        type: type, channel: channel, data: Array(emit.data.raw), id: id,
        historySize: bounds.size, historyTTLSeconds: bounds.seconds, replaced: replaced))
  }

  /// How much a namespace keeps, if it is the plugin's: by its manifest, or by what the instance has declared where no
  /// other plugin's manifest has it.
  private static func bounds(_ namespace: String, _ shard: Shard) -> HistoryBounds? {
    if let own = shard.plugin.manifest.channels.first(where: { $0.namespace == namespace }) {
      return HistoryBounds(size: own.historySize, seconds: own.historySeconds ?? 0)
    }
    guard let declared = shard.instance.namespaces[namespace], let set = shard.set,
      !set.runtime.plan.plugins.contains(where: { plugin in
        plugin.channels.contains { $0.namespace == namespace }
      })
    else { return nil }
    return declared
  }
}

/// What a channel may be called (ext/bus.h).
enum ChannelName {
  static func isValid(_ name: String) -> Bool {
    (1...255).contains(name.utf8.count)
      && !name.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }
  }

  /// The text before the first colon, without a leading "$"; "" without a colon or behind a "#" (ext/history.h).
  static func namespace(of name: String) -> String {
    let rest = name.utf8.first == UInt8(ascii: "$") ? name.dropFirst() : name[...]
    guard rest.utf8.first != UInt8(ascii: "#") else { return "" }
    return rest.firstIndex(of: ":").map { String(rest[..<$0]) } ?? ""
  }
}

extension StoreError {
  /// The contract's code for the error.
  var status: Int32 {
    switch code {
    case .conflict, .constraint: SLUICE_E_CONFLICT
    case .forbidden: SLUICE_E_DENIED
    case .invalid, .sql: SLUICE_E_INVALID
    case .overloaded: SLUICE_E_OVERLOADED
    case .tooLarge: SLUICE_E_TOO_LARGE
    case .storageFull: SLUICE_E_STORAGE_FULL
    case .deadline: SLUICE_E_DEADLINE
    case .closed, .tenantDeleted, .repeated: SLUICE_E_CANCELLED
    default: SLUICE_E_UNAVAILABLE
    }
  }

  /// The words that the completion carries.
  var text: String {
    statement.map { "statement \($0): \(message)" } ?? message
  }
}
