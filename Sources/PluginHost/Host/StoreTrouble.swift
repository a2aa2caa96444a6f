internal import Store
internal import Synchronization

/// Tells the operator what plugins are told of the store: a refusal by its words, and that a tenant's file cannot be
/// used: once when it begins and once when it is over, however many requests meet it.
final class StoreTrouble: Sendable {
  private let codes = Mutex<[String: StoreError.Code]>([:])
  /// How many tenants are in trouble: the only thing looked at while all is well.
  private let count = Atomic<Int>(0)
  private let log: Log

  init(log: Log) { self.log = log }

  /// Tenants whose file could not be used when it was last tried.
  var tenants: Int { count.load(ordering: .relaxed) }

  /// A plugin's batch or read has failed. [any-thread]
  func failed(_ error: StoreError, tenant: String, plugin: String? = nil) {
    var fields: [String: ConfigValue] = [
      "tenant": .string(tenant), "reason": .string("\(error)"),
      "code": .string(error.code.rawValue),
    ]
    if let plugin { fields["plugin"] = .string(plugin) }
    if let sql = error.sql { fields["sql"] = .string(sql) }
    if error.code == .forbidden {
      return log.write(.warning, "a plugin reached for what is not its own", fields: fields)
    }
    if error.code.isOfFile, isNews(error.code, tenant: tenant) {
      log.write(
        .error, "a tenant's file cannot be used; other tenants are not affected", fields: fields)
    }
  }

  /// Notes a failure; whether it is another one than before. What is not the file's is always one. [any-thread]
  func isNews(_ code: StoreError.Code?, tenant: String) -> Bool {
    guard let code, code.isOfFile else { return true }
    return codes.withLock { codes in
      guard codes[tenant] != code else { return false }
      if codes.updateValue(code, forKey: tenant) == nil { count.add(1, ordering: .relaxed) }
      return true
    }
  }

  /// The tenant is gone, or has another file. [any-thread]
  func forget(_ tenant: String) {
    codes.withLock { codes in
      if codes.removeValue(forKey: tenant) != nil { count.subtract(1, ordering: .relaxed) }
    }
  }

  /// A batch of the tenant's is on disk. [any-thread]
  func worked(tenant: String) { end(tenant) { _ in true } }

  /// The tenant's file was opened, which shows nothing of whether it can be written to. [any-thread]
  func opened(tenant: String) { end(tenant) { ![.storageFull, .readOnly, .io].contains($0) } }

  private func end(_ tenant: String, _ isEnded: (StoreError.Code) -> Bool) {
    guard count.load(ordering: .relaxed) > 0 else { return }
    let isOver = codes.withLock { codes in
      guard let code = codes[tenant], isEnded(code) else { return false }
      codes[tenant] = nil
      count.subtract(1, ordering: .relaxed)
      return true
    }
    if isOver {
      log.write(.info, "a tenant's file works again", fields: ["tenant": .string(tenant)])
    }
  }
}

extension StoreError.Code {
  /// Whether it is the tenant's file, or the disk, that is at fault.
  var isOfFile: Bool {
    switch self {
    case .storageFull, .readOnly, .io, .corrupted, .busy, .schemaTooNew, .migrationChanged: true
    default: false
    }
  }
}
