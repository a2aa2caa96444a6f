/// Those who want to append to the audit log, one after another: each needs the hash of the entry before its own.
///
/// Of one shard; shards of other loops are met at the store, where one of them has to look again.
final class AuditLine {
  /// The last entry that this shard knows of.
  var head: AuditHead?
  private var isTaken = false
  private var waiting: [UnsafeContinuation<Void, Never>] = []

  /// Waits for its turn, which `leave` ends.
  func enter() async {
    guard isTaken else {
      isTaken = true
      return
    }
    await withUnsafeContinuation { waiting.append($0) }
  }

  func leave() {
    guard !waiting.isEmpty else {
      isTaken = false
      return
    }
    waiting.removeFirst().resume()
  }
}
