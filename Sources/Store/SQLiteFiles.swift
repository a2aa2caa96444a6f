import Glibc

/// The files of the data directory.
struct SQLiteFiles: Sendable {
  let directory: String
  private static let suffix = ".sqlite"

  private var tenants: String { directory + "/tenants" }

  /// Creates what is missing and makes sure that files can be written there.
  init(directory: String) throws(StoreError) {
    var directory = directory
    while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
    guard !directory.isEmpty, !directory.utf8.contains(0) else {
      throw StoreError(.directory, "the data directory's path is empty or holds a NUL byte")
    }
    self.directory = directory
    for path in [directory, tenants] {
      guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
        throw Self.unusable("create", path, errno)
      }
      let handle = opendir(path)
      guard let handle else { throw Self.unusable("read", path, errno) }
      closedir(handle)
      // access() says yes to root even where nobody can write, so a file is written.
      let probe = "\(path)/.probe-\(getpid())"
      let descriptor = open(probe, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw Self.unusable("write to", path, errno) }
      Glibc.close(descriptor)
      unlink(probe)
    }
    Self.sync(directory)
    Self.sync(Self.folder(of: directory))
  }

  private static func unusable(_ verb: String, _ path: String, _ code: Int32) -> StoreError {
    StoreError(
      .directory, "cannot \(verb) the data directory \(path): \(text(code))")
  }

  private static func text(_ code: Int32) -> String {
    "\(String(cString: strerror(code))) (errno \(code))"
  }

  func path(of tenant: String) -> String {
    tenant == Store.controlTenant
      ? directory + "/control" + Self.suffix : tenants + "/" + tenant + Self.suffix
  }

  /// Tenants whose log was left behind with something in it, sorted.
  func tenantsWithLog() throws(StoreError) -> [String] {
    guard let handle = opendir(tenants) else { throw Self.unusable("read", tenants, errno) }
    defer { closedir(handle) }
    var found: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasSuffix(Self.suffix) else { continue }
      let tenant = String(name.dropLast(Self.suffix.count))
      if TenantName.isValid(tenant), Self.hasLog(path(of: tenant)) { found.append(tenant) }
    }
    found.sort()
    if Self.hasLog(path(of: Store.controlTenant)) { found.insert(Store.controlTenant, at: 0) }
    return found
  }

  /// Whether a log lies beside the file. A proper close removes it.
  static func hasLog(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && stat(path + "-wal", &status) == 0 && status.st_size > 0
  }

  /// As ``createIfAbsent(_:)``; a file that is there already is an error.
  static func create(_ path: String) throws(StoreError) {
    guard access(path, F_OK) != 0 else { throw StoreError(.invalid, "\(path) is there already") }
    try createIfAbsent(path)
  }

  /// Creates an empty file that only this user can read; SQLite would let the umask decide, and
  /// gives the log the mode of the file.
  static func createIfAbsent(_ path: String) throws(StoreError) {
    let descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    if descriptor >= 0 {
      Glibc.close(descriptor)
    } else if errno != EEXIST {
      // An existing file is not opened here: closing it would drop SQLite's locks on it.
      let code = errno
      let kind: StoreError.Code =
        code == EROFS ? .readOnly : code == ENOSPC || code == EDQUOT ? .storageFull : .io
      throw StoreError(kind, "cannot create \(path): \(text(code))")
    }
  }

  /// Deletes a closed file with all that belongs to it. Nothing happens if there is none.
  static func delete(_ path: String) throws(StoreError) {
    // The file goes first: a log without its file is dropped by SQLite, a file without its log
    // would be an older, or a broken, one.
    for suffix in ["", "-wal", "-shm"] {
      guard unlink(path + suffix) == 0 || errno == ENOENT else {
        let code = errno
        throw StoreError(
          code == EROFS ? .readOnly : .io, "cannot delete \(path + suffix): \(text(code))")
      }
    }
    sync(folder(of: path))
  }

  /// Puts the file at `other` in the place of a closed file, which afterwards is where the other was, its log beside it.
  /// There is one of the two under the name at every moment. Returns whether there was one before.
  static func exchange(_ path: String, with other: String) throws(StoreError) -> Bool {
    func attempt(_ verb: String, _ result: Int32) throws(StoreError) {
      guard result == 0 else {
        let code = errno
        throw StoreError(
          code == EROFS ? .readOnly : code == ENOSPC || code == EDQUOT ? .storageFull : .io,
          "cannot \(verb) \(path): \(text(code))")
      }
    }
    try attempt("find \(other) to replace", access(other, F_OK))
    let aside = other + ".aside"
    let (log, otherLog, logAside) = (path + "-wal", other + "-wal", other + "-wal.aside")
    unlink(aside)
    let isThere = access(path, F_OK) == 0
    if isThere { try attempt("keep", link(path, aside)) }
    // A log belongs to its file: one that a proper close has not removed would be taken for the other's.
    unlink(path + "-shm")
    let hasLog = access(log, F_OK) == 0
    let otherHasLog = access(otherLog, F_OK) == 0
    do throws(StoreError) {
      if otherHasLog { try attempt("move the log of", rename(otherLog, logAside)) }
      if hasLog { try attempt("move the log of", rename(log, otherLog)) }
      try attempt("replace", rename(other, path))
    } catch {
      if hasLog { rename(otherLog, log) }
      if otherHasLog { rename(logAside, otherLog) }
      unlink(aside)
      throw error
    }
    if otherHasLog { try attempt("move the log of", rename(logAside, log)) }
    if isThere { try attempt("keep", rename(aside, other)) }
    sync(folder(of: path))
    sync(folder(of: other))
    return isThere
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Has a closed file, and its name, on disk. Closing drops SQLite's locks on it, so nobody has it open.
  static func sync(file path: String) throws(StoreError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0, fsync(descriptor) == 0 else {
      let code = errno
      if descriptor >= 0 { Glibc.close(descriptor) }
      throw StoreError(.io, "cannot sync \(path): \(text(code))")
    }
    Glibc.close(descriptor)
    sync(folder(of: path))
  }

  /// Which content a path had, to see whether a damaged file has been replaced.
  struct Identity: Equatable {
    private let inode: UInt64
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      inode = UInt64(status.st_ino)
      size = Int(status.st_size)
      seconds = status.st_mtim.tv_sec
      nanoseconds = status.st_mtim.tv_nsec
    }
  }

  private static func sync(_ directory: String) {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    Glibc.close(descriptor)
  }
}
