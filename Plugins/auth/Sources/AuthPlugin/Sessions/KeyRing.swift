internal import PluginKit

/// The platform's key pairs for access tokens, in the order in which they sign: those that did, the one that does, and the one that will.
///
/// One value, sealed as one secret, so that every loop sees all of a change or nothing.
struct KeyRing: Codable {
  struct Entry: Codable {
    /// The pair in DER, as base64url.
    var pair: String
    /// From when on it signs, in Unix milliseconds.
    var signsFrom: Int64

    enum CodingKeys: String, CodingKey {
      case pair
      case signsFrom = "signs_from"
    }
  }

  /// How long a key is public before it signs, in milliseconds: whoever keeps the key set has to have asked again.
  static let notice: Int64 = 600_000

  var entries: [Entry]

  init(entries: [Entry]) {
    self.entries = entries
  }

  /// What a secret holds: a ring, or one pair in DER, as it was before there were rings.
  init(_ bytes: [UInt8]) throws {
    let isPair = bytes.first == 0x30
    self =
      isPair
      ? KeyRing(entries: [Entry(pair: Base64.url.encode(bytes), signsFrom: 0)])
      : try JSON.decode(from: bytes)
  }

  /// A ring with one key, which signs from now on.
  static func first(at now: Timestamp) throws -> KeyRing {
    KeyRing(entries: [
      Entry(
        pair: Base64.url.encode(try SigningKey.generate().serialized()),
        signsFrom: now.unixMilliseconds)
    ])
  }

  /// The place of the key that signs at `now`.
  func signing(at now: Timestamp) -> Int {
    entries.lastIndex { $0.signsFrom <= now.unixMilliseconds } ?? 0
  }

  /// Whether the next key is to be made.
  ///
  /// - Parameter lifetime: how long one key signs, in milliseconds.
  func isDue(at now: Timestamp, lifetime: Int64) -> Bool {
    let place = signing(at: now)
    return place == entries.count - 1
      && now.unixMilliseconds >= entries[place].signsFrom + lifetime - KeyRing.notice
  }

  /// The places of keys whose last token has not expired: they are public.
  ///
  /// - Parameter tokenLifetime: how long a token is good after it was signed, in milliseconds.
  func places(at now: Timestamp, tokenLifetime: Int64) -> [Int] {
    entries.indices.filter { place in
      place + 1 == entries.count
        || entries[place + 1].signsFrom + tokenLifetime > now.unixMilliseconds
    }
  }

  /// The ring with a next key, and without those that are not public any more.
  func renewed(at now: Timestamp, tokenLifetime: Int64) throws -> KeyRing {
    let kept = places(at: now, tokenLifetime: tokenLifetime)
    let next = Entry(
      pair: Base64.url.encode(try SigningKey.generate().serialized()),
      signsFrom: now.unixMilliseconds + KeyRing.notice)
    return KeyRing(entries: kept.map { entries[$0] } + [next])
  }
}
