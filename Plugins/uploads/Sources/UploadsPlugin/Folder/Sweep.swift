internal import PluginKit

/// Removes what is left of uploads that did not come to their end: those of a process that was killed, and those whose files could not be removed when
/// they should have been. It looks when the plugin begins for the app, and every minute.
final class Sweep {
  private static let interval = 60_000
  /// How old a row without a file must be: its file may be about to be made.
  private static let patience: Int64 = 60_000
  private static let page = 100

  private let folder: BlobFolder
  private let ledger: Ledger
  private let removal: Removal
  private let context: ShardContext
  private let swept: Metric?
  private var timer: Timer?
  private var isAtWork = false

  init(
    _ folder: BlobFolder, _ ledger: Ledger, _ removal: Removal, _ swept: Metric?,
    _ context: ShardContext
  ) {
    self.folder = folder
    self.ledger = ledger
    self.removal = removal
    self.swept = swept
    self.context = context
  }

  func begin() {
    look()
    timer = try? context.timers.every(milliseconds: Sweep.interval) { [self] in look() }
  }

  func end() {
    if let timer { context.timers.cancel(timer) }
    timer = nil
  }

  private func look() {
    guard !isAtWork else { return }
    isAtWork = true
    context.spawn { [self] in
      defer { isAtWork = false }
      do {
        try await sweepAll()
      } catch let error as HostError where error.status == .cancelled {
        // The shard closes; another's sweep goes on.
      }
    }
  }

  private func sweepAll() async throws {
    var last = ""
    var left = 0
    var first: (id: String, reason: String)?
    while true {
      let found = try await ledger.unfinished(after: last, limit: Sweep.page)
      for one in found {
        do {
          try await sweep(one)
        } catch let failure where failure is BlobFolder.Failure || failure is Bucket.Failure {
          left += 1
          if first == nil { first = (one.id, "\(failure)") }
        }
      }
      guard found.count == Sweep.page, let end = found.last else { break }
      last = end.id
    }
    guard let first else { return }
    // Of all together, because it may be so for long.
    context.log.warning(
      "what is left of uploads cannot be removed; it is tried again",
      ["uploads": "\(left)", "upload": first.id, "reason": first.reason])
  }

  /// - Throws: `BlobFolder.Failure`, `Bucket.Failure`, when it cannot be removed now.
  private func sweep(_ one: Ledger.Unfinished) async throws {
    let (folder, id) = (folder, one.id)
    if one.state == "ready" {
      // In a bucket: what is left here goes, unless that is being done.
      let here = try await context.worker.run { try folder.take(id, alsoDraft: true) }
      if case .inUse = here { return }
      try await context.worker.run { try folder.remove(id) }
      return try await ledger.noteGone(id)
    }
    if one.state == "receiving" {
      let age = try context.clock.now().unixMilliseconds - one.createdAt.unixMilliseconds
      let isOld = age > Sweep.patience
      let remnant = try await context.worker.run { try folder.take(id, alsoDraft: isOld) }
      switch remnant {
      case .inUse: return
      case .nothing: guard isOld else { return }
      case .held: break
      }
      // It may have come to its end since it was looked for. The lock is held until that is known.
      let isHidden = try await ledger.hide(id, from: ["receiving"])
      withExtendedLifetime(remnant) {}
      guard isHidden else { return }
    }
    try await removal.remove(id, from: one.whereabouts)
    swept?.add()
  }
}
