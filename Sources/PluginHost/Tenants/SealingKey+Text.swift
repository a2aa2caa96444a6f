extension SealingKey {
  /// A key that came as 64 hexadecimal digits.
  convenience init(hexadecimal text: String) throws(TenantError) {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while rest.count >= 2,
      let byte = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
    {
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    guard bytes.count == Self.length, rest.isEmpty else {
      throw TenantError(.invalid, "the key is not 64 hexadecimal digits")
    }
    let key = bytes.withUnsafeBytes { SecretBytes(copying: $0) }
    try self.init(key, path: "the key that was given", isNew: false)
  }

  /// The key as 64 hexadecimal digits, for a process that may have it.
  var hexadecimal: String {
    withKey { bytes in
      bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}
