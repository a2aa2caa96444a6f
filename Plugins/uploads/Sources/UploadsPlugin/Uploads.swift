public import PluginKit

/// Files of an app's users, kept in a folder and given out under signed URLs.
public struct Uploads: Plugin {
  let settings: UploadSettings
  let folder: BlobFolder
  /// nil where the app wants none.
  let thumbnailer: Thumbnailer?

  /// - Throws: `ConfigurationError` where settings do not fit together; `HostError` when there can be no folder.
  public init(_ context: InstanceContext) throws {
    settings = try context.config()
    try settings.check()
    folder = BlobFolder(path: try context.folder() + "/blobs")
    thumbnailer = settings.thumbnails ? Thumbnailer(pixels: settings.thumbnailPixels) : nil
    if let thumbnailer, thumbnailer.tool == nil {
      context.log.warning(
        "there are no thumbnails: vipsthumbnail (libvips-tools) is not on the PATH", [:])
    }
  }

  /// One folder and one set of rows for the tenant, whichever loop a request comes in on.
  public func makeShard(_ context: ShardContext) throws -> UploadsShard {
    UploadsShard(settings, folder, thumbnailer, context)
  }
}

/// The plugin on one loop, for one tenant.
public final class UploadsShard: PluginShard {
  let settings: UploadSettings
  let folder: BlobFolder
  let context: ShardContext
  let ledger: Ledger
  let counters: Counters
  let sweep: Sweep
  let removal: Removal
  let thumbnails: Thumbnails?
  /// nil where the settings name none.
  let bucket: Bucket?
  private var key: URLKey?

  init(
    _ settings: UploadSettings, _ folder: BlobFolder, _ thumbnailer: Thumbnailer?,
    _ context: ShardContext
  ) {
    self.settings = settings
    self.folder = folder
    self.context = context
    ledger = Ledger(settings, context)
    counters = Counters(context)
    bucket = settings.bucket(of: context.tenant).map { Bucket($0, context) }
    removal = Removal(folder, bucket, ledger, context)
    sweep = Sweep(folder, ledger, removal, counters.swept, context)
    thumbnails = thumbnailer.map { Thumbnails($0, folder, context) }
    sweep.begin()
  }

  /// The routes and the service that `plugin.json` declares.
  public static func register(_ on: inout Registry<UploadsShard>) {
    on.route("create_upload", UploadsShard.createUpload)
    on.route("list_uploads", UploadsShard.listUploads)
    on.route("read_upload", UploadsShard.readUpload)
    on.route("delete_upload", UploadsShard.deleteUpload)
    on.route("delete_uploads", UploadsShard.deleteUploads)
    on.route("read_content", UploadsShard.readContent)
    on.route("read_thumbnail", UploadsShard.readThumbnail)
    on.service("sluice.uploads/1", method: 1) { (shard, query: Erasure) async throws in
      try await shard.erase(query)
    }
    on.service("sluice.uploads/1", method: 2) { (shard, query: Finding) async throws in
      try await shard.find(query)
    }
    on.service("sluice.uploads/1", method: 3) { (shard, query: Removing) async throws in
      try await shard.remove(query)
    }
  }

  /// No more is swept; what is under way comes to its end.
  public func drain() { sweep.end() }

  /// What signs URLs; made when it is first needed.
  func urlKey() async throws -> URLKey {
    if let key { return key }
    let made = try await URLKey.read(context)
    key = made
    return made
  }
}

/// What is counted on `/metrics`.
struct Counters {
  let received: Metric?
  let receivedBytes: Metric?
  let refused: Metric?
  let swept: Metric?

  init(_ context: ShardContext) {
    received = try? context.metrics.counter("received_total", "Uploads that are kept.")
    receivedBytes = try? context.metrics.counter("received_bytes_total", "Bytes of these.")
    refused = try? context.metrics.counter(
      "refused_total", "Uploads that were too large, of a wrong type, or broken off.")
    swept = try? context.metrics.counter(
      "swept_total", "What was left over of uploads that had not come to their end.")
  }
}
