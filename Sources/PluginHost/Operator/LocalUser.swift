internal import Glibc

/// A user of this machine, by the name that the system has for it.
struct LocalUser: Sendable, Equatable {
  /// "root", or "uid 1000" where the system knows no name.
  let name: String

  init(id: uid_t) {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var memory = [CChar](repeating: 0, count: 16_384)
    let status = getpwuid_r(id, &entry, &memory, memory.count, &found)
    name = status == 0 && found != nil ? String(cString: entry.pw_name) : "uid \(id)"
  }

  /// Whoever runs this process.
  static var current: LocalUser { LocalUser(id: geteuid()) }

  /// Whoever has connected to a socket of the Unix domain, as the kernel says (unix(7), SO_PEERCRED); nil when it does not.
  static func peer(of socket: Int32) -> LocalUser? {
    // struct ucred: pid, uid, gid.
    var credentials: (Int32, UInt32, UInt32) = (0, 0, 0)
    var size = socklen_t(MemoryLayout.size(ofValue: credentials))
    guard getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else { return nil }
    return LocalUser(id: credentials.1)
  }
}
