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

  /// Links are removed, not followed.
  private static func removeTree(_ path: String, depth: Int) {
    if unlink(path) == 0 || errno == ENOENT || depth > 32 { return }
    guard let stream = opendir(path) else { return }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    closedir(stream)
    for name in names { removeTree(FilePath.resolve(name, in: path), depth: depth + 1) }
    rmdir(path)
  }
}
