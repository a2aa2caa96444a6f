internal import PluginCrypto
internal import PluginKit

/// How somebody else signs what he sends, and what he knows it by. All of them sign the bytes as they came.
enum Sender: String, Codable, Sendable {
  /// Standard Webhooks 1.0.0.
  case standard
  case stripe
  case github

  /// What is signed when, and under which name it is taken once.
  struct Claim {
    /// What the signature is over.
    var signed: [UInt8]
    /// Any of which may be good.
    var signatures: [[UInt8]]
    /// Signed itself, so that nobody sends the same under another name; nil: what the body says, or else the signature.
    var id: String?
  }

  /// How far the time of a signature may be from now, in milliseconds.
  static let tolerance: Int64 = 300_000

  /// The bytes of a secret as it is told; nil when it is none of this kind.
  func key(of secret: String) -> [UInt8]? {
    switch self {
    case .standard:
      guard secret.hasPrefix("whsec_") else { return nil }
      return Base64.standard.decode(secret.dropFirst("whsec_".count).utf8).flatMap {
        (24...64).contains($0.count) ? $0 : nil
      }
    case .stripe, .github: return Array(secret.utf8)
    }
  }

  /// What a request claims; nil when a field is missing or malformed, or its time is not now.
  func claim(_ body: [UInt8], at now: Timestamp, _ field: (String) -> String?) -> Claim? {
    switch self {
    case .standard: standard(body, at: now, field)
    case .stripe: stripe(body, at: now, field)
    case .github:
      field("x-hub-signature-256").flatMap { Self.hexadecimal($0, behind: "sha256=") }.map {
        Claim(signed: body, signatures: [$0], id: nil)
      }
    }
  }

  private func standard(_ body: [UInt8], at now: Timestamp, _ field: (String) -> String?) -> Claim?
  {
    guard let id = field("webhook-id"), (1...256).contains(id.utf8.count),
      let time = field("webhook-timestamp"), Self.isNow(time, now),
      let signatures = field("webhook-signature")
    else { return nil }
    return Claim(
      signed: Array("\(id).\(time).".utf8) + body,
      signatures: signatures.split(separator: " ").prefix(16).compactMap {
        $0.hasPrefix("v1,") ? Base64.standard.decode($0.dropFirst(3).utf8) : nil
      }, id: id)
  }

  private func stripe(_ body: [UInt8], at now: Timestamp, _ field: (String) -> String?) -> Claim? {
    guard let parts = field("stripe-signature")?.split(separator: ",").prefix(16),
      let time = parts.first(where: { $0.hasPrefix("t=") })?.dropFirst(2),
      Self.isNow(String(time), now)
    else { return nil }
    return Claim(
      signed: Array("\(time).".utf8) + body,
      signatures: parts.compactMap { Self.hexadecimal(String($0), behind: "v1=") }, id: nil)
  }

  private static func isNow(_ seconds: String, _ now: Timestamp) -> Bool {
    guard seconds.utf8.count <= 12, let seconds = Int64(seconds) else { return false }
    return abs(now.unixMilliseconds - seconds * 1_000) <= tolerance
  }

  /// A signature of 32 bytes behind its prefix.
  private static func hexadecimal(_ text: String, behind prefix: String) -> [UInt8]? {
    guard text.hasPrefix(prefix), text.utf8.count == prefix.utf8.count + 64 else { return nil }
    return [UInt8](hexadecimal: text.utf8.dropFirst(prefix.utf8.count))
  }
}

extension Sender.Claim {
  /// Whether one of the signatures is of one of the keys.
  func isGood(with keys: [[UInt8]]) -> Bool {
    keys.contains { key in
      let expected = Digest.hmacSHA256(signed, key: key)
      return signatures.contains { Digest.areEqual($0, expected) }
    }
  }
}
