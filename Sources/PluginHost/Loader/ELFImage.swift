/// What an ELF file says of itself: for whom it was built, what it exports, what it needs.
///
/// The file is read, never mapped or run, so that a plugin that is cut off, damaged or foreign is named before
/// `dlopen` sees it, which would kill the process (`SIGBUS`) or give a line that helps nobody. Field names and
/// numbers are those of the System V ABI, chapters 4 and 5 ("Object Files", "Dynamic Linking").
/// Control thread only: it reads a file.
public struct ELFImage: Sendable, Hashable {
  /// The function that every plugin exports, and nothing else.
  public static let entrySymbol = "sluice_plugin_entry_v1"

  /// The file, as it was named.
  public let path: String
  /// What it was built for.
  public let machine: Machine
  /// Whether it can be loaded into a process; a position-independent executable cannot.
  public let isSharedObject: Bool
  /// Names of the functions and variables that others can see, sorted.
  public let exportedSymbols: [String]
  /// Libraries that the loader has to find first, in the file's order.
  public let neededLibraries: [String]
  private let type: UInt16

  /// A processor architecture, as `e_machine` numbers them.
  public struct Machine: Sendable, Hashable, CustomStringConvertible {
    /// `e_machine` of the ELF header.
    public let number: UInt16

    /// Any number is a machine; what this program runs on is ``current``.
    public init(number: UInt16) { self.number = number }

    /// `EM_X86_64`.
    public static let amd64 = Machine(number: 62)
    /// `EM_AARCH64`.
    public static let arm64 = Machine(number: 183)

    /// The architecture that this program runs on.
    public static var current: Machine {
      #if arch(x86_64)
        .amd64
      #elseif arch(arm64)
        .arm64
      #else
        #error("the number of this architecture is missing here")
      #endif
    }

    /// The name that `uname -m` gives.
    public var description: String {
      switch number {
      case 3: "i386"
      case 8: "mips"
      case 21: "ppc64"
      case 22: "s390x"
      case 40: "arm"
      case 62: "x86_64"
      case 183: "aarch64"
      case 243: "riscv64"
      case 258: "loongarch64"
      default: "architecture \(number)"
      }
    }
  }

  /// Reads a file.
  ///
  /// - Throws: ``ELFError`` when it is no ELF file, is cut off or contradicts itself, or has another word size or
  ///   byte order than this machine. A file for another 64-bit machine is read: ``check()`` refuses it.
  public init(path: String) throws(ELFError) {
    try self.init(try ELFFile(path: path), path: path)
  }

  /// Reads a file that has been read into memory.
  init(_ file: ELFFile, path: String) throws(ELFError) {
    self.path = path
    guard file.bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { throw .notELF }
    try file.require(1, of: 20, at: 0)
    let isBigEndian = file.bytes[5] == 2
    let number = try file.uint16(at: 18)
    machine = Machine(number: isBigEndian ? number.byteSwapped : number)
    guard file.bytes[4] == 2, file.bytes[5] == 1 else {
      throw .wrongArchitecture(
        architecture: "\(machine) (\(file.bytes[4] == 2 ? "64" : "32")-bit"
          + (isBigEndian ? ", big-endian)" : ")"),
        machine: Machine.current.description)
    }
    type = try file.uint16(at: 16)
    let sections = try file.uint64(at: 40)
    if sections != 0 {
      try file.require(
        UInt64(try file.uint16(at: 60)), of: UInt64(try file.uint16(at: 58)), at: sections)
    }
    let segments = try ELFSegments(of: file)
    guard let dynamic = try ELFDynamic(of: file, in: segments) else {
      isSharedObject = false
      exportedSymbols = []
      neededLibraries = []
      return
    }
    isSharedObject = type == Self.dynamicType && !dynamic.isExecutable
    exportedSymbols = try dynamic.exportedSymbols()
    neededLibraries = try dynamic.neededLibraries()
  }

  /// Checks that the file can be loaded here as a plugin.
  ///
  /// - Throws: what keeps it from it, the most telling first: architecture, kind, entry function.
  public func check() throws(ELFError) {
    guard machine == .current else {
      throw .wrongArchitecture(
        architecture: machine.description, machine: Machine.current.description)
    }
    guard isSharedObject else { throw .notSharedObject(kind: kind) }
    guard exportedSymbols.contains(Self.entrySymbol) else {
      throw .entryMissing(symbol: Self.entrySymbol, exported: exportedSymbols.count)
    }
  }

  /// What a plugin exports beside its entry function. It should hide them: a name that two plugins export is a
  /// trap for whoever debugs them, though `RTLD_LOCAL` keeps the two apart.
  public var surplusSymbols: [String] { exportedSymbols.filter { $0 != Self.entrySymbol } }

  private static let dynamicType: UInt16 = 3

  private var kind: String {
    switch type {
    case 1: "an object file that was not linked"
    case 2, Self.dynamicType: "an executable"
    case 4: "a core dump"
    default: "an ELF file of type \(type)"
    }
  }
}
