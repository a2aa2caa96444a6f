internal import EventLoop
internal import Glibc
internal import Synchronization

/// How much the files of tenants' plugins take on disk: they are the tenants' data as their rows are. [any-thread]
final class FolderSizes: Sendable {
  /// A folder is not measured again before this many times as long have passed as the last time took.
  private static let rest = 50

  private struct Measure {
    var bytes: Int
    var due: ContinuousClock.Instant
  }

  private struct State {
    var measures: [String: Measure] = [:]
    /// Made for the first folder.
    var pool: WorkerPool?
  }

  /// The data folder.
  private let directory: String
  private let state = Mutex(State())

  init(directory: String) { self.directory = directory }

  /// Bytes of a tenant's files; what was measured last when it cannot be measured now.
  func bytes(of tenant: String) async -> Int {
    let folder = TenantFolders.path(of: tenant, in: directory)
    guard access(folder, F_OK) == 0 else { return 0 }
    let (known, pool) = state.withLock { state -> (Measure?, WorkerPool?) in
      if state.pool == nil {
        state.pool = try? WorkerPool(name: "usage", threads: 1, queueLimit: 1_024, niceness: 10)
      }
      return (state.measures[tenant], state.pool)
    }
    if let known, known.due > .now { return known.bytes }
    let clock = ContinuousClock()
    let measured = try? await pool?.run { () -> Measure in
      let begin = clock.now
      let bytes = TenantFolders.size(of: folder)
      return Measure(bytes: bytes, due: clock.now + begin.duration(to: clock.now) * Self.rest)
    }
    guard let measured else { return known?.bytes ?? 0 }
    state.withLock { $0.measures[tenant] = measured }
    return measured.bytes
  }

  /// Forgets a tenant that is removed.
  func forget(_ tenant: String) { state.withLock { $0.measures[tenant] = nil } }
}
