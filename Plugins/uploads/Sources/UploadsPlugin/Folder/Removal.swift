internal import PluginKit

/// Takes the bytes of uploads that are hidden away, wherever they are, and then their rows.
final class Removal {
  private let folder: BlobFolder
  private let bucket: Bucket?
  private let ledger: Ledger
  private let context: ShardContext

  init(_ folder: BlobFolder, _ bucket: Bucket?, _ ledger: Ledger, _ context: ShardContext) {
    self.folder = folder
    self.bucket = bucket
    self.ledger = ledger
    self.context = context
  }

  /// Removes an upload that nobody sees any more.
  ///
  /// - Throws: `BlobFolder.Failure`, `Bucket.Failure`, when some of it is left: the row is, too, and the sweep tries again.
  func remove(_ id: String, from whereabouts: Whereabouts) async throws {
    // First: what is here takes room on the gateway's disk, and of the user's bytes it is none any more.
    let folder = folder
    try await context.worker.run { try folder.remove(id) }
    if whereabouts.store == .s3 {
      guard let bucket, bucket.isWhere(whereabouts) else {
        throw Bucket.Failure(
          description: "it is in \(whereabouts.place ?? "a bucket"), which the settings do not name"
        )
      }
      if let multipart = try await ledger.multipart(of: id) {
        try await bucket.abort(multipart, of: id)
      }
      try await bucket.delete(id)
      try await bucket.delete(Bucket.thumbnail(of: id))
    }
    try await ledger.forget(id)
  }
}
