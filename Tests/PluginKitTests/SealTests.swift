import PluginCrypto
import Testing

@Suite struct `A seal` {
  private let seal = Seal(key: Array(0..<32))
  private let nonce: [UInt8] = Array(0..<12)

  @Test(arguments: [0, 1, 1_000]) func `opens for its own message`(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    let sealed = try seal.close(bytes, id: "msg_1", nonce: nonce)
    #expect(seal.open(sealed, id: "msg_1") == bytes)
    #expect(seal.open(sealed, id: "msg_2") == nil)
    #expect(Seal(key: Array(1..<33)).open(sealed, id: "msg_1") == nil)
    for index in [0, sealed.count - 1] {
      var changed = sealed
      changed[index] ^= 1
      #expect(seal.open(changed, id: "msg_1") == nil)
    }
    #expect(seal.open(Array(sealed.dropLast()), id: "msg_1") == nil)
    #expect(seal.open([], id: "msg_1") == nil)
  }
}
