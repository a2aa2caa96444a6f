internal import CSSL
internal import Wire

/// Digests as text: what stands in names and in chains.
enum HexDigest {
  /// SHA-256 in lower-case hexadecimal digits. Any thread.
  static func sha256(_ bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    _ = SHA256(bytes, bytes.count, &digest)
    return text(of: digest)
  }

  /// Bytes in lower-case hexadecimal digits. Any thread.
  static func text(of bytes: [UInt8]) -> String {
    var text = ByteWriter(growingFrom: 64)
    defer { text.deallocate() }
    bytes.withUnsafeBytes { Hexadecimal.encode($0, into: &text) }
    return String(decoding: text.bytes, as: UTF8.self)
  }
}
