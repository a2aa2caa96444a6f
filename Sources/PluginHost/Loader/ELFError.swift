/// Why a file cannot be a plugin's library, in words for whoever built or installed it: a sentence of which the
/// file's name is the beginning.
public enum ELFError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The file cannot be opened or read; `reason` is the system's.
  case unreadable(reason: String)
  /// The file does not begin like an object file.
  case notELF
  /// The file ends before something that its headers promise.
  case truncated(size: Int, needed: UInt64)
  /// A table of the file contradicts itself.
  case malformed(what: String)
  /// The file is for another kind of machine.
  case wrongArchitecture(architecture: String, machine: String)
  /// An object file of another kind: an executable, an object that was not linked.
  case notSharedObject(kind: String)
  /// The one function that every plugin exports is not there.
  case entryMissing(symbol: String, exported: Int)

  public var description: String {
    switch self {
    case .unreadable(let reason):
      "cannot be read: \(reason)"
    case .notELF:
      "is not a shared object: it does not begin with the ELF magic number"
    case .truncated(let size, let needed):
      "is truncated: it has \(size) bytes, its headers speak of \(needed); copy it again"
    case .malformed(let what):
      "is damaged: \(what)"
    case .wrongArchitecture(let architecture, let machine):
      "is for \(architecture), this machine is \(machine); build it here or cross-compile"
    case .notSharedObject(let kind):
      "is \(kind), not a shared object; link it with -shared"
    case .entryMissing(let symbol, let exported):
      "does not export \(symbol)"
        + (exported == 0
          ? "; it exports nothing (in Swift the function must be public)"
          : "; it exports \(exported) other symbols")
    }
  }
}
