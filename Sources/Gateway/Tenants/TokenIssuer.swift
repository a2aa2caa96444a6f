internal import Wire

/// The issuer that a JWT claims to be from, unverified: it only leads to the tenant that will verify it.
enum TokenIssuer {
  private static let limit = 4_096

  /// The `iss` claim of a compact JWS (RFC 7515 §7.1, RFC 7519 §4.1.1), if the credential has the shape of one.
  static func claimed(by credential: UnsafeRawBufferPointer) -> String? {
    guard credential.count <= limit, let first = credential.firstIndex(of: 0x2e) else { return nil }
    let rest = credential[(first + 1)...]
    guard let second = rest.firstIndex(of: 0x2e),
      credential[(second + 1)...].firstIndex(of: 0x2e) == nil
    else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: limit, alignment: 16) { memory in
      var payload = ByteWriter(memory.baseAddress.unsafelyUnwrapped, capacity: limit)
      let text = UnsafeRawBufferPointer(rebasing: credential[(first + 1)..<second])
      guard Base64.url.decode(text, into: &payload),
        let document = try? JSONDocument(payload.bytes)
      else { return nil }
      return document.root["iss"]?.string
    }
  }
}
