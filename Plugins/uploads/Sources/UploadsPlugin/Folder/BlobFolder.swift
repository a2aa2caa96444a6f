internal import Glibc

/// Files by the ids of their uploads, in one folder of the app's: `blobs/7x/upl_…7x`. Worker threads only.
///
/// A file stands under its name from its first byte, and its row says whether it is whole. Whoever writes it holds a lock on it that ends with
/// the process: so what a crash has left is told at once from what is still being written, also by the process of another generation.
struct BlobFolder: Sendable {
  /// Absolute.
  let path: String

  /// What the system refused, for the log.
  struct Failure: Error, CustomStringConvertible {
    let description: String
    /// Whether the disk, or what of it the gateway may have, is full.
    let isFull: Bool

    /// Of the last system call.
    init(_ what: String) {
      let reason = errno
      isFull = reason == ENOSPC || reason == EDQUOT
      description = "\(what): \(String(cString: strerror(reason)))"
    }
  }

  /// Names that end alike share a folder, of 1,024: the end of an id is drawn by chance.
  func folder(of id: String) -> String { "\(path)/\(id.suffix(2))" }

  func file(of id: String) -> String { "\(folder(of: id))/\(id)" }

  /// Where a file is made and locked before anybody looks for it under its name.
  func draft(of id: String) -> String { "\(folder(of: id))/.\(id)" }

  /// Where the thumbnail of an image is.
  func thumbnail(of id: String) -> String { file(of: id) + ".thumb" }

  /// Where a thumbnail is made.
  func thumbnailDraft(of id: String) -> String { "\(folder(of: id))/draft-\(id).webp" }

  /// Begins a file.
  func begin(_ id: String) throws(Failure) -> BlobDraft {
    try make(path)
    if try make(folder(of: id)) { try BlobFolder.sync(path) }
    let draft = draft(of: id)
    let descriptor = Glibc.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure("a file cannot be made") }
    let file = OpenFile(descriptor)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, rename(draft, self.file(of: id)) == 0 else {
      let failure = Failure("a file cannot be locked")
      unlink(draft)
      throw failure
    }
    return BlobDraft(id: id, file: file, folder: self)
  }

  /// Makes a file of these bytes in place of what it held, and has them on disk; the caller has its name on disk.
  func write(_ bytes: [UInt8], to path: String) throws(Failure) {
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure("a file cannot be made") }
    let file = OpenFile(descriptor)
    try file.write(bytes)
    guard fsync(descriptor) == 0 else { throw Failure("a file cannot be written") }
  }

  /// Opens a whole file to be read.
  ///
  /// - Returns: nil when it is not there.
  func open(path: String) throws(Failure) -> OpenFile? {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    if descriptor >= 0 { return OpenFile(descriptor) }
    guard errno == ENOENT else { throw Failure("a file cannot be read") }
    return nil
  }

  /// What is left of an upload that nobody finishes any more.
  enum Remnant: Sendable {
    /// Its file is held by whoever is writing it.
    case inUse
    /// There is a file, which the caller holds now.
    case held(OpenFile)
    case nothing
  }

  /// Takes the file of an upload, if nobody has it.
  ///
  /// - Parameter alsoDraft: whether a file that has not its name yet is taken too. Its writer may be about to lock it, and must not find that it cannot.
  func take(_ id: String, alsoDraft: Bool) throws(Failure) -> Remnant {
    for path in alsoDraft ? [file(of: id), draft(of: id)] : [file(of: id)] {
      let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        guard errno == ENOENT else { throw Failure("what is left of an upload cannot be opened") }
        continue
      }
      let file = OpenFile(descriptor)
      return flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? .held(file) : .inUse
    }
    return .nothing
  }

  /// Removes an upload's files; when this returns it is gone for good. One that is not there is gone.
  func remove(_ id: String) throws(Failure) {
    for path in [thumbnail(of: id), thumbnailDraft(of: id), file(of: id), draft(of: id)] {
      guard unlink(path) == 0 || errno == ENOENT else { throw Failure("a file cannot be removed") }
    }
    // Without the folder there is nothing to be lasting.
    guard access(folder(of: id), F_OK) == 0 else { return }
    try BlobFolder.sync(folder(of: id))
  }

  /// Has the names in a folder on disk.
  static func sync(_ folder: String) throws(Failure) {
    let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure("a folder cannot be opened") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Failure("a folder cannot be written") }
  }

  /// - Returns: whether it was not there.
  @discardableResult
  private func make(_ folder: String) throws(Failure) -> Bool {
    if mkdir(folder, 0o700) == 0 { return true }
    guard errno == EEXIST else { throw Failure("a folder cannot be made") }
    return false
  }
}

/// A file that is open, and is closed with the last reference. Any thread.
final class OpenFile: Sendable {
  let descriptor: Int32

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Writes bytes behind those that were written. Worker threads only.
  func write(_ bytes: [UInt8]) throws(BlobFolder.Failure) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw BlobFolder.Failure("a file cannot be written") }
      written += count
    }
  }

  /// How many bytes there are; nil when that cannot be told. Worker threads only.
  var size: Int64? {
    var entry = stat()
    return fstat(descriptor, &entry) == 0 ? Int64(entry.st_size) : nil
  }

  /// Up to `count` bytes from `offset` on; fewer at the end of the file. Worker threads only.
  func read(_ count: Int, at offset: Int64) throws(BlobFolder.Failure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let more = bytes.withUnsafeMutableBytes {
        pread(
          descriptor, $0.baseAddress.map { $0 + filled }, count - filled, Int(offset) + filled)
      }
      if more < 0 && errno == EINTR { continue }
      guard more >= 0 else { throw BlobFolder.Failure("a file cannot be read") }
      if more == 0 { break }
      filled += more
    }
    return filled == count ? bytes : Array(bytes.prefix(filled))
  }
}
