internal import Wire

extension [UInt8] {
  /// Two lower-case hexadecimal digits for each byte, the first of them for its upper half. Any thread.
  public var hexadecimal: String {
    var output = ByteWriter(growingFrom: 2 * count)
    defer { output.deallocate() }
    withUnsafeBytes { Hexadecimal.encode($0, into: &output) }
    return output.text
  }

  /// The bytes of two hexadecimal digits each, in either case, in ASCII; nil for anything else. Any thread.
  public init?(hexadecimal text: some Sequence<UInt8>) {
    var output = ByteWriter(growingFrom: 64)
    defer { output.deallocate() }
    let isText = Array(text).withUnsafeBytes { Hexadecimal.decode($0, into: &output) }
    guard isText else { return nil }
    self = Array(output.bytes)
  }
}
