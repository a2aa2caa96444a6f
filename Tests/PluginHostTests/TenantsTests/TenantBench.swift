import Glibc
import Store
import Synchronization
import Testing

@testable import PluginHost

/// A data directory with a store, a sealing key and a registry, for one test.
final class TenantBench: Sendable {
  let folder: String
  let clock = Atomic<Int64>(1_700_000_000_000)
  private let scratch: Mutex<ScratchFolder>

  init() {
    let scratch = ScratchFolder()
    folder = scratch.path
    self.scratch = Mutex(scratch)
  }

  var keyFile: String { folder + "/master.key" }

  var now: Int64 { clock.load(ordering: .relaxed) }
  func advance(hours: Int64) { clock.wrappingAdd(hours * 3_600_000, ordering: .relaxed) }

  func store(_ change: (inout StoreOptions) -> Void = { _ in }) throws -> Store {
    var options = StoreOptions(now: { self.now })
    // Time enough for what is asked of a busy machine.
    options.timeoutMilliseconds = 120_000
    change(&options)
    return try Store(directory: folder + "/data", options: options)
  }

  func key() throws -> SealingKey { try SealingKey(file: keyFile, makesMissing: true) }

  /// Opens the registry, lends it, and closes the store.
  func run<Result: Sendable>(
    _ change: (inout StoreOptions) -> Void = { _ in },
    _ body: (TenantRegistry) async throws -> Result
  ) async throws -> Result {
    let store = try store(change)
    defer { store.close() }
    return try await body(try await TenantRegistry.open(store: store, sealing: try key()))
  }

  /// What opening ends with.
  func openingError() async throws -> TenantError? {
    let store = try store()
    defer { store.close() }
    do throws(TenantError) {
      _ = try await TenantRegistry.open(
        store: store, sealing: try SealingKey(file: keyFile, makesMissing: true))
      return nil
    } catch {
      return error
    }
  }

  /// Does behind the registry's back what only someone with the file could do.
  func tamper(_ statements: String...) async throws {
    let store = try store()
    defer { store.close() }
    try await store.tamper(statements)
  }
}

extension Store {
  func tamper(_ statements: [String]) async throws {
    _ = try await submit(
      tenant: Store.controlTenant,
      batch: Batch(owner: Owner.host, statements: statements.map { Statement($0) }))
  }

  func controlRows(_ sql: String) async throws -> [[SQLValue]] {
    try await read(tenant: Store.controlTenant, owner: Owner.host, statements: [Statement(sql)])
      .decoded()[0].rows
  }

  /// Keeps the thread that writes `control.sqlite` waiting until the flag is set.
  func hold(until flag: Flag) async throws {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      do {
        try open(tenant: Store.controlTenant) { _ in
          continuation.resume()
          while !flag.isSet { usleep(200) }
        }
      } catch {
        Issue.record(error)
        continuation.resume()
      }
    }
  }
}

final class Flag: Sendable {
  private let value = Atomic<Bool>(false)
  var isSet: Bool { value.load(ordering: .acquiring) }
  func set() { value.store(true, ordering: .releasing) }
}

/// A credential whose digest is made of one number.
func sampleKey(
  _ id: String, _ number: Int, scopes: [String] = ["*"], expiresAt: Int64 = 0
) -> StoredKey {
  var digest = [UInt8](repeating: 0xd1, count: 32)
  for index in 0..<8 { digest[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
  return StoredKey(id: id, digest: digest, scopes: scopes, expiresAt: expiresAt)
}

/// The requests, awaited: each completion must come exactly once, or the continuation traps.
extension TenantRegistry {
  typealias Answer = Result<TenantRecord, TenantError>

  func create(
    _ tenant: String, plugins: [String: PluginSetting] = [:], plan: String? = nil
  ) async -> Answer {
    await withCheckedContinuation { waiter in
      create(tenant, plugins: plugins, plan: plan) { waiter.resume(returning: $0) }
    }
  }

  func remove(_ tenant: String) async -> Answer {
    await withCheckedContinuation { waiter in remove(tenant) { waiter.resume(returning: $0) } }
  }

  func setPlugin(_ tenant: String, _ plugin: String, _ setting: PluginSetting) async -> Answer {
    await withCheckedContinuation { waiter in
      setPlugin(tenant, plugin: plugin, setting: setting) { waiter.resume(returning: $0) }
    }
  }

  func putCredential(_ tenant: String, _ key: StoredKey) async -> Answer {
    await withCheckedContinuation { waiter in
      putCredential(tenant, key: key) { waiter.resume(returning: $0) }
    }
  }

  func setScopes(_ tenant: String, _ id: String, _ scopes: [String]) async -> Answer {
    await withCheckedContinuation { waiter in
      setScopes(tenant, id: id, scopes: scopes) { waiter.resume(returning: $0) }
    }
  }

  func revokeCredential(_ tenant: String, _ id: String, at: Int64 = 0) async -> Answer {
    await withCheckedContinuation { waiter in
      revokeCredential(tenant, id: id, at: at) { waiter.resume(returning: $0) }
    }
  }

  func setHosts(_ tenant: String, _ hosts: [String]) async -> Answer {
    await withCheckedContinuation { waiter in
      setHosts(tenant, hosts: hosts) { waiter.resume(returning: $0) }
    }
  }

  func putSecret(
    _ tenant: String, _ name: String, _ value: [UInt8]?, onlyIfAbsent: Bool = false
  ) async -> Result<Void, TenantError> {
    await withCheckedContinuation { waiter in
      putSecret(tenant, name: name, value: value, onlyIfAbsent: onlyIfAbsent) {
        waiter.resume(returning: $0)
      }
    }
  }

  /// A secret as text.
  func text(_ tenant: String, _ name: String) throws -> String? {
    try secret(tenant: tenant, name: name).map { String(decoding: $0, as: UTF8.self) }
  }
}

extension Result where Failure == TenantError {
  var code: TenantError.Code? { if case .failure(let error) = self { error.code } else { nil } }
  var message: String { if case .failure(let error) = self { error.message } else { "" } }
}

/// The error that `body` ends with.
func tenantError(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Any?
) -> TenantError? {
  do {
    _ = try body()
    Issue.record("no error", sourceLocation: sourceLocation)
  } catch let error as TenantError {
    return error
  } catch {
    Issue.record(error, sourceLocation: sourceLocation)
  }
  return nil
}

extension FileSystem {
  static func replaceKey(_ path: String, with byte: UInt8) throws {
    let descriptor = Glibc.open(path, O_WRONLY | O_TRUNC)
    defer { close(descriptor) }
    let written = Glibc.write(descriptor, [UInt8](repeating: byte, count: 32), 32)
    try #require(written == 32)
  }

  static func removeKey(_ path: String) throws { try #require(unlink(path) == 0) }
}
