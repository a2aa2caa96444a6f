import Testing

@testable import Store

@Suite struct `A row block` {
  private func sample() -> RowBlock {
    let writer = RowBlockWriter()
    writer.begin()
    writer.beginStatement(columns: [])
    writer.endStatement(rowsChanged: -1)
    writer.beginStatement(columns: ["a", "größe"])
    for row in [
      [SQLValue.null, .integer(.min)], [.real(1.5), .text("x")], [.blob([1, 2]), .text("")],
    ] {
      writer.beginRow()
      for value in row { writer.append(value) }
    }
    writer.endStatement(rowsChanged: 3)
    writer.appendEvents(
      [EventPosition(sequence: 9, offset: nil), EventPosition(sequence: 10, offset: 4)],
      epoch: "abcdefgh")
    return writer.finish()
  }

  @Test func `has the layout that is written down`() {
    let writer = RowBlockWriter()
    writer.begin()
    writer.beginStatement(columns: ["id"])
    writer.beginRow()
    writer.append(.integer(258))
    writer.beginRow()
    writer.append(.text("é"))
    writer.endStatement(rowsChanged: 7)
    writer.appendEvents([EventPosition(sequence: 2, offset: 1)], epoch: "ep")
    let expected: [UInt8] =
      [1, 0, 0, 0] + [7, 0, 0, 0, 0, 0, 0, 0] + [2, 0, 0, 0] + [1, 0, 0, 0]
      + [2, 0, 0, 0, 0x69, 0x64] + [1, 2, 1, 0, 0, 0, 0, 0, 0] + [3, 2, 0, 0, 0, 0xc3, 0xa9]
      + [1, 0, 0, 0] + [2, 0, 0, 0, 0, 0, 0, 0] + [1, 0, 0, 0, 0, 0, 0, 0]
      + [2, 0, 0, 0, 0x65, 0x70]
    #expect(writer.finish().bytes == expected)
  }

  @Test func `is read as it was written`() throws {
    let block = sample()
    let results = try block.decoded()
    #expect(results.count == 2)
    #expect(results[0] == RowBlock.Rows(rowsChanged: -1, columns: [], rows: []))
    #expect(results[1].columns == ["a", "größe"])
    #expect(results[1].rows[0] == [.null, .integer(.min)])
    #expect(results[1][1, "größe"] == .text("x"))
    #expect(results[1][2, "a"] == .blob([1, 2]))
    #expect(results[1][3, "a"] == nil)
    #expect(results[1][0, "b"] == nil)
    try block.bytes.withUnsafeBytes { bytes in
      var reader = try RowBlockReader(bytes)
      let tail = try reader.finish()
      #expect(tail?.epoch == "abcdefgh")
      #expect(tail?.events.map(\.sequence) == [9, 10])
      #expect(tail?.events.map(\.offset) == [nil, 4])
    }
  }

  @Test func `can be skipped over and refuses more cells than there are`() throws {
    try sample().bytes.withUnsafeBytes { bytes in
      var reader = try RowBlockReader(bytes)
      #expect(reader.statementCount == 2)
      _ = try reader.nextStatement()
      #expect(throws: MalformedRowBlock.self) { try reader.nextCell() }
      let header = try reader.nextStatement()
      #expect(header?.rowCount == 3)
      _ = try reader.nextCell()
      #expect(try reader.nextStatement() == nil)
    }
  }

  @Test func `cut short at any byte is an error`() throws {
    let bytes = sample().bytes
    // Where the statements end, and only there, it is a whole block: that of a read.
    let tail = 4 + 2 * 16 + 4 + 8
    for length in 0..<bytes.count where length != bytes.count - tail {
      #expect(throws: MalformedRowBlock.self, "cut to \(length)") {
        try RowBlock(bytes: Array(bytes[..<length])).decoded()
      }
    }
    #expect(throws: MalformedRowBlock.self) { try RowBlock(bytes: bytes + [0]).decoded() }
  }

  @Test func `with any byte changed is an error or other values, never a trap`() {
    var bytes = sample().bytes
    var refused = 0
    for index in bytes.indices {
      let original = bytes[index]
      for value in [0, 1, 2, 5, 127, 128, 255] as [UInt8] {
        bytes[index] = value
        do { _ = try RowBlock(bytes: bytes).decoded() } catch { refused += 1 }
      }
      bytes[index] = original
    }
    #expect(refused > bytes.count)
  }

  @Test func `of random bytes is never a trap`() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0..<80, using: &generator)).map { _ in
        Bool.random(using: &generator)
          ? UInt8.random(in: 0...4, using: &generator) : .random(in: 0...255)
      }
      _ = try? RowBlock(bytes: bytes).decoded()
    }
  }

  @Test(arguments: [
    ([255, 255, 255, 255], "statements do not fit"),
    (
      [1, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + [255, 255, 255, 255, 0, 0, 0, 0], "columns"
    ),
    (
      [1, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + [0, 0, 0, 0, 255, 255, 255, 255], "columns"
    ),
    (
      [1, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + [255, 255, 255, 255, 1, 0, 0, 0]
        + [0, 0, 0, 0], "rows do not fit"
    ),
    ([0, 0, 0, 0, 255, 255, 255, 255], "events do not fit"),
  ])
  func `that claims more than it holds is refused before memory is taken`(
    _ bytes: [UInt8], _ reason: String
  ) {
    do {
      _ = try RowBlock(bytes: bytes).decoded()
      Issue.record("no error")
    } catch {
      #expect(error.reason.contains(reason))
    }
  }

  @Test func `of a history page has the columns of the contract`() throws {
    let page = HistoryPage(
      publications: [
        CommittedEvent(
          sequence: 5, channel: "c", offset: 2, type: "t", id: "i", timeMilliseconds: 9,
          data: Array("{}".utf8))
      ], topOffset: 2, epoch: "e", isTruncated: false)
    let rows = try page.rowBlock().decoded()
    #expect(rows[0].columns == ["sequence", "offset", "time_ms", "type", "id", "data"])
    #expect(
      rows[0].rows == [
        [.integer(5), .integer(2), .integer(9), .text("t"), .text("i"), .text("{}")]
      ])
    #expect(rows[1].columns == ["top_offset", "epoch"])
    #expect(rows[1].rows == [[.integer(2), .text("e")]])
  }
}
