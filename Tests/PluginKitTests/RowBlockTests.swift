import Testing

@testable import PluginKit

@Suite struct RowBlockTests {
  /// A batch's block: a row with every kind of cell, one event, an epoch.
  static let whole: [UInt8] = {
    var block = le32(1) + le64(3) + le32(1) + le32(5)
    for name in ["n", "i", "r", "t", "b"] { block += text(name) }
    block += [0] + [1] + le64(-7)
    block += [2] + le64(Int64(bitPattern: (1.5).bitPattern))
    block += [3] + text("hé")
    block += [4] + le32(2) + [0, 255]
    return block + le32(1) + le64(9) + le64(4) + text("e1")
  }()

  static func le32(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  static func le64(_ value: Int64) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  static func text(_ text: String) -> [UInt8] {
    le32(UInt32(text.utf8.count)) + Array(text.utf8)
  }

  @Test func `every kind of cell is read`() throws {
    let block = try RowBlock(Self.whole)
    let rows = try #require(block.statements.first)
    #expect(rows.changed == 3)
    #expect(rows.columns == ["n", "i", "r", "t", "b"])
    #expect(rows.cells == [.null, .integer(-7), .real(1.5), .text("hé"), .blob([0, 255])])
    #expect(block.events == [Commit.Position(sequence: 9, offset: 4)])
    #expect(block.epoch == "e1")
  }

  @Test func `a block cut off anywhere is an error, but after its statements it is a read's`() {
    let statementsEnd = Self.whole.count - (4 + 16 + 6)
    for length in 0..<Self.whole.count where length != statementsEnd {
      #expect(throws: RowBlockError.self, "cut at \(length)") {
        try RowBlock(Array(Self.whole[..<length]))
      }
    }
    #expect((try? RowBlock(Array(Self.whole[..<statementsEnd])))?.events.isEmpty == true)
  }

  /// One statement of one column, up to its cells.
  private static let head: [UInt8] = le32(1) + le64(0) + le32(1) + le32(1) + text("a")

  private static let lies: [(String, [UInt8])] = [
    ("bytes after the end", whole + [0]),
    ("more statements than fit", le32(.max)),
    ("more columns than fit", le32(1) + le64(0) + le32(1) + le32(.max)),
    ("more rows than fit", le32(1) + le64(0) + le32(.max) + le32(1) + text("a")),
    ("rows without columns", le32(1) + le64(0) + le32(1_000_000) + le32(0)),
    ("an unknown kind", head + [9]),
    ("a text longer than the block", head + [3] + le32(.max)),
  ]

  @Test(arguments: lies)
  func `a block that lies is an error`(what: String, bytes: [UInt8]) {
    #expect(throws: RowBlockError.self) { try RowBlock(bytes) }
  }

  @Test func `a block with any byte changed is read or refused, and nothing else`() {
    for index in Self.whole.indices {
      for value: UInt8 in [0, 1, 5, 127, 128, 255] {
        var bytes = Self.whole
        bytes[index] = value
        _ = try? RowBlock(bytes)
      }
    }
  }
}
