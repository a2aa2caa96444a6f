import CSQLite
import Synchronization

/// A disk whose sync or write fails on demand, for files whose path contains "faulty". It stands in
/// front of SQLite's own file layer and passes everything else on.
enum FaultyDisk {
  enum Fault: Int {
    case none
    case sync
    case write
    /// What a disk that lies looks like: SQLite finds nonsense.
    case damage
    /// The same, for whoever reads.
    case read
  }

  private static let fault = Atomic<Int>(0)

  static func fail(_ fault: Fault) {
    self.fault.store(fault.rawValue, ordering: .sequentiallyConsistent)
  }

  /// Puts it in place, once in a process. Files opened before are not affected.
  static func install() { _ = installed }

  // Written once by `installed`, which runs under Swift's own lock, and by the first opening of a
  // file, always with the same value.
  nonisolated(unsafe) private static var original: UnsafeMutablePointer<sqlite3_vfs>?
  private static let methods = Mutex<[UInt: UInt]>([:])

  private static let installed: Void = {
    guard let system = sqlite3_vfs_find(nil) else { return }
    original = system
    let copy = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    copy.initialize(to: system.pointee)
    copy.pointee.zName = UnsafePointer(strdupped("faulty"))
    copy.pointee.pNext = nil
    copy.pointee.xOpen = { _, name, file, flags, outFlags in
      guard let original = FaultyDisk.original, let file else { return SQLITE_CANTOPEN }
      let result = original.pointee.xOpen(original, name, file, flags, outFlags)
      if result == SQLITE_OK, let name, String(cString: name).contains("faulty") {
        FaultyDisk.wrap(file)
      }
      return result
    }
    sqlite3_vfs_register(copy, 1)
  }()

  private static func strdupped(_ text: String) -> UnsafeMutablePointer<CChar> {
    let bytes = Array(text.utf8CString)
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    copy.initialize(from: bytes, count: bytes.count)
    return copy
  }

  /// Gives an open file a table of methods that may fail. The tables live as long as the process.
  private static func wrap(_ file: UnsafeMutablePointer<sqlite3_file>) {
    guard let genuine = file.pointee.pMethods else { return }
    let address = methods.withLock { known -> UInt in
      if let made = known.first(where: { $0.value == UInt(bitPattern: genuine) }) {
        return made.key
      }
      let copy = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
      copy.initialize(to: genuine.pointee)
      copy.pointee.xSync = { file, flags in
        switch Fault(rawValue: FaultyDisk.fault.load(ordering: .sequentiallyConsistent)) {
        case .sync: return SQLITE_IOERR | (4 << 8)
        case .damage: return SQLITE_CORRUPT
        default: break
        }
        return FaultyDisk.genuine(file).pointee.xSync(file, flags)
      }
      copy.pointee.xWrite = { file, bytes, count, offset in
        if FaultyDisk.fault.load(ordering: .sequentiallyConsistent) == Fault.write.rawValue {
          return SQLITE_IOERR | (3 << 8)
        }
        return FaultyDisk.genuine(file).pointee.xWrite(file, bytes, count, offset)
      }
      copy.pointee.xRead = { file, bytes, count, offset in
        if FaultyDisk.fault.load(ordering: .sequentiallyConsistent) == Fault.read.rawValue {
          return SQLITE_CORRUPT
        }
        return FaultyDisk.genuine(file).pointee.xRead(file, bytes, count, offset)
      }
      known[UInt(bitPattern: copy)] = UInt(bitPattern: genuine)
      return UInt(bitPattern: copy)
    }
    file.pointee.pMethods = UnsafePointer(bitPattern: address)
  }

  private static func genuine(
    _ file: UnsafeMutablePointer<sqlite3_file>?
  ) -> UnsafePointer<sqlite3_io_methods> {
    let address = UInt(bitPattern: file?.pointee.pMethods)
    guard let found = methods.withLock({ $0[address] }),
      let genuine = UnsafePointer<sqlite3_io_methods>(bitPattern: found)
    else { fatalError("a file without methods") }
    return genuine
  }
}
