internal import CSSL
internal import PluginCrypto

/// Codes that change with time (RFC 6238): HMAC-SHA-1, steps of 30 seconds, six digits, as every authenticator app has them.
struct TimeCode {
  /// Seconds.
  static let step: Int64 = 30
  static let secretLength = 20
  /// How many steps a clock may be off.
  private static let drift: Int64 = 1

  let secret: [UInt8]

  /// The code of a step (RFC 4226 §5.3).
  func code(at step: Int64) -> String {
    let counter = withUnsafeBytes(of: step.bigEndian) { Array($0) }
    let mac = [UInt8](unsafeUninitializedCapacity: 20) { mac, count in
      _ = HMAC(
        EVP_sha1(), secret, Int32(secret.count), counter, counter.count, mac.baseAddress, nil)
      count = 20
    }
    let offset = Int(mac[19] & 15)
    let bits = mac[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
    let digits = String(bits % 1_000_000)
    return String(repeating: "0", count: 6 - digits.count) + digits
  }

  /// The step that a code is of, if it is of one about now. All that may be are compared, so that the time tells nothing.
  func step(of code: String, at seconds: Int64) -> Int64? {
    let typed = Array(code.utf8)
    var found: Int64?
    for step
      in (seconds / TimeCode.step - TimeCode.drift)...(seconds / TimeCode.step + TimeCode.drift)
    where Digest.areEqual(typed, Array(self.code(at: step).utf8)) {
      found = step
    }
    return found
  }

  /// The secret in base32 (RFC 4648 §6) without padding, as people type it in; 160 bits need none.
  var base32: String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    var characters: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in secret {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 5 {
        count -= 5
        characters.append(alphabet[Int(bits >> count & 31)])
      }
    }
    if count > 0 { characters.append(alphabet[Int(bits << (5 - count) & 31)]) }
    return String(decoding: characters, as: UTF8.self)
  }

  /// What an authenticator app reads from a picture.
  func url(issuer: String, account: String) -> String {
    let issuer = TimeCode.escaped(issuer)
    return "otpauth://totp/\(issuer):\(TimeCode.escaped(account))?secret=\(base32)&issuer=\(issuer)"
      + "&algorithm=SHA1&digits=6&period=\(TimeCode.step)"
  }

  /// Percent-encoded but for what RFC 3986 §2.3 reserves nowhere.
  private static func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
