import Testing
import Wire

@Suite struct `JSON values` {
  static let text = #"""
    {"s":"a\"\u00e9\ud83d\ude00\n","i":-42,"f":1.5,"t":true,"n":null,
     "a":[1,[2],{"k":3}],"o":{"x":{"y/z":"deep"},"":0},"raw": {"b" : [1, 2.50] }}
    """#

  @Test func `are reached by key, position and pointer`() throws {
    let root = try JSONDocument(Self.text).root
    #expect(root.kind == .object && root.count == 8)
    #expect(root["s"]?.string == "a\"é😀\n")
    #expect(root["i"]?.int64 == -42 && root["i"]?.double == -42)
    #expect(root["f"]?.double == 1.5 && root["f"]?.int64 == nil)
    #expect(root["t"]?.bool == true && root["n"]?.isNull == true)
    #expect(root["a"]?[2]?["k"]?.int64 == 3)
    #expect(root["a"]?[3] == nil && root["a"]?[-1] == nil && root["nope"] == nil)
    #expect(root["s"]?["x"] == nil && root[0] == nil && root["i"]?.string == nil)
    #expect(root.value(at: "/o/x/y~1z")?.string == "deep")
    #expect(root.value(at: "/o/")?.int64 == 0)
    #expect(root.value(at: "/a/1/0")?.int64 == 2)
    #expect(root.value(at: "")?.kind == .object)
    for wrong in ["/a/3", "/a/01", "/a/-", "/a/x", "/i/0", "x", "/o/x/y~2z", "/o/~", "/zzz"] {
      #expect(root.value(at: wrong) == nil)
    }
    #expect(root["s"]?.bool == nil && root["t"]?.double == nil && root["t"]?.int64 == nil)
  }

  @Test func `are listed in the order of the text`() throws {
    let root = try JSONDocument(Self.text).root
    #expect(root.members.map(\.name) == ["s", "i", "f", "t", "n", "a", "o", "raw"])
    #expect(root["a"]?.elements.map(\.kind) == [.number, .array, .object])
    #expect(Array(root.elements).isEmpty && Array(root["a"]!.members).isEmpty)
    #expect(Array(root["i"]!.elements).isEmpty && root["i"]?.count == 0)
  }

  @Test func `pass through byte for byte`() throws {
    let root = try JSONDocument(Self.text).root
    let raw = try #require(root["raw"])
    #expect(String(decoding: raw.rawBytes, as: UTF8.self) == #"{"b" : [1, 2.50] }"#)
    #expect(
      String(decoding: try #require(root["s"]).rawBytes, as: UTF8.self)
        == #""a\"\u00e9\ud83d\ude00\n""#)
    #expect(JSONWriter.text { $0.raw(raw) } == #"{"b" : [1, 2.50] }"#)
  }

  @Test func `know their pointer and place`() throws {
    let document = try JSONDocument(Self.text)
    for pointer in ["", "/s", "/a/2/k", "/o/x/y~1z", "/o/", "/a/1", "/a/1/0", "/raw/b/1"] {
      #expect(document.root.value(at: pointer)?.pointer == pointer)
    }
    let place = try #require(document.locate(pointer: "/a/1"))
    #expect(place.line == 2 && place.column == 9)
    #expect(document.locate(pointer: "/nope") == nil)
    #expect(document.root.members.first { $0.name == "o" }?.key.pointer == "/o")
  }

  @Test(
    arguments: [
      ("9223372036854775807", .max), ("-9223372036854775808", .min), ("0", 0), ("-0", 0),
      ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1.0", nil), ("1e2", nil),
      ("99999999999999999999", nil), ("-1", -1), ("\"1\"", nil), ("1000000000000000000000", nil),
    ] as [(String, Int64?)])
  func `are 64-bit integers exactly or not at all`(text: String, value: Int64?) throws {
    #expect(try JSONDocument(text).root.int64 == value)
  }

  @Test(
    arguments: [
      ("0.1", 0.1), ("1e308", 1e308), ("5e-324", .leastNonzeroMagnitude), ("1e400", nil),
      ("-1e400", nil), ("-0", -0.0),
    ] as [(String, Double?)])
  func `are doubles within the range`(text: String, value: Double?) throws {
    #expect(try JSONDocument(text).root.double == value)
  }

  @Test func `strings are compared and copied by what they mean`() throws {
    let root = try JSONDocument(#"["\u0061b","ab","é\t",1]"#).root
    #expect(root[0]?.isString("ab") == true && root[1]?.isString("ab") == true)
    #expect(root[0]?.isString("a") == false && root[0]?.isString("abc") == false)
    #expect(root[1]?.isString("abc") == false && root[3]?.isString("1") == false)
    var answers: [Bool] = []
    let text = written { out in
      for element in root.elements { answers.append(element.appendString(to: &out)) }
    }
    #expect(text == "ababé\t" && answers == [true, true, true, false])
  }
}

@Suite struct `JSON to write` {
  @Test func `has commas where they belong`() {
    let text = JSONWriter.text { json in
      json.beginObject()
      json.member("a", 1)
      json.key("b")
      json.beginArray()
      json.endArray()
      json.key(text: "c\"")
      json.beginArray()
      json.integer(-1)
      json.bool(true)
      json.null()
      json.beginObject()
      json.endObject()
      json.double(0.5)
      json.endArray()
      json.member("d", false)
      json.member("e", "x")
      json.endObject()
    }
    #expect(text == #"{"a":1,"b":[],"c\"":[-1,true,null,{},0.5],"d":false,"e":"x"}"#)
  }

  @Test(arguments: [
    ("", #""""#), ("é😀/", #""é😀/""#), ("\"\\", #""\"\\""#),
    ("\u{8}\u{c}\n\r\t", #""\b\f\n\r\t""#), ("\u{0}\u{1f}\u{7f}", "\"\\u0000\\u001f\u{7f}\""),
    ("a\nb\nc", #""a\nb\nc""#),
  ])
  func `escapes strings, RFC 8259 §7`(text: String, json: String) throws {
    #expect(JSONWriter.text { $0.string(text) } == json)
    #expect(try JSONDocument(json).root.string == text)
  }

  @Test(arguments: [
    0, -0.0, 1, 0.1, 1e21, .leastNonzeroMagnitude, -1.7976931348623157e308, 123456.789,
  ])
  func `numbers read back as they were`(value: Double) throws {
    let text = JSONWriter.text { $0.double(value) }
    #expect(try JSONDocument(text).root.double == value)
  }

  @Test func `what JSON cannot say is null`() {
    #expect(JSONWriter.text { $0.double(.infinity) } == "null")
    #expect(JSONWriter.text { $0.double(.nan) } == "null")
    #expect(JSONWriter.bytes { $0.null() } == Array("null".utf8))
  }
}
