import Testing

@testable import Gateway

@Suite struct `Tokens` {
  /// Distinct addresses to name; nobody reads them.
  static func address(_ number: Int) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer(bitPattern: 0x1000 + number * 16)!
  }

  @Test func `name their memory until they are removed`() {
    var table = TokenTable(loop: 3)
    defer { table.destroy() }
    let token = table.insert(Self.address(1), .request)
    #expect(token != 0)
    #expect(loopIndex(ofToken: token) == 3)
    #expect(table.resolve(token, .request) == Self.address(1))
    #expect(table.count == 1)
    table.remove(token)
    #expect(table.resolve(token, .request) == nil)
    #expect(table.count == 0)
    table.remove(token)
    #expect(table.count == 0)
  }

  @Test func `stay stale when their place is taken again`() {
    var table = TokenTable(loop: 0)
    defer { table.destroy() }
    var old: [UInt64] = []
    for round in 0..<1_000 {
      let token = table.insert(Self.address(round), .socket)
      #expect(!old.suffix(3).contains(token))
      #expect(UInt32(truncatingIfNeeded: token) & 0x3f_ffff == 0, "the place is used again")
      for stale in old.suffix(3) {
        #expect(table.resolve(stale, .socket) == nil)
        table.remove(stale)
      }
      #expect(table.resolve(token, .socket) == Self.address(round))
      old.append(token)
      table.remove(token)
    }
    #expect(Set(old).count == 1_000)
  }

  @Test func `of one kind are nothing to functions of another`() {
    var table = TokenTable(loop: 1)
    defer { table.destroy() }
    let kinds: [TokenTable.Kind] = [.request, .socket, .group]
    let tokens = kinds.map { table.insert(Self.address(Int($0.rawValue)), $0) }
    for (kind, token) in zip(kinds, tokens) {
      for asked in kinds {
        let expected = asked == kind ? Self.address(Int(kind.rawValue)) : nil
        #expect(table.resolve(token, asked) == expected)
      }
    }
    // A place may come back as another kind.
    table.remove(tokens[0])
    let group = table.insert(Self.address(9), .group)
    #expect(table.resolve(tokens[0], .request) == nil)
    #expect(table.resolve(group, .request) == nil)
    #expect(table.resolve(group, .group) == Self.address(9))
  }

  @Test func `of another loop, and numbers that never were tokens, are stale`() {
    var one = TokenTable(loop: 1)
    var two = TokenTable(loop: 2)
    defer {
      one.destroy()
      two.destroy()
    }
    let token = one.insert(Self.address(1), .request)
    _ = two.insert(Self.address(2), .request)
    #expect(two.resolve(token, .request) == nil)
    two.remove(token)
    #expect(two.count == 1)
    for number in [0, 1, .max, token + 1, token ^ 1 << 32, token | 3 << 22, token & 0xffff_ffff] {
      #expect(one.resolve(number, .request) == nil)
      one.remove(number)
    }
    #expect(one.count == 1)
  }

  @Test func `survive the table's growth`() {
    var table = TokenTable(loop: 63)
    defer { table.destroy() }
    let tokens = (0..<10_000).map { table.insert(Self.address($0), .request) }
    #expect(Set(tokens).count == 10_000)
    for index in stride(from: 0, to: 10_000, by: 2) { table.remove(tokens[index]) }
    #expect(table.count == 5_000)
    for (index, token) in tokens.enumerated() {
      let expected = index % 2 == 1 ? Self.address(index) : nil
      guard table.resolve(token, .request) == expected else {
        Issue.record("token \(index)")
        return
      }
    }
    let again = (0..<5_000).map { table.insert(Self.address($0), .socket) }
    #expect(Set(again).isDisjoint(with: tokens))
    #expect(again.allSatisfy { UInt32(truncatingIfNeeded: $0) & 0x3f_ffff < 10_000 })
    #expect(again.allSatisfy { loopIndex(ofToken: $0) == 63 })
  }
}
