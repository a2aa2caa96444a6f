/// Which part of a file a request asks for (RFC 9110 §14).
enum ByteRange: Equatable {
  /// All of it: nothing was asked, or something that a server may overlook.
  case whole
  case part(ClosedRange<Int64>)
  /// It begins behind the end.
  case unsatisfiable

  /// - Parameters:
  ///   - field: the value of `Range`.
  ///   - size: the file's, at least 1.
  init(_ field: String?, size: Int64) {
    self = .whole
    guard let field, let equals = field.firstIndex(of: "="),
      field[..<equals].lowercased() == "bytes"
    else { return }
    let ranges = field[field.index(after: equals)...]
      .split(separator: ",", omittingEmptySubsequences: false).map(ByteRange.trimmed)
      .filter { !$0.isEmpty }
    // Several at once a server may answer with all of it (§14.2), and this one does.
    guard ranges.count == 1, let range = ranges.first, let dash = range.firstIndex(of: "-")
    else { return }
    let first = range[..<dash]
    let last = range[range.index(after: dash)...]
    guard first.utf8.allSatisfy(ByteRange.isDigit), last.utf8.allSatisfy(ByteRange.isDigit),
      !(first.isEmpty && last.isEmpty)
    else { return }
    // What is too large for a number is beyond every end.
    let bound = Int64(last) ?? .max
    if first.isEmpty {
      self = bound == 0 ? .unsatisfiable : .part(max(0, size - min(bound, size))...(size - 1))
      return
    }
    let start = Int64(first) ?? .max
    let end = last.isEmpty ? size - 1 : min(bound, size - 1)
    if start >= size {
      self = .unsatisfiable
    } else if last.isEmpty || bound >= start {
      self = .part(start...end)
    }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
