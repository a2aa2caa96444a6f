internal import CSSL
import Glibc

extension SealingKey {
  /// Reads the key from a file of exactly 32 bytes that only its owner can read. Control thread only: it blocks.
  ///
  /// - Parameters:
  ///   - path: the file; its folder must be there.
  ///   - makesMissing: whether to make the file, with a random key and mode 0600, where there is none. It is on disk
  ///     when this returns.
  /// - Throws: ``TenantError/Code/keyFile`` with the path and what to do.
  public convenience init(file path: String, makesMissing: Bool) throws(TenantError) {
    if let key = try Self.read(path) {
      try self.init(key, path: path, isNew: false)
      return
    }
    guard makesMissing else {
      throw Self.refusal(
        path,
        "there is no such file; make one with: (umask 077; head -c 32 /dev/urandom > FILE), and keep a copy"
      )
    }
    let isNew = try Self.make(path)
    // Where another process was faster, its key is the one.
    guard let key = try Self.read(path) else { throw Self.refusal(path, "it is gone again") }
    try self.init(key, path: path, isNew: isNew)
  }

  /// The key; `nil` when there is no such file.
  private static func read(_ path: String) throws(TenantError) -> SecretBytes? {
    // A named pipe is refused, never waited for.
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw refusal(path, "it cannot be read: \(reason())")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw refusal(path, reason()) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw refusal(path, "it is not a regular file")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw refusal(
        path,
        "it belongs to user \(status.st_uid), not to the gateway's user \(geteuid()); use chown")
    }
    guard status.st_mode & 0o077 == 0 else {
      let mode = String(status.st_mode & 0o777, radix: 8)
      throw refusal(path, "others than its owner have rights to it (mode \(mode)); use chmod 600")
    }
    guard status.st_size == length else {
      throw refusal(
        path, "it has \(status.st_size) bytes; a key has exactly \(length), without a line's end")
    }
    return try SecretBytes(count: length) { memory throws(TenantError) in
      var filled = 0
      while filled < length {
        let count = Glibc.read(descriptor, memory.baseAddress! + filled, length - filled)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw refusal(path, count < 0 ? reason() : "it ends early") }
        filled += count
      }
    }
  }

  /// Makes the file, whole or not at all; false when another process has just made it.
  private static func make(_ path: String) throws(TenantError) -> Bool {
    let key = try SecretBytes(count: length) { memory throws(TenantError) in
      guard RAND_priv_bytes(memory.baseAddress, Int32(length)) == 1 else {
        ERR_clear_error()
        throw TenantError(.sealing, "OpenSSL has no randomness for a new key")
      }
    }
    var template = Array("\(path).new-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw refusal(path, "it cannot be made: \(reason())") }
    let draft = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    defer { unlink(draft) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    let failure: String? = key.withBytes { bytes in
      defer { close(descriptor) }
      // A umask may take even the owner's rights.
      guard fchmod(descriptor, 0o600) == 0, write(descriptor, bytes.baseAddress, length) == length,
        fsync(descriptor) == 0
      else { return reason() }
      return nil
    }
    if let failure { throw refusal(path, "it cannot be written: \(failure)") }
    // A link, unlike a rename, never replaces a key that is there.
    if link(draft, path) != 0 {
      if errno == EEXIST { return false }
      throw refusal(path, "it cannot be made: \(reason())")
    }
    try sync(folderOf: path)
    return true
  }

  private static func sync(folderOf path: String) throws(TenantError) {
    let folder = FilePath.folder(of: path)
    let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw refusal(path, "its folder cannot be opened: \(reason())") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw refusal(path, "its folder cannot be synced: \(reason())")
    }
  }

  private static func refusal(_ path: String, _ reason: String) -> TenantError {
    TenantError(.keyFile, "the key file \(path): \(reason)")
  }

  private static func reason() -> String { String(cString: strerror(errno)) }
}
