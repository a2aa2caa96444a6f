/// A JSON text and its tape, parsed strictly (RFC 8259): valid UTF-8, no duplicate keys, no lone
/// surrogates, bounded depth and number of values.
///
/// Made once for a text it keeps a copy of (`init(_:)`), or kept by a loop and used again for each
/// request without allocating (`parse(borrowing:)`). One thread at a time.
public final class JSONDocument {
  var tape = JSONTape()
  private(set) var base: UnsafeRawPointer
  private(set) var size = 0
  private let owned: UnsafeMutableRawPointer?

  /// A document without a text, for `parse(borrowing:)`. Its root is null until then.
  public init() {
    owned = nil
    base = JSONDocument.nothing
    tape.append(JSONDocument.null)
  }

  /// A document with its own copy of `bytes`.
  public convenience init(
    _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = JSONLimits()
  ) throws(JSONError) {
    try self.init(count: bytes.count, limits: limits) { area in area.copyMemory(from: bytes) }
  }

  private init(
    count: Int, limits: JSONLimits, _ fill: (UnsafeMutableRawBufferPointer) -> Void
  ) throws(JSONError) {
    let copy = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 16)
    fill(UnsafeMutableRawBufferPointer(start: copy, count: count))
    owned = copy
    base = UnsafeRawPointer(copy)
    try scan(UnsafeRawBufferPointer(start: copy, count: count), limits)
  }

  /// A document with a copy of `text`.
  public convenience init(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
    let bytes = ContiguousArray(text.utf8)
    try self.init(count: bytes.count, limits: limits) { area in area.copyBytes(from: bytes) }
  }

  deinit { owned?.deallocate() }

  /// Reads another text into this document's memory.
  ///
  /// - Parameter bytes: Borrowed until the next `parse` or until the document goes: every value of the
  ///   document points into them.
  public func parse(
    borrowing bytes: UnsafeRawBufferPointer, limits: JSONLimits = JSONLimits()
  ) throws(JSONError) {
    precondition(owned == nil, "a document with its own text cannot borrow another")
    tape.reset()
    base = bytes.baseAddress ?? JSONDocument.nothing
    do {
      try scan(bytes, limits)
    } catch {
      tape.reset()
      tape.append(JSONDocument.null)
      throw error
    }
  }

  /// The whole text's value.
  public var root: JSONValue { JSONValue(document: self, index: 0) }

  /// The text.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: size) }

  /// Where the value at `pointer` (RFC 6901) begins, or nil if there is none.
  public func locate(pointer: String) -> JSONLocation? {
    root.value(at: pointer)?.location
  }

  private func scan(
    _ bytes: UnsafeRawBufferPointer, _ limits: JSONLimits
  ) throws(JSONError) {
    size = bytes.count
    guard bytes.count < Int(UInt32.max) else {
      throw JSONError(reason: .tooLarge, offset: 0, line: 1, column: 1, pointer: "")
    }
    var scanner = JSONScanner(bytes, base, limits)
    if let reason = scanner.scan(into: &tape) {
      let place = JSONLocation(offset: scanner.i, in: bytes)
      throw JSONError(
        reason: reason, offset: place.offset, line: place.line, column: place.column,
        pointer: scanner.pointer(in: tape))
    }
  }

  private static let null = JSONNode(
    start: 0, end: 0, next: 1, kind: .null, hasEscapes: false, count: 0)
  private static var nothing: UnsafeRawPointer {
    UnsafeRawPointer(("" as StaticString).utf8Start)
  }
}

extension JSONScanner {
  /// The pointer of the innermost value that was begun where the scan stopped.
  func pointer(in tape: borrowing JSONTape) -> String {
    var pointer = ""
    for level in 0..<depth {
      let container = Int(open[level])
      let isInnermost = level + 1 == depth
      let stop = isInnermost ? tape.count : Int(open[level + 1])
      if tape.nodes[container].kind == .array {
        var index = 0
        var child = container + 1
        while child < stop {
          index += 1
          child = Int(tape.nodes[child].next)
        }
        pointer += "/\(index)"
      } else {
        var key = container + 1
        var last = -1
        while key < stop {
          last = key
          if key + 1 >= stop { break }
          key = Int(tape.nodes[key + 1].next)
        }
        if isInnermost, duplicateKey >= 0 { last = duplicateKey }
        if last >= 0 { pointer += "/" + JSONPointer.escaped(tape.nodes[last], p) }
      }
    }
    return pointer
  }
}
