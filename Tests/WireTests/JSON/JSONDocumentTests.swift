import Testing
import Wire

@Suite struct `JSON documents` {
  /// RFC 8259 §3 to §7.
  static let valid = [
    "null", "true", "false", "0", "-0", "-1.5e+10", "1E5", "0.1", "1e-2", #""""#, #""a""#, "[]",
    "{}", " [ 1 , 2 ] ", "[[],[[]],{}]", #"{"a":{"b":[null,{"c":"d"}]},"e":1}"#,
    #""\"\\\/\b\f\n\r\t""#,
    #""\u0041\u00e9\u20ac\ud83d\ude00\u0000""#, "\"é€😀\"", "\"\u{7f}\"", "\r\n\t[1]\n",
    #"{"":1}"#, #"{"a":1,"A":2}"#, "\"0123456789abcdef0123456789abcdef é\"", "[1e400]",
    "\"\u{ffff}\u{10ffff}\"",
  ]

  static let invalid: [(String, JSONError.Reason, Int)] = [
    ("", .unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("nul", .unexpectedEnd, 0),
    ("nulL", .invalidLiteral, 0), ("True", .invalidLiteral, 0), ("NaN", .invalidLiteral, 0),
    ("Infinity", .invalidLiteral, 0), ("truex", .trailingBytes, 4), ("1 2", .trailingBytes, 2),
    ("[1]]", .trailingBytes, 3), ("{}x", .trailingBytes, 2), ("1\u{0}", .trailingBytes, 1),
    ("\u{feff}1", .unexpectedByte, 0), ("'a'", .unexpectedByte, 0), ("/**/1", .unexpectedByte, 0),
    ("]", .unexpectedByte, 0), (",", .unexpectedByte, 0), ("+1", .unexpectedByte, 0),
    (".5", .unexpectedByte, 0), ("01", .invalidNumber, 1), ("-01", .invalidNumber, 2),
    ("-", .unexpectedEnd, 1), ("-a", .invalidNumber, 1), ("1.", .unexpectedEnd, 2),
    ("1.e5", .invalidNumber, 2), ("1e", .unexpectedEnd, 2), ("1e+", .unexpectedEnd, 3),
    ("1ex", .invalidNumber, 2), ("0x1", .trailingBytes, 1), ("1_000", .trailingBytes, 1),
    ("[", .unexpectedEnd, 1), ("[1", .unexpectedEnd, 2), ("[1,", .unexpectedEnd, 3),
    ("[1,]", .unexpectedByte, 3), ("[,1]", .unexpectedByte, 1), ("[1 2]", .unexpectedByte, 3),
    ("[1}", .unexpectedByte, 2), ("{", .unexpectedEnd, 1), ("{1:2}", .unexpectedByte, 1),
    (#"{"a"}"#, .unexpectedByte, 4), (#"{"a" 1}"#, .unexpectedByte, 5),
    (#"{"a":}"#, .unexpectedByte, 5),
    (#"{"a":1,}"#, .unexpectedByte, 7), (#"{"a":1 "b":2}"#, .unexpectedByte, 7),
    (#"{"a":1]"#, .unexpectedByte, 6), (#"{a:1}"#, .unexpectedByte, 1),
    (#"{"a"#, .unexpectedEnd, 3),
    (#"{"a""#, .unexpectedEnd, 4), (#"{"a":"#, .unexpectedEnd, 5), (#"{"a":1"#, .unexpectedEnd, 6),
    ("\"", .unexpectedEnd, 1), ("\"a", .unexpectedEnd, 2), (#""\"#, .unexpectedEnd, 2),
    (#""\x""#, .invalidEscape, 1), (#""\u12""#, .invalidEscape, 1), (#""\u12"#, .unexpectedEnd, 5),
    (#""\u+123""#, .invalidEscape, 1), (#""\ud800""#, .loneSurrogate, 1),
    (#""\udc00""#, .loneSurrogate, 1), (#""\ud800\u0041""#, .loneSurrogate, 1),
    (#""\ud800\n12345""#, .loneSurrogate, 1), (#""\ud83d\ude0g""#, .invalidEscape, 1),
    (#""\ud83d"#, .unexpectedEnd, 7), (#""\ud83d\ude"#, .unexpectedEnd, 11),
    ("\"a\nb\"", .controlCharacter, 2), ("\"\u{0}\"", .controlCharacter, 1),
    ("\"\u{1f}\"", .controlCharacter, 1), (#"{"a":1,"a":2}"#, .duplicateKey, 7),
    (#"{"a":1,"b":2,"\u0061":3}"#, .duplicateKey, 13), (#"[{"é":1,"\u00e9":2}]"#, .duplicateKey, 9),
  ]

  @Test(arguments: valid)
  func `that are valid are taken`(text: String) throws {
    let document = try JSONDocument(text, limits: JSONLimits())
    let trimmed = text.drop { " \r\n\t".contains($0) }
    #expect(String(decoding: document.root.rawBytes, as: UTF8.self).first == trimmed.first)
  }

  @Test(arguments: invalid)
  func `that are not are refused with the place`(
    text: String, reason: JSONError.Reason, offset: Int
  ) {
    let error = #expect(throws: JSONError.self) { try JSONDocument(text) }
    #expect(error?.reason == reason && error?.offset == offset)
    #expect(reason.message.utf8CodeUnitCount > 0)
  }

  @Test(arguments: valid)
  func `that end early are refused at the end`(text: String) {
    let bytes = Array(text.utf8)
    for cut in 0..<bytes.count {
      let part = Array(bytes[..<cut])
      let result = Result { try part.withUnsafeBytes { try JSONDocument($0) } }
      if case .failure(let error as JSONError) = result { #expect(error.reason == .unexpectedEnd) }
    }
  }

  @Test(arguments: ["ff", "c0af", "eda080", "f4908080", "80", "c3", "e282", "c3 28"])
  func `with invalid UTF-8 are refused at the byte`(hex: String) {
    for prefix in [0, 3, 20] {
      let lead = [0x22] + [UInt8](repeating: 0x61, count: prefix)
      let text = lead + bytes(hex: hex) + [0x22]
      let error = #expect(throws: JSONError.self) {
        try text.withUnsafeBytes { try JSONDocument($0) }
      }
      #expect(error?.reason == .invalidUTF8)
      #expect((error?.offset ?? 0) > prefix && (error?.offset ?? 0) < text.count)
    }
  }

  @Test(arguments: [
    ("[1, 2", "", 6, 1), ("{\"a\": [1,\n  {\"b/~\": x}]}", "/a/1/b~1~0", 11, 2),
    ("[1,[2,3,oops]]", "/1/2", 9, 1), ("{\"a\":{\"b\":1,\"b\":2}}", "/a/b", 13, 1),
    ("{\"é\":\n\"é\u{1}\"}", "/é", 3, 2), ("{\"a\":1,\"b\" 2}", "/b", 12, 1),
  ])
  func `errors have line, column and pointer`(text: String, pointer: String, column: Int, line: Int)
  {
    let error = #expect(throws: JSONError.self) { try JSONDocument(text) }
    #expect(error?.line == line && error?.column == column)
    #expect(error?.pointer == (pointer.isEmpty ? "/2" : pointer))
    #expect(error?.description.contains("line \(line), column \(column)") == true)
  }

  @Test func `are bounded in depth and number`() throws {
    let deep = { (n: Int) in String(repeating: "[", count: n) + String(repeating: "]", count: n) }
    #expect(throws: Never.self) { try JSONDocument(deep(64)) }
    #expect(throws: JSONError.self) { try JSONDocument(deep(65)) }
    #expect(throws: Never.self) { try JSONDocument(deep(512), limits: JSONLimits(depth: 9_999)) }
    let error = #expect(throws: JSONError.self) {
      try JSONDocument(String(repeating: "[", count: 100_000), limits: JSONLimits(depth: 512))
    }
    #expect(error?.reason == .tooDeep)
    let many = "[" + Array(repeating: "1", count: 100).joined(separator: ",") + "]"
    #expect(throws: Never.self) { try JSONDocument(many, limits: JSONLimits(nodes: 101)) }
    #expect(throws: JSONError.self) { try JSONDocument(many, limits: JSONLimits(nodes: 100)) }
  }

  @Test func `many keys are checked for duplicates, also escaped ones`() throws {
    let keys = (0..<5_000).map { "\"key\($0)\":\($0)" }
    let text = "{" + keys.joined(separator: ",") + "}"
    let document = try JSONDocument(text)
    #expect(document.root.count == 5_000 && document.root["key4999"]?.int64 == 4_999)
    let error = #expect(throws: JSONError.self) {
      try JSONDocument(text.dropLast() + #","ke\u007942":0}"#)
    }
    #expect(error?.reason == .duplicateKey && error?.pointer == "/key42")
    #expect(error?.offset == text.utf8.count)
  }

  @Test func `with more elements than the tape counts are still counted`() throws {
    let text = "[" + Array(repeating: "0", count: 70_000).joined(separator: ",") + "]"
    #expect(try JSONDocument(text).root.count == 70_000)
  }

  @Test func `can be read again in the same memory`() throws {
    let document = JSONDocument()
    #expect(document.root.isNull)
    try withBytes(#"{"a":[1,2,3]}"#) { bytes in
      try document.parse(borrowing: bytes)
      #expect(document.root["a"]?.count == 3)
    }
    #expect(throws: JSONError.self) {
      try withBytes("[") { try document.parse(borrowing: $0) }
    }
    #expect(document.root.isNull)
    try withBytes("7") { bytes in
      try document.parse(borrowing: bytes)
      #expect(document.root.int64 == 7)
    }
  }
}
