import Testing

@testable import Gateway

@Suite struct `Request ids` {
  static let alphabet = Set("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  static func next(_ source: inout RequestIDSource, at now: UInt64) -> String {
    var id = RequestID()
    source.next(unixMilliseconds: now, into: &id)
    return text(id)
  }

  static func text(_ id: RequestID) -> String {
    withUnsafeBytes(of: id) { String(decoding: $0.prefix(id.count), as: UTF8.self) }
  }

  @Test(arguments: [0, 1, .max, 0x1234_5678_9abc_def0] as [UInt64])
  func `are 26 characters of Crockford's base 32`(seed: UInt64) {
    var source = RequestIDSource(seed: seed)
    defer { source.destroy() }
    for now in [0, 1, 1_700_000_000_000, 1 << 48] as [UInt64] {
      let id = Self.next(&source, at: now)
      #expect(id.utf8.count == RequestIDSource.length)
      #expect(Set(id.utf8).isSubset(of: Self.alphabet), "\(id)")
    }
  }

  @Test func `begin with the time, so that they sort by it`() {
    var source = RequestIDSource(seed: 42)
    defer { source.destroy() }
    var before = ""
    for now in [0, 31, 32, 1_000, 1_699_999_999_999, 1_700_000_000_000, 1 << 45] as [UInt64] {
      let id = Self.next(&source, at: now)
      #expect(id > before)
      before = id
    }
    // 2^45 is 1 followed by nine zeros in base 32.
    #expect(before.hasPrefix("1000000000"))
  }

  @Test func `sort by their order within one millisecond, too`() {
    var source = RequestIDSource(seed: 0xffff)
    defer { source.destroy() }
    let ids = (0..<70_000).map { _ in Self.next(&source, at: 1_700_000_000_000) }
    #expect(ids == ids.sorted())
    #expect(Set(ids).count == ids.count)
  }

  @Test func `of two loops differ at one time`() {
    var one = RequestIDSource(seed: 0x1111_2222_3333_4444)
    var two = RequestIDSource(seed: 0x1111_2222_3333_4445)
    defer {
      one.destroy()
      two.destroy()
    }
    let ids = (0..<10_000).flatMap { _ in
      [Self.next(&one, at: 1_700_000_000_000), Self.next(&two, at: 1_700_000_000_000)]
    }
    #expect(Set(ids).count == ids.count)
  }

  static let adoptable: [(text: String, isAdopted: Bool)] = [
    ("a", true), ("A-Z_09.x", true), (String(repeating: "z", count: 64), true),
    ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", true), ("..", true),
    ("", false), (String(repeating: "z", count: 65), false), ("a b", false), ("a\"b", false),
    ("a\\b", false), ("a\nb", false), ("a\0", false), ("é", false), ("a/b", false), ("a:b", false),
    ("a@b", false), ("a[b", false), ("a`b", false), ("a{b", false), ("a\u{7f}", false),
  ]

  @Test(arguments: adoptable) func `are taken over only when they are safe to repeat`(
    text: String, isAdopted: Bool
  ) {
    var id = RequestID()
    withBytes("before") { _ = id.adopt($0) }
    let answer = withBytes(text) { id.adopt($0) }
    #expect(answer == isAdopted)
    #expect(Self.text(id) == (isAdopted ? text : "before"))
  }
}
