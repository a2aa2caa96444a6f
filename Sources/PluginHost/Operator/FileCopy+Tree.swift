internal import Glibc

/// Copies of folders that somebody may be writing in. [blocking]
extension FileCopy {
  /// What a copy of a folder has taken.
  struct Tree: Sendable, Equatable {
    var files = 0
    /// Paths of what is neither a file nor a folder.
    var leftOut: [String] = []
  }

  private static let depthLimit = 32

  /// Copies a folder with all files and folders in it; one that is not there has none. Files get mode 0600, folders 0700. What
  /// goes while it is copied is as if it had not been there. Links and sockets are not followed and not copied.
  ///
  /// - Parameter target: a name that must be free.
  static func copyTree(_ source: String, to target: String) throws(Failure) -> Tree {
    var tree = Tree()
    try copyFolder(source, to: target, depth: 0, &tree)
    return tree
  }

  private static func copyFolder(
    _ source: String, to target: String, depth: Int, _ tree: inout Tree
  ) throws(Failure) {
    guard kind(of: source) != nil else { return }
    let names: [String]
    do throws(FileSystem.Failure) {
      names = try FileSystem.names(in: source)
    } catch {
      if kind(of: source) == nil { return }
      throw Failure(description: error.description)
    }
    guard mkdir(target, 0o700) == 0 else {
      throw Failure(description: "\(target): \(String(cString: strerror(errno)))")
    }
    for name in names {
      let (from, to) = (FilePath.resolve(name, in: source), FilePath.resolve(name, in: target))
      switch kind(of: from) {
      case nil: continue
      case S_IFDIR where depth < depthLimit:
        try copyFolder(from, to: to, depth: depth + 1, &tree)
      case S_IFREG:
        do throws(Failure) {
          try copy(from, to: to, ownerOf: nil)
          tree.files += 1
        } catch {
          if kind(of: from) != nil { throw error }
        }
      default: tree.leftOut.append(from)
      }
    }
  }

  /// What stands at a path, in the bits of `st_mode`; nil for nothing.
  private static func kind(of path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }
}
