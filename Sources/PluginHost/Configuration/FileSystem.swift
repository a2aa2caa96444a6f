import Glibc

/// The few questions that reading configuration asks of the file system. Control thread only: all of it blocks.
enum FileSystem {
  /// Why a file or a folder could not be read.
  struct Failure: Error, CustomStringConvertible {
    let description: String

    /// The reason of the last failed system call.
    static var ofSystem: Failure { Failure(description: String(cString: strerror(errno))) }
  }

  /// The bytes of a regular file of at most `limit` bytes. A named pipe is refused, never waited for.
  static func contents(of path: String, limit: Int) throws(Failure) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .ofSystem }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .ofSystem }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Failure(description: "Not a regular file")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(limit, Int(status.st_size)))
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .ofSystem }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= limit else {
        throw Failure(description: "The file is larger than \(limit) bytes")
      }
    }
  }

  /// The names in a folder, sorted, without those that begin with a dot.
  static func names(in folder: String) throws(Failure) -> [String] {
    guard let stream = opendir(folder) else { throw .ofSystem }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// The absolute path without links and dots; `path` itself when there is no such file.
  static func realPath(of path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The files that a pattern names, sorted: `*` and `?` stand in its last component only.
  ///
  /// A pattern that matches nothing gives none; a plain path gives itself, there or not.
  static func files(matching pattern: String) throws(Failure) -> [String] {
    let name = FilePath.name(of: pattern)
    guard name.contains(where: { "*?[".contains($0) }) else { return [pattern] }
    let folder = FilePath.folder(of: pattern)
    return try names(in: folder)
      .filter { fnmatch(name, $0, 0) == 0 }
      .map { FilePath.resolve($0, in: folder) }
  }

  /// Whether there is a regular file at `path`.
  static func isFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}

/// File names as text; nothing here looks at the file system.
enum FilePath {
  /// `path` as seen from `folder`: unchanged when it is absolute.
  static func resolve(_ path: String, in folder: String) -> String {
    if path.hasPrefix("/") || folder.isEmpty || folder == "." { return path }
    var rest = Substring(path)
    while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
    return folder.hasSuffix("/") ? folder + rest : folder + "/" + rest
  }

  /// The folder that `path` stands in; "." for a bare name.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last component of `path`.
  static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// Whether `path` is relative and never leaves the folder it is relative to.
  static func staysInside(_ path: String) -> Bool {
    !path.isEmpty && !path.hasPrefix("/") && !path.hasSuffix("/")
      && path.split(separator: "/", omittingEmptySubsequences: false)
        .allSatisfy { !$0.isEmpty && $0 != ".." && $0 != "." }
  }
}
