import Testing

@testable import Gateway

@Suite struct `The checksum of a key` {
  private static let good = "sk_0000000000000000000000000000000000000000000"

  private static func isMistyped(_ text: String) -> Bool {
    withBytes(text) { KeyChecksum.isMistyped($0) }
  }

  private static func whole(_ body: String) -> String {
    let digest = withBytes(body) { Digest(of: $0) }
    var number = UInt64(digest.bytes[0]) << 24 | UInt64(digest.bytes[1]) << 16
    number |= UInt64(digest.bytes[2]) << 8 | UInt64(digest.bytes[3])
    let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    var digits: [Character] = []
    for _ in 0..<6 {
      digits.append(alphabet[Int(number % 62)])
      number /= 62
    }
    return body + String(digits.reversed())
  }

  @Test(arguments: ["sk_", "pk_"])
  func `fits the key that it was made for`(prefix: String) {
    let body = prefix + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789aBcDeFg"
    #expect(!Self.isMistyped(Self.whole(body)))
    // By another program.
    #expect(Self.whole(Self.good) == Self.good + "0J44Uk")
    #expect(!Self.isMistyped(Self.whole(Self.good)))
  }

  @Test func `fits no key of which one character is another, or two are swapped`() {
    let key = Array(Self.whole("sk_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789aBcDeFg"))
    for place in 3..<key.count {
      var typo = key
      typo[place] = key[place] == "a" ? "b" : "a"
      #expect(Self.isMistyped(String(typo)), "\(place)")
      guard place + 1 < key.count, key[place] != key[place + 1] else { continue }
      typo = key
      typo.swapAt(place, place + 1)
      #expect(Self.isMistyped(String(typo)), "\(place)")
    }
  }

  @Test(arguments: [
    "", "sk_", "sk_0", "sk_" + String(repeating: "0", count: 48),
    "sk_" + String(repeating: "0", count: 50), "sk-" + String(repeating: "0", count: 49),
    "xk_" + String(repeating: "0", count: 49), "sk_" + String(repeating: "!", count: 49),
    "ss_" + String(repeating: "0", count: 49), String(repeating: "0", count: 52),
  ])
  func `judges nothing of another shape`(text: String) {
    #expect(!Self.isMistyped(text))
  }
}

@Suite struct `The use of a key` {
  @Test func `is told of at once, and then once a minute`() {
    let use = KeyUse(tenant: "app", id: "key_1")
    #expect(use.note(1_000_000))
    #expect(!use.note(1_000_001), "it is to be told of already")
    #expect(use.takeNews() == KeyUseReport(tenant: "app", id: "key_1", time: 1_000_001))
    #expect(!use.note(1_059_999))
    #expect(use.note(1_060_001))
    #expect(use.takeNews().time == 1_060_001)
  }

  @Test func `belongs to the key also when its scopes change`() {
    var directory = LoopDirectory()
    let digest = withBytes("key") { Digest(of: $0) }
    directory.putKey(digest, KeyRecord(id: "key_1", tenant: "app", scopes: ["a"], expiresAt: 0))
    let use = directory.use(of: digest)
    #expect(use != nil)
    directory.putKey(digest, KeyRecord(id: "key_1", tenant: "app", scopes: ["b"], expiresAt: 0))
    #expect(directory.use(of: digest) === use)
    directory.removeKey("key_1", of: "app")
    #expect(directory.use(of: digest) == nil)
  }
}
