internal import Glibc
internal import PluginCrypto

/// A file that is being received. The one task that receives it has one job at a time work on it, so that it is on one thread at a time, and none
/// of it is kept in memory.
///
/// `@unchecked Sendable`: owned by the worker's thread of the job at work, and between two jobs by the loop's task that awaits them.
final class BlobDraft: @unchecked Sendable {
  let id: String
  private let file: OpenFile
  private let folder: BlobFolder
  private let digest = RunningDigest()

  init(id: String, file: OpenFile, folder: BlobFolder) {
    self.id = id
    self.file = file
    self.folder = folder
  }

  /// Appends bytes.
  func write(_ bytes: [UInt8]) throws(BlobFolder.Failure) {
    digest.add(bytes)
    try file.write(bytes)
  }

  /// Has all of it on disk under its name.
  ///
  /// - Returns: the SHA-256 of what was written.
  func finish() throws(BlobFolder.Failure) -> [UInt8] {
    guard fsync(file.descriptor) == 0 else { throw BlobFolder.Failure("a file cannot be written") }
    try BlobFolder.sync(folder.folder(of: id))
    return digest.finish()
  }

  /// Removes it.
  func abandon() throws(BlobFolder.Failure) { try folder.remove(id) }
}
