internal import Glibc

/// Makes small images of large ones by libvips' `vipsthumbnail`: a process of its own for each, because decoders of strangers' bytes have had, and
/// will have, flaws that must not be the gateway's. Worker threads only.
struct Thumbnailer: Sendable {
  /// Why there is no thumbnail.
  enum Absence: String, Codable, Sendable {
    /// The tool is not installed.
    case unavailable
    /// The image cannot be decoded.
    case unreadable
    /// Decoding takes more time or memory than it may.
    case tooComplex = "too_complex"
    /// Others are being made.
    case busy
  }

  /// A thumbnail on disk.
  struct Made: Sendable {
    let size: ImageSize
    let bytes: Int64
  }

  enum Outcome: Sendable {
    case made(Made)
    case absent(Absence)
  }

  /// Images of which there are thumbnails.
  static let types: Set<String> = [
    "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic",
  ]

  /// The tool's absolute path; nil where it is not installed.
  let tool: String?
  /// The longer side at most.
  let pixels: Int

  init(pixels: Int) {
    self.pixels = pixels
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    tool = path.split(separator: ":").map { "\($0)/vipsthumbnail" }
      .first { $0.hasPrefix("/") && access($0, X_OK) == 0 }
  }

  /// Makes the thumbnail of a file that is whole, and has it on disk.
  func make(of id: String, in folder: BlobFolder) throws(BlobFolder.Failure) -> Outcome {
    guard let tool else { return .absent(.unavailable) }
    let place = folder.folder(of: id)
    let draft = folder.thumbnailDraft(of: id)
    defer { unlink(draft) }
    // The first picture of several, turned as its metadata says, in sRGB.
    let child = Child(
      command: [
        tool, id, "--size", "\(pixels)x\(pixels)>", "--export-profile", "srgb",
        "-o", "draft-%s.webp[Q=80,strip]",
      ],
      environment: [
        "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "VIPS_CONCURRENCY=1",
        // Only decoders that are fuzzed: none of documents, of scripts or by ImageMagick.
        "VIPS_BLOCK_UNTRUSTED=1",
      ],
      folder: place)
    switch child.run() {
    case .exited(0): break
    case .exited(127), .notStarted: return .absent(.unavailable)
    case .exited: return .absent(.unreadable)
    case .killed, .outOfTime: return .absent(.tooComplex)
    }
    guard let file = try folder.open(path: draft), let count = file.size,
      let image = WebPImage(try file.read(Int(count), at: 0))
    else { return .absent(.unreadable) }
    // The tool leaves the profile, and of metadata what it makes itself.
    let bytes = image.bare
    guard let size = ImageSize.webP(bytes) else { return .absent(.unreadable) }
    try folder.write(bytes, to: draft)
    guard rename(draft, folder.thumbnail(of: id)) == 0 else {
      throw BlobFolder.Failure("a thumbnail cannot be written")
    }
    try BlobFolder.sync(place)
    return .made(Made(size: size, bytes: Int64(bytes.count)))
  }
}
