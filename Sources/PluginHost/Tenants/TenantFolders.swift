internal import Glibc

/// The folders in which plugins keep files: `files/TENANT/PLUGIN` below the data folder. Everything here blocks.
enum TenantFolders {
  /// Where the folders of a tenant's plugins are.
  static func path(of tenant: String, in dataDirectory: String) -> String {
    FilePath.resolve(tenant, in: FilePath.resolve("files", in: dataDirectory))
  }

  /// Makes a plugin's folder for a tenant, and returns its absolute path. [control-thread]
  ///
  /// - Throws: ``FileSystem/Failure`` with the path and the system's reason.
  static func make(_ plugin: String, of tenant: String, in dataDirectory: String)
    throws(FileSystem.Failure) -> String
  {
    var path = FilePath.resolve("files", in: dataDirectory)
    try make(path)
    for part in [tenant, plugin] {
      path = FilePath.resolve(part, in: path)
      try make(path)
    }
    return FileSystem.realPath(of: path)
  }

  private static func make(_ path: String) throws(FileSystem.Failure) {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw FileSystem.Failure(description: "\(path): \(FileSystem.Failure.ofSystem)")
    }
  }

  /// Deletes all folders of a tenant that has been removed; one that is not there is none. [worker or starting thread]
  static func remove(of tenant: String, in dataDirectory: String) {
    removeTree(path(of: tenant, in: dataDirectory), depth: 0)
  }

  /// Bytes that a folder's files take on disk, to a depth of 32. An operator may have a plugin's folder on another disk, so such a link
  /// is followed, and no other. [worker]
  static func size(of folder: String) -> Int { size(of: folder, depth: 0) }

  private static func size(of path: String, depth: Int) -> Int {
    var entry = stat()
    let isThere = (depth <= 1 ? stat(path, &entry) : lstat(path, &entry)) == 0
    guard isThere else { return 0 }
    let bytes = Int(entry.st_blocks) * 512
    guard entry.st_mode & S_IFMT == S_IFDIR, depth <= 32 else { return bytes }
    return names(in: path).reduce(bytes) {
      $0 + size(of: FilePath.resolve($1, in: path), depth: depth + 1)
    }
  }

  /// What stands in a folder; nothing when it cannot be read.
  private static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  /// Links are removed, not followed.
  static func removeTree(_ path: String, depth: Int) {
    if unlink(path) == 0 || errno == ENOENT || depth > 32 { return }
    for name in names(in: path) { removeTree(FilePath.resolve(name, in: path), depth: depth + 1) }
    rmdir(path)
  }
}
