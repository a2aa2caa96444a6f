internal import PluginKit
internal import Synchronization

/// Who has passwords with the worker, over all loops of the tenant: no network fills the worker's queue, so that others still sign in.
///
/// One for each instance of the plugin. [any-thread]
final class HashingQueue: Sendable {
  /// How many jobs may wait for the worker: `limits.worker_jobs` of the manifest.
  static let capacity = 64

  private let perNetwork: Int
  private let held = Mutex<[String: Int]>([:])

  /// - Parameter perNetwork: how many jobs one network may have there at once.
  init(perNetwork: Int) {
    self.perNetwork = perNetwork
  }

  /// What a network may have there. A site of many networks never has more than half of the queue, unless one network may.
  private func limit(_ share: Int64) -> Int {
    min(perNetwork * Int(share), max(perNetwork, HashingQueue.capacity / 2))
  }

  /// Takes a place for a job that an address asks for, in each of the networks that it is in; false, and none is taken, when one of them has all
  /// that it may.
  func enter(from peer: String) -> Bool {
    let networks = Network.all(of: peer)
    return held.withLock { held in
      guard networks.allSatisfy({ held[$0.key, default: 0] < limit($0.share) }) else {
        return false
      }
      for (key, _) in networks { held[key, default: 0] += 1 }
      return true
    }
  }

  /// Gives back the place that `enter` took.
  func leave(from peer: String) {
    held.withLock { held in
      for (key, _) in Network.all(of: peer) {
        guard let count = held[key], count > 1 else {
          held[key] = nil
          continue
        }
        held[key] = count - 1
      }
    }
  }

  /// How many networks have something there.
  var networks: Int { held.withLock(\.count) }
}

/// A password is not looked at, because its network has as many with the worker as it may.
struct NetworkOverload: Error {
  static let problem = Problem(
    status: 503, code: "overloaded",
    detail: "Too many passwords from your network are being checked. Try again shortly.")
}

extension Accounts {
  /// Has the worker look at a password, in the network's share of its queue.
  ///
  /// - Parameter peer: who asks.
  /// - Throws: what `job` throws; `NetworkOverload`; `HostError` `.overloaded` when too many of all networks wait.
  func onWorker<Value: Sendable>(
    from peer: String, _ job: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    guard hashing.enter(from: peer) else { throw NetworkOverload() }
    defer { hashing.leave(from: peer) }
    return try await context.worker.run(job)
  }
}
