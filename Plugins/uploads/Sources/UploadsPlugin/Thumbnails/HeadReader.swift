/// The beginning of a file, byte after byte, out of pieces that are read as they are needed. Worker threads only.
struct HeadReader {
  /// Up to so many bytes of the file from an offset on; fewer at its end.
  typealias Source = (_ count: Int, _ offset: Int64) throws -> [UInt8]

  /// What lies behind is not read: an image says how large it is within a few segments of metadata.
  static let limit: Int64 = 8 << 20
  private static let pieceSize = 16 << 10

  /// Of the next byte.
  private var offset: Int64
  private var piece: [UInt8] = []
  private var pieceOffset: Int64 = 0

  init(from offset: Int64) { self.offset = offset }

  /// The next byte; nil at the end.
  mutating func byte(_ source: Source) rethrows -> UInt8? {
    if offset < pieceOffset || offset >= pieceOffset + Int64(piece.count) {
      guard offset < HeadReader.limit else { return nil }
      piece = try source(HeadReader.pieceSize, offset)
      pieceOffset = offset
      if piece.isEmpty { return nil }
    }
    defer { offset += 1 }
    return piece[Int(offset - pieceOffset)]
  }

  /// The number in the next two bytes, the higher one first; nil at the end.
  mutating func big16(_ source: Source) rethrows -> Int? {
    guard let high = try byte(source), let low = try byte(source) else { return nil }
    return Int(high) << 8 | Int(low)
  }

  /// As ``big16(_:)``, the lower one first.
  mutating func little16(_ source: Source) rethrows -> Int? { try big16(source)?.byteSwapped16 }

  /// Leaves bytes out.
  mutating func skip(_ count: Int) { offset += Int64(count) }
}

extension Int {
  fileprivate var byteSwapped16: Int { self >> 8 | (self & 0xFF) << 8 }
}
