internal import PluginCrypto

/// What a tenant's secret was before it was rotated.
struct TestRotation: Sendable, Equatable {
  /// SHA-256 of the secret that came.
  var digest: [UInt8]
  var secret: [UInt8]?
  var previous: [UInt8]?
}

extension TestTenants.Tenant {
  /// As `rotate_secret` of ext/tenants.h.
  ///
  /// - Returns: whether so many may be good at once.
  mutating func rotate(_ name: String, _ value: [UInt8], until: Int64, at now: Int64) -> Bool {
    let place = name + ".previous"
    var lines: [(end: Int64, secret: [UInt8])] = []
    if let old = secrets[name] { lines.append((until, old)) }
    for line in (secrets[place] ?? []).split(separator: 0x0A) {
      let time = line.prefix { $0 != 0x20 }
      let end = Int64(String(decoding: time, as: UTF8.self)) ?? 0
      lines.append((min(end, until), Array(line.dropFirst(time.count + 1))))
    }
    guard lines.count(where: { $0.end > now }) <= 4 else { return false }
    rotated[name] = TestRotation(
      digest: Digest.sha256(value), secret: secrets[name], previous: secrets[place])
    let kept: [UInt8] = lines.prefix(4).flatMap { Array("\($0.end) ".utf8) + $0.secret + [0x0A] }
    secrets[place] = kept.isEmpty ? nil : kept
    secrets[name] = value
    return true
  }

  /// As `take_back_secret` of ext/tenants.h.
  mutating func takeBack(_ name: String, digest: [UInt8]) {
    guard let former = rotated[name], former.digest == digest else { return }
    secrets[name] = former.secret
    secrets[name + ".previous"] = former.previous
    rotated[name] = nil
  }
}
