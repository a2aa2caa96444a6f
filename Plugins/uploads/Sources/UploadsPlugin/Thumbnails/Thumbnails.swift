internal import PluginKit

/// The thumbnails that one loop has made for the app: few at once, so that uploads are written meanwhile. Loop thread only.
final class Thumbnails {
  /// How many are made at once, of the threads that the plugin has.
  private static let atOnce = 2
  /// How often it is looked whether there is room, and how often at most.
  private static let (pause, patience) = (20, 250)

  private let thumbnailer: Thumbnailer
  private let folder: BlobFolder
  private let context: ShardContext
  private var underWay = 0

  init(_ thumbnailer: Thumbnailer, _ folder: BlobFolder, _ context: ShardContext) {
    self.thumbnailer = thumbnailer
    self.folder = folder
    self.context = context
  }

  /// The thumbnail of a file that is whole, or why there is none.
  func make(of id: String) async throws -> Thumbnailer.Outcome {
    var looks = 0
    while underWay >= Thumbnails.atOnce {
      guard looks < Thumbnails.patience else { return .absent(.busy) }
      looks += 1
      try await context.timers.sleep(milliseconds: Thumbnails.pause)
    }
    underWay += 1
    defer { underWay -= 1 }
    let (thumbnailer, folder) = (thumbnailer, folder)
    return try await context.worker.run { try thumbnailer.make(of: id, in: folder) }
  }
}
