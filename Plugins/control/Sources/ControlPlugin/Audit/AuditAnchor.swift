internal import Glibc
internal import PluginKit

/// The number and the hash of the audit log's last entry, in a file outside of the database: without it nobody could tell from the
/// log alone that entries are missing at its end, for each holds the hash of the one before it and none that of the next.
///
/// An entry is on disk before it stands here, and stands here before its request is answered: a crash in between leaves a log that
/// goes on behind what stands here, never one that ends before it. `sluice audit verify` compares the two.
struct AuditAnchor: Sendable {
  /// The plugin's folder.
  let folder: String

  private var path: String { folder + "/control_audit.head" }

  /// Notes an entry, unless a later one stands there: other loops write too. [worker-thread]
  ///
  /// - Throws: `HostError` with what the system says.
  func note(_ head: AuditHead) throws {
    let lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0 else { throw failure }
    defer { close(lock) }
    guard flock(lock, LOCK_EX) == 0 else { throw failure }
    if let known, known >= head.seq { return }
    let draft = path + ".new"
    let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure }
    let line = Array("\(head.seq)=\(head.hash)\n".utf8)
    let isWritten = write(file, line, line.count) == line.count && fsync(file) == 0
    close(file)
    guard isWritten, rename(draft, path) == 0, fsync(lock) == 0 else { throw failure }
  }

  /// The number that stands there; nil when none does.
  private var known: Int64? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = read(file, &bytes, bytes.count)
    guard count > 0 else { return nil }
    return Int64(
      String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self))
  }

  private var failure: HostError {
    HostError(.internal, "\(path): \(String(cString: strerror(errno)))")
  }
}
