/// The program headers of an ELF file: where the addresses that it speaks of lie in the file.
struct ELFSegments {
  private struct Load {
    let address: UInt64
    let offset: UInt64
    let size: UInt64
  }

  private var loads: [Load] = []
  /// Where the dynamic section is, if there is one.
  private(set) var dynamic: (offset: UInt64, size: UInt64)?

  init(of file: ELFFile) throws(ELFError) {
    let table = try file.uint64(at: 32)
    let size = UInt64(try file.uint16(at: 54))
    let count = UInt64(try file.uint16(at: 56))
    guard count == 0 || size >= 56 else {
      throw .malformed(what: "its program headers are too small")
    }
    try file.require(count, of: size, at: table)
    for index in 0..<count {
      let header = table + index * size
      let kind = try file.uint32(at: header)
      let offset = try file.uint64(at: header + 8)
      let length = try file.uint64(at: header + 32)
      if kind == 1 || kind == 2 { try file.require(1, of: length, at: offset) }
      if kind == 1 {
        loads.append(
          Load(address: try file.uint64(at: header + 16), offset: offset, size: length))
      }
      if kind == 2 { dynamic = (offset, length) }
    }
  }

  /// Where in the file the byte lies that will be at `address`.
  func offset(of address: UInt64) throws(ELFError) -> UInt64 {
    for load in loads where address >= load.address && address - load.address < load.size {
      return load.offset + (address - load.address)
    }
    throw .malformed(what: "address \(address) is in none of its segments")
  }
}

/// The dynamic section of an ELF file, with the tables that it leads to.
struct ELFDynamic {
  /// Whether the linker marked the file as a position-independent executable.
  let isExecutable: Bool
  private let file: ELFFile
  private let segments: ELFSegments
  private var entries: [UInt64: UInt64] = [:]
  private var needed: [UInt64] = []

  /// Tags of entries (`d_tag`).
  private enum Tag {
    static let needed: UInt64 = 1
    static let hash: UInt64 = 4
    static let strings: UInt64 = 5
    static let symbols: UInt64 = 6
    static let stringsSize: UInt64 = 10
    static let gnuHash: UInt64 = 0x6fff_fef5
    static let flags1: UInt64 = 0x6fff_fffb
  }

  /// `nil` when the file has no dynamic section.
  init?(of file: ELFFile, in segments: ELFSegments) throws(ELFError) {
    guard let section = segments.dynamic else { return nil }
    self.file = file
    self.segments = segments
    for index in 0..<(section.size / 16) {
      let tag = try file.uint64(at: section.offset + index * 16)
      if tag == 0 { break }
      let value = try file.uint64(at: section.offset + index * 16 + 8)
      if tag == Tag.needed { needed.append(value) } else { entries[tag] = value }
    }
    isExecutable = (entries[Tag.flags1] ?? 0) & 0x0800_0000 != 0
  }

  func neededLibraries() throws(ELFError) -> [String] {
    guard !needed.isEmpty else { return [] }
    let names = try strings()
    var libraries: [String] = []
    for name in needed { libraries.append(try text(name, of: names)) }
    return libraries
  }

  func exportedSymbols() throws(ELFError) -> [String] {
    guard let address = entries[Tag.symbols] else { return [] }
    let table = try segments.offset(of: address)
    let range = try definedSymbols()
    guard !range.isEmpty else { return [] }
    try file.require(range.upperBound, of: 24, at: table)
    let names = try strings()
    var symbols: [String] = []
    for index in range {
      let symbol = table + index * 24
      let binding = file.bytes[Int(symbol) + 4] >> 4
      let visibility = file.bytes[Int(symbol) + 5] & 3
      let isDefined = try file.uint16(at: symbol + 6) != 0
      // Global, weak or unique; default or protected.
      guard isDefined, [1, 2, 10].contains(binding), visibility == 0 || visibility == 3 else {
        continue
      }
      symbols.append(try text(UInt64(try file.uint32(at: symbol)), of: names))
    }
    return symbols.sorted()
  }

  private func strings() throws(ELFError) -> (start: UInt64, end: UInt64) {
    guard let address = entries[Tag.strings], let size = entries[Tag.stringsSize] else {
      throw .malformed(what: "it has no table of names")
    }
    let start = try segments.offset(of: address)
    try file.require(1, of: size, at: start)
    return (start, start + size)
  }

  private func text(
    _ index: UInt64, of names: (start: UInt64, end: UInt64)
  ) throws(ELFError) -> String {
    let (offset, isBeyond) = names.start.addingReportingOverflow(index)
    return try file.text(at: isBeyond ? .max : offset, before: names.end)
  }

  /// The part of the symbol table in which every defined symbol lies. The table's length stands nowhere but in the
  /// hash tables over it.
  private func definedSymbols() throws(ELFError) -> Range<UInt64> {
    if let address = entries[Tag.gnuHash] {
      return try definedSymbols(gnuHash: try segments.offset(of: address))
    }
    guard let address = entries[Tag.hash] else {
      throw .malformed(what: "it has no hash table of its symbols")
    }
    return 0..<UInt64(try file.uint32(at: try segments.offset(of: address) + 4))
  }

  /// The GNU hash table sorts the defined symbols to the end, by bucket; the last chain's end is the table's end.
  private func definedSymbols(gnuHash table: UInt64) throws(ELFError) -> Range<UInt64> {
    let bucketCount = UInt64(try file.uint32(at: table))
    let first = UInt64(try file.uint32(at: table + 4))
    let buckets = table + 16 + UInt64(try file.uint32(at: table + 8)) * 8
    try file.require(bucketCount, of: 4, at: buckets)
    var last: UInt64 = 0
    for index in 0..<bucketCount {
      last = max(last, UInt64(try file.uint32(at: buckets + index * 4)))
    }
    guard last >= first, last > 0 else { return 0..<0 }
    let chains = buckets + bucketCount * 4
    while try file.uint32(at: chains + (last - first) * 4) & 1 == 0 { last += 1 }
    return first..<(last + 1)
  }
}
