import Testing
import Wire

@Suite struct `Percent-encoding` {
  @Test(arguments: [
    // RFC 3986 §2.1
    ("abc", false, "abc"), ("%61%7A%7a", false, "azz"), ("a%2Fb", false, "a/b"),
    ("%252F", false, "%2F"), ("a+b", false, "a+b"), ("a+b%2B", true, "a b+"),
    ("%C3%A9", false, "é"), ("%f0%9f%98%80", false, "😀"), ("", false, ""),
  ])
  func `is decoded once`(text: String, plusIsSpace: Bool, decoded: String) {
    var error: TargetError?
    let result = written { out in
      error = withBytes(text) {
        PercentDecoding.decode($0, plusIsSpace: plusIsSpace, into: &out)
      }
    }
    #expect(error == nil && result == decoded)
  }

  @Test(arguments: [
    ("%", TargetError.invalidPercent), ("a%4", .invalidPercent), ("%g0", .invalidPercent),
    ("%0g", .invalidPercent), ("%%41", .invalidPercent), ("%00", .encodedNul),
    ("a%00b", .encodedNul), ("%ff", .invalidUTF8), ("%c0%af", .invalidUTF8),
    ("%ed%a0%80", .invalidUTF8), ("%c3", .invalidUTF8), ("%f4%90%80%80", .invalidUTF8),
    ("%e0%80%af", .invalidUTF8),
  ])
  func `that is broken is refused`(text: String, error: TargetError) {
    var found: TargetError?
    let result = written { out in
      out.append("kept")
      found = withBytes(text) { PercentDecoding.decode($0, into: &out) }
    }
    #expect(found == error && result == "kept")
    #expect(error.message.utf8CodeUnitCount > 0)
  }

  @Test func `needs room for what it decodes`() {
    var area: [UInt8] = [0, 0]
    area.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      var writer = ByteWriter(base, capacity: 2)
      let error = withBytes("abc") { PercentDecoding.decode($0, into: &writer) }
      #expect(error == .tooLong)
    }
  }

  @Test func `is written for everything but unreserved characters`() {
    let text = written { out in withBytes("a-._~/ é%") { PercentDecoding.encode($0, into: &out) } }
    #expect(text == "a-._~%2F%20%C3%A9%25")
  }
}

@Suite struct `Paths and queries` {
  func segments(_ path: String) -> [String] {
    withBytes(path) { bytes in
      guard let base = bytes.baseAddress else { return [] }
      let span = ByteSpan(from: 0, to: bytes.count)
      var segments = PathSegments(span, in: base)
      var result: [String] = []
      while let segment = segments.next(in: base) { result.append(segment.text(in: base)) }
      return result
    }
  }

  @Test(arguments: [
    ("/", [""]), ("/a", ["a"]), ("/a/b", ["a", "b"]), ("/a/", ["a", ""]), ("//a", ["", "a"]),
    ("/a%2Fb/c", ["a%2Fb", "c"]), ("*", []),
  ])
  func `a path is split before it is decoded`(path: String, expected: [String]) {
    #expect(segments(path) == expected)
  }

  @Test(
    arguments: [
      ("/a/b", nil), ("/a.b/..c/...", nil), ("/a%2Fb", nil), ("/%C3%A9", nil), ("//", nil),
      ("/.", .dotSegment), ("/a/..", .dotSegment), ("/a/../b", .dotSegment), ("/%2e", .dotSegment),
      ("/%2E%2e/b", .dotSegment), ("/.%2e", .dotSegment), ("/a%", .invalidPercent),
      ("/a%4/b", .invalidPercent), ("/%00", .encodedNul), ("/%c0%af", .invalidUTF8),
      ("/%c3/%a9", .invalidUTF8), ("/%ff", .invalidUTF8),
    ] as [(String, TargetError?)])
  func `a path with dot segments or broken encoding is refused`(path: String, error: TargetError?) {
    let found: TargetError? = withBytes(path) { bytes in
      guard let base = bytes.baseAddress else { return nil }
      return PathSegments.check(ByteSpan(from: 0, to: bytes.count), in: base)
    }
    #expect(found == error)
  }

  @Test(arguments: [
    ("", []), ("a", ["a="]), ("a=1&b=2", ["a=1", "b=2"]), ("&&a=1&", ["a=1"]),
    ("a=b=c&=d&e=", ["a=b=c", "=d", "e="]), ("limit=25&after=%2B", ["limit=25", "after=%2B"]),
  ])
  func `a query is pairs`(query: String, expected: [String]) {
    let found: [String] = withBytes(query) { bytes in
      guard let base = bytes.baseAddress else { return [] }
      var items = QueryItems(ByteSpan(from: 0, to: bytes.count))
      var result: [String] = []
      while let item = items.next(in: base) {
        result.append("\(item.name.text(in: base))=\(item.value.text(in: base))")
      }
      return result
    }
    #expect(found == expected)
  }
}
