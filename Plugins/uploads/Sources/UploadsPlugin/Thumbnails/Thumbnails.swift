internal import PluginKit

/// The thumbnails that one loop has made for the app: few at once, so that files are read and written meanwhile. Loop thread only.
final class Thumbnails {
  /// Of the threads that the plugin has for all apps and loops (`limits.worker_threads`), two are left.
  private static let turns = Turns(most: 3, ofOneApp: 2)
  /// How long one waits for its turn, in milliseconds.
  private static let patience = 5_000

  private let thumbnailer: Thumbnailer
  private let folder: BlobFolder
  private let context: ShardContext

  init(_ thumbnailer: Thumbnailer, _ folder: BlobFolder, _ context: ShardContext) {
    self.thumbnailer = thumbnailer
    self.folder = folder
    self.context = context
  }

  /// The thumbnail of a file that is whole, or why there is none.
  func make(of id: String) async throws -> Thumbnailer.Outcome {
    let (turns, app) = (Thumbnails.turns, context.tenant)
    guard try await turns.wait(context, milliseconds: Thumbnails.patience) else {
      return .absent(.busy)
    }
    defer { turns.end(app) }
    let (thumbnailer, folder) = (thumbnailer, folder)
    return try await context.worker.run { try thumbnailer.make(of: id, in: folder) }
  }
}
