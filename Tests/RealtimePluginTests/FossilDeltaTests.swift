import Testing

@testable import RealtimePlugin

/// Reads a delta as its format says: what a client does with it.
private struct DeltaReader {
  struct Malformed: Error {}

  var rest: ArraySlice<UInt8>

  mutating func number() throws -> Int {
    let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~".utf8)
    var value = 0
    var count = 0
    while let byte = rest.first, let digit = digits.firstIndex(of: byte) {
      value = value << 6 | digit
      count += 1
      rest = rest.dropFirst()
    }
    guard count > 0 else { throw Malformed() }
    return value
  }

  mutating func take() throws -> UInt8 {
    guard let byte = rest.popFirst() else { throw Malformed() }
    return byte
  }

  static func apply(_ delta: [UInt8], to source: [UInt8]) throws -> [UInt8] {
    var reader = DeltaReader(rest: delta[...])
    let size = try reader.number()
    guard try reader.take() == UInt8(ascii: "\n") else { throw Malformed() }
    var output: [UInt8] = []
    while true {
      let count = try reader.number()
      switch try reader.take() {
      case UInt8(ascii: "@"):
        let offset = try reader.number()
        guard try reader.take() == UInt8(ascii: ","), offset + count <= source.count else {
          throw Malformed()
        }
        output += source[offset..<offset + count]
      case UInt8(ascii: ":"):
        guard reader.rest.count >= count else { throw Malformed() }
        output += reader.rest.prefix(count)
        reader.rest = reader.rest.dropFirst(count)
      case UInt8(ascii: ";"):
        guard output.count == size, count == Int(FossilDelta.checksum(of: output)),
          reader.rest.isEmpty
        else { throw Malformed() }
        return output
      default: throw Malformed()
      }
    }
  }
}

private func delta(_ source: String, _ target: String) -> [UInt8] {
  FossilDelta.make(from: Array(source.utf8), to: Array(target.utf8))
}

@Suite struct `A delta` {
  @Test(arguments: [
    ("", ""), ("", "new"), ("old", ""), ("same", "same"),
    ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"),
    ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmXnopqrstuvwxyz"),
    (String(repeating: "a", count: 100), String(repeating: "a", count: 333)),
    ("one two three four five six seven", "seven six one two three four five"),
  ])
  func `makes the target of the source`(_ source: String, _ target: String) throws {
    let made = try DeltaReader.apply(delta(source, target), to: Array(source.utf8))
    #expect(made == Array(target.utf8))
  }

  @Test func `has the format's numbers, commands and checksum`() {
    // 3 bytes, inserted; "abc" and a zero as one big-endian word, 0x61626300, in digits of six bits.
    #expect(
      String(decoding: delta("", "abc"), as: UTF8.self)
        == "3\n3:abc1XMXB0;".replacing(
          "1XMXB0", with: base64(0x6162_6300)))
    let same = String(repeating: "0123456789abcdef", count: 4)
    #expect(String(decoding: delta(same, same), as: UTF8.self).hasPrefix("10\n10@0,"))
  }

  private func base64(_ number: UInt32) -> String {
    let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~")
    var (rest, text) = (number, "")
    repeat {
      text = String(digits[Int(rest & 63)]) + text
      rest >>= 6
    } while rest > 0
    return text
  }

  @Test func `of texts that differ little is much shorter`() {
    let source = (0..<100).map { #"{"id":\#($0),"state":"waiting"}"# }.joined(separator: ",")
    let target = source.replacing(#""id":50,"state":"waiting""#, with: #""id":50,"state":"done""#)
    #expect(delta(source, target).count < 60)
  }

  @Test func `of texts is text`() throws {
    // Two-byte characters that differ in one of their bytes, in the middle of what is equal.
    let source = "ääääääääääääääääääää é ääääääääääääääääääää"
    let target = "ääääääääääääääääääää è ääääääääääääääääääää ö"
    let made = delta(source, target)
    #expect(String(validating: made, as: UTF8.self) != nil)
    #expect(try DeltaReader.apply(made, to: Array(source.utf8)) == Array(target.utf8))
  }

  @Test func `is right for texts out of few letters, which match in many places`() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      func text() -> [UInt8] {
        (0..<Int.random(in: 0...400, using: &random)).map { _ in
          UInt8.random(in: 0x61...0x62, using: &random)
        }
      }
      let source = text()
      var target = text()
      if Bool.random(using: &random), !source.isEmpty {
        let cut = Int.random(in: 0..<source.count, using: &random)
        target = source[cut...] + target + source[..<cut]
      }
      let made = FossilDelta.make(from: source, to: target)
      #expect(try DeltaReader.apply(made, to: source) == target)
    }
  }
}
