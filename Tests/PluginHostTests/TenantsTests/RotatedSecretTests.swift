import Testing

@testable import PluginHost

@Suite struct `A secret that is rotated` {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test func `stays good until the time that was asked for, and those before no longer than it`() {
    let first = RotatedSecret(secret: bytes("a"), previous: nil)
    #expect(first.previous(until: 500, at: 100) == bytes("500 a\n"))
    let second = RotatedSecret(secret: bytes("b"), previous: bytes("500 a\n"))
    #expect(second.previous(until: 300, at: 100) == bytes("300 b\n300 a\n"))
    #expect(second.previous(until: 900, at: 100) == bytes("900 b\n500 a\n"))
    #expect(RotatedSecret(secret: nil, previous: nil).previous(until: 1, at: 1) == [])
  }

  @Test func `is refused where more would be good than are kept, and pushes out what is over`() {
    let four = RotatedSecret(secret: bytes("e"), previous: bytes("90 d\n80 c\n70 b\n60 a\n"))
    #expect(four.previous(until: 99, at: 50) == nil)
    #expect(four.previous(until: 99, at: 60) == bytes("99 e\n90 d\n80 c\n70 b\n"))
    #expect(four.previous(until: 50, at: 50) == bytes("50 e\n50 d\n50 c\n50 b\n"))
  }

  @Test(arguments: [nil, "", "ss_old"], [nil, "500 a\n400 b\n"])
  func `is what it was once it is taken back, if the rotation is the one that is meant`(
    secret: String?, previous: String?
  ) throws {
    let former = RotatedSecret(
      secret: secret.map(bytes(_:)), previous: previous.map(bytes(_:)))
    let digest = String(repeating: "0f", count: 32)
    let journal = former.journal(digest: digest)
    let read = try #require(RotatedSecret(journal: journal, digest: digest))
    #expect(read.secret == former.secret && read.previous == former.previous)
    #expect(RotatedSecret(journal: journal, digest: String(repeating: "f0", count: 32)) == nil)
    #expect(RotatedSecret(journal: journal, digest: "") == nil)
    #expect(RotatedSecret(journal: [], digest: digest) == nil)
    #expect(RotatedSecret.journal(of: String(repeating: "x", count: 64)).utf8.count <= 64)
  }
}
