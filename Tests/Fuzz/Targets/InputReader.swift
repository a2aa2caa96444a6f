/// Takes an input apart: where one byte is too few, what is left, so that every input means something.
struct InputReader {
  private var rest: Slice<UnsafeRawBufferPointer>

  init(_ input: UnsafeRawBufferPointer) { rest = input[...] }

  var isAtEnd: Bool { rest.isEmpty }

  /// The next byte, or 0.
  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  /// The next bytes, as many as a byte before them says, or two bytes when it is `wide`.
  mutating func record(wide: Bool = false) -> [UInt8] {
    let high = wide ? Int(byte()) << 8 : 0
    let count = high | Int(byte())
    let record = Array(rest.prefix(count))
    rest = rest.dropFirst(count)
    return record
  }
}
