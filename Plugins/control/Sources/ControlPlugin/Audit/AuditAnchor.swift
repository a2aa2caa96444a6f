internal import Glibc
internal import PluginKit

/// The number and the hash of the audit log's last entry, in a file outside of the database: without it nobody could tell from the
/// log alone that entries are missing at its end, for each holds the hash of the one before it and none that of the next.
///
/// An entry is on disk before it stands here, and stands here before its request is answered: a crash in between leaves a log that
/// goes on behind what stands here, never one that ends before it. What stands here gives way only to an entry of a log that has it, so that a
/// log which was cut off and has grown since is missed too. `sluice audit verify` compares the two.
struct AuditAnchor: Sendable {
  /// The plugin's folder.
  let folder: String

  static let file = "control_audit.head"

  private var path: String { folder + "/" + AuditAnchor.file }

  /// What stands there; nil when nothing does. [worker-thread]
  ///
  /// - Throws: `HostError` with what the system says, or that it is no entry.
  func known() throws -> AuditHead? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw failure
    }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = read(file, &bytes, bytes.count)
    guard count >= 0 else { throw failure }
    let parts = bytes[..<count].prefix { $0 != 0x0A }.split(separator: UInt8(ascii: "="))
    guard parts.count == 2, let seq = Int64(String(decoding: parts[0], as: UTF8.self)) else {
      throw HostError(.internal, "\(path) names no record of the log")
    }
    return AuditHead(seq: seq, hash: String(decoding: parts[1], as: UTF8.self))
  }

  /// Notes an entry, unless a later one stands there: other loops write too. [worker-thread]
  ///
  /// - Parameters:
  ///   - entry: which is on disk.
  ///   - checked: an entry that the log is known to have.
  /// - Returns: what stands there, where nothing was noted because the entry alone does not tell that the log has it.
  /// - Throws: `HostError` with what the system says.
  func note(_ entry: AuditLink, trusting checked: AuditHead?) throws -> AuditHead? {
    let lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0 else { throw failure }
    defer { close(lock) }
    guard flock(lock, LOCK_EX) == 0 else { throw failure }
    if let known = try known(), known != entry.before {
      guard known == checked || known == entry.head else { return known }
      if known.seq >= entry.head.seq { return nil }
    }
    let draft = path + ".new"
    let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure }
    let line = Array("\(entry.head.seq)=\(entry.head.hash)\n".utf8)
    let isWritten = write(file, line, line.count) == line.count && fsync(file) == 0
    close(file)
    guard isWritten, rename(draft, path) == 0, fsync(lock) == 0 else { throw failure }
    return nil
  }

  private var failure: HostError {
    HostError(.internal, "\(path): \(String(cString: strerror(errno)))")
  }
}

/// An entry of the log and the one before it.
struct AuditLink {
  var head: AuditHead
  var before: AuditHead
}

extension AuditLink {
  init(_ entry: AuditEntry) {
    head = AuditHead(seq: entry.seq, hash: entry.hash)
    before = AuditHead(seq: entry.seq - 1, hash: entry.previousHash)
  }
}
