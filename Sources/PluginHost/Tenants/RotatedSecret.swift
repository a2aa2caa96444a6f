/// A secret with those before it that are still accepted for a while, as they stand before a rotation.
struct RotatedSecret {
  /// nil where there was none.
  let secret: [UInt8]?
  /// Lines of a time in decimal digits, a space, a secret that is good before that time, and a line feed, newest first.
  let previous: [UInt8]?

  /// Secrets that were rotated out and are kept, at most.
  static let kept = 4
  /// What stands behind the name under which those before are kept.
  static let suffix = ".previous"
  static let lineFeed = UInt8(ascii: "\n")

  init(secret: [UInt8]?, previous: [UInt8]?) {
    self.secret = secret
    self.previous = previous
  }

  /// Those before, once this secret is rotated out; nil when more would be good than are kept, empty when there are none.
  ///
  /// - Parameters:
  ///   - until: Unix milliseconds until which this secret is good, and so every one before it at the most.
  ///   - now: Unix milliseconds.
  func previous(until: Int64, at now: Int64) -> [UInt8]? {
    var lines: [(end: Int64, secret: ArraySlice<UInt8>)] = []
    // One that is over is kept too: whoever still shows what it made is told to come back, not to stay away.
    if let secret { lines.append((until, secret[...])) }
    for line in (previous ?? []).split(separator: Self.lineFeed) {
      let time = line.prefix { $0 != 0x20 }
      guard let end = Int64(String(decoding: time, as: UTF8.self)) else { continue }
      lines.append((min(end, until), line.dropFirst(time.count + 1)))
    }
    guard lines.count(where: { $0.end > now }) <= Self.kept else { return nil }
    return lines.prefix(Self.kept).flatMap { line in
      Array("\(line.end) ".utf8) + line.secret + [Self.lineFeed]
    }
  }

  // MARK: - the journal

  /// Under which name it is noted what there was before the last rotation of a secret. No plugin can ask for it.
  static func journal(of name: String) -> String {
    SealedSettings.prefix + "rotation." + HexDigest.sha256(Array(name.utf8)).prefix(32)
  }

  /// What is noted: the digest of the secret that comes, whether there was one, that, and those before it.
  func journal(digest: String) -> [UInt8] {
    Array("\(digest) \(secret == nil ? 0 : 1)\n".utf8) + (secret ?? []) + [Self.lineFeed]
      + (previous ?? [])
  }

  /// What was noted, if it was of the rotation that has put a secret of this digest.
  init?(journal: [UInt8], digest: String) {
    let parts = journal.split(
      separator: Self.lineFeed, maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].starts(with: digest.utf8), digest.utf8.count == 64 else {
      return nil
    }
    secret = parts[0].last == UInt8(ascii: "1") ? Array(parts[1]) : nil
    previous = parts[2].isEmpty ? nil : Array(parts[2])
  }
}
