internal import Glibc

/// The folder with the process's own copies of plugins' libraries.
///
/// A plugin is loaded from a copy under a name that is used once. So a file that is overwritten in place does not change
/// the code that runs, and a new version is a new image: the loader knows images by name and by inode, and would
/// give back the old one. The folder is emptied at each start; the data directory's lock keeps it one process's own.
///
/// `@unchecked Sendable`: used while starting, then on the control thread alone.
final class PluginImages: @unchecked Sendable {
  private let folder: String
  private var count = 0

  /// Makes the folder, or empties it.
  ///
  /// - Throws: ``PluginImagesUnavailable`` with the folder and the system's reason.
  init(in dataDirectory: String) throws(PluginImagesUnavailable) {
    folder = FilePath.resolve("images", in: dataDirectory)
    guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw .ofSystem(folder) }
    do throws(FileSystem.Failure) {
      for name in try FileSystem.names(in: folder) {
        unlink(FilePath.resolve(name, in: folder))
      }
    } catch {
      throw PluginImagesUnavailable(description: "\(folder): \(error.description)")
    }
  }

  /// Writes a copy of a library.
  func copy(_ bytes: [UInt8], of manifest: PluginManifest) throws(PluginImagesUnavailable)
    -> PluginImageFile
  {
    count += 1
    let path = FilePath.resolve("\(manifest.id)-\(manifest.version)-\(count).so", in: folder)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o500)
    guard descriptor >= 0 else { throw .ofSystem(path) }
    defer { close(descriptor) }
    let file = PluginImageFile(path: path)
    try Self.write(bytes, to: descriptor, path: path)
    return file
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32, path: String)
    throws(PluginImagesUnavailable)
  {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw .ofSystem(path) }
      rest = rest.dropFirst(written)
    }
  }
}

/// A copy of a library, which is removed with the last who needs it: a version that was refused, or that nobody is
/// served by any more. What is mapped of it stays in memory.
final class PluginImageFile: Sendable {
  let path: String

  fileprivate init(path: String) { self.path = path }

  deinit { unlink(path) }
}

/// Why no copy of a library can be kept.
struct PluginImagesUnavailable: Error, CustomStringConvertible {
  let description: String

  fileprivate static func ofSystem(_ path: String) -> PluginImagesUnavailable {
    PluginImagesUnavailable(description: "\(path): \(String(cString: strerror(errno)))")
  }
}
