internal import Wire

/// Base64 in its two alphabets (RFC 4648 §4, §5), strict: one text for each sequence of bytes. Any thread.
public enum Base64: Sendable {
  /// `+` and `/`, padded with `=`.
  case standard
  /// `-` and `_`, without padding: for URLs, tokens and keys.
  case url

  private var codec: Wire.Base64 { self == .standard ? .standard : .url }

  /// The text of the bytes.
  public func encode(_ bytes: some Sequence<UInt8>) -> String {
    var output = ByteWriter(growingFrom: 64)
    defer { output.deallocate() }
    Array(bytes).withUnsafeBytes { codec.encode($0, into: &output) }
    return String(decoding: output.bytes, as: UTF8.self)
  }

  /// The bytes of a text in ASCII; nil when a character is none of the alphabet, the length is impossible, the padding is not as it
  /// has to be, or bits that say nothing are not zero (RFC 4648 §3.5).
  public func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var output = ByteWriter(growingFrom: 64)
    defer { output.deallocate() }
    guard Array(text).withUnsafeBytes({ codec.decode($0, into: &output) }) else { return nil }
    return Array(output.bytes)
  }
}
