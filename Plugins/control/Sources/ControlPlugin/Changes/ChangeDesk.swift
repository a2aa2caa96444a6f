internal import Glibc
internal import PluginKit
internal import Synchronization

/// The changes that this instance of the plugin makes, over all its loops, and who else makes some.
///
/// An instance is known by a random number. As long as it lives it holds the lock of the byte at that place of a file of the plugin's,
/// which the system takes from it however it ends: so another instance, of a later generation or a later process, can tell a
/// change that somebody is at work on from one that a crash has left. [any-thread]
final class ChangeDesk: Sendable {
  /// Of this instance.
  let owner: Int64
  private let file: Int32
  private let underway = Mutex<Set<String>>([])

  /// - Parameter folder: the plugin's. [control-thread]
  /// - Throws: `HostError` with what the system says.
  init(folder: String, owner: Int64) throws {
    let path = folder + "/control_changes.owners"
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw HostError(.internal, "\(path): \(String(cString: strerror(errno)))")
    }
    var lock = ChangeDesk.lock(of: owner)
    guard fcntl(file, ChangeDesk.setLock, &lock) == 0 else {
      let reason = String(cString: strerror(errno))
      close(file)
      throw HostError(.internal, "\(path): \(reason)")
    }
    self.file = file
    self.owner = owner
  }

  deinit { close(file) }

  /// Notes that somebody here is at work on a change; false: somebody is already.
  func enter(_ change: String) -> Bool { underway.withLock { $0.insert(change).inserted } }

  func leave(_ change: String) { underway.withLock { _ = $0.remove(change) } }

  /// Whether somebody may still be at work on a change.
  func isUnderway(_ change: String, of other: Int64) -> Bool {
    other == owner ? underway.withLock { $0.contains(change) } : isAlive(other)
  }

  /// Whether an instance lives.
  func isAlive(_ other: Int64) -> Bool {
    guard other != owner else { return true }
    var lock = ChangeDesk.lock(of: other)
    // Where the system does not tell, nobody's work is taken away.
    guard fcntl(file, ChangeDesk.getLock, &lock) == 0 else { return true }
    return lock.l_type != Int16(F_UNLCK)
  }

  /// `F_OFD_GETLK` and `F_OFD_SETLK` of fcntl(2): locks that belong to the open file, so that two instances in one process are two.
  private static let getLock: Int32 = 36
  private static let setLock: Int32 = 37

  private static func lock(of owner: Int64) -> flock {
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_start = off_t(owner)
    lock.l_len = 1
    return lock
  }
}

extension ChangeDesk {
  /// A number that no other instance has: of 62 bits, as a place in a file can be.
  static func number(_ random: [UInt8]) -> Int64 {
    Int64(random.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } >> 2)
  }
}
