import PluginKit
import Testing

@Suite struct JSONTests {
  struct Scalars: Codable, Equatable {
    var text = "a\"\\/\n\u{1}é😀"
    var yes = true
    var small: Int8 = -128
    var large: UInt64 = .max
    var real = 0.1
    var whole = 5.0
    var nothing: Int?
  }

  enum Kind: String, Codable {
    case first, second
  }

  struct Nested: Codable, Equatable {
    var kind = Kind.second
    var list = [[1, 2], []]
    var map = ["k": ["a": 1.5]]
    var raw: RawJSON = #"{"z":1,  "a":[1.0]}"#
    var at = Timestamp(unixMilliseconds: 1_000)
    var optional: [String?] = ["a", nil]
    var empty = Empty()
  }

  struct Empty: Codable, Equatable {}

  @Test func `scalars are written as JSON has them`() throws {
    let text = String(decoding: try JSON.encode(Scalars()), as: UTF8.self)
    #expect(
      text == #"""
        {"text":"a\"\\/\n\u0001é😀","yes":true,"small":-128,"large":18446744073709551615,"real":0.1,"whole":5}
        """#)
  }

  @Test func `what is written is read back the same`() throws {
    #expect(try JSON.decode(Scalars.self, from: JSON.encode(Scalars())) == Scalars())
    #expect(try JSON.decode(Nested.self, from: JSON.encode(Nested())) == Nested())
  }

  @Test func `raw JSON passes through byte for byte`() throws {
    let text = String(decoding: try JSON.encode(Nested()), as: UTF8.self)
    #expect(
      text == #"""
        {"kind":"second","list":[[1,2],[]],"map":{"k":{"a":1.5}},"raw":{"z":1,  "a":[1.0]},"at":"1970-01-01T00:00:01.000Z","optional":["a",null],"empty":{}}
        """#)
  }

  @Test func `values that are no object stand alone`() throws {
    #expect(try JSON.encode("a") == Array(#""a""#.utf8))
    #expect(try JSON.encode([1, 2]) == Array("[1,2]".utf8))
    #expect(try JSON.encode(Int?.none) == Array("null".utf8))
    #expect(try JSON.decode(Int?.self, from: Array("null".utf8)) == nil)
    #expect(try JSON.decode(Bool.self, from: Array(" true ".utf8)))
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func `a number that JSON cannot say is an error with its place`(value: Double) {
    let error = #expect(throws: JSONError.self) { try JSON.encode(["a": [1, value]]) }
    #expect(error?.pointer == "/a/1")
  }

  @Test(arguments: [
    ("1", 1), ("1.0", 1), ("1e2", 100), ("-0", 0), ("9223372036854775807", .max),
  ])
  func `a whole number is an integer however it is written`(text: String, value: Int) throws {
    #expect(try JSON.decode(Int.self, from: Array(text.utf8)) == value)
  }

  @Test(arguments: ["1.5", "9223372036854775808", "1e400", "\"1\"", "true"])
  func `what is no integer is refused`(text: String) {
    #expect(throws: JSONError.self) { try JSON.decode(Int.self, from: Array(text.utf8)) }
  }

  @Test(arguments: [
    (#"{"a":{"b/c~":[true,{"d":1}]}}"#, "/a/b~1c~0/1/d"), (#"{"a":{}}"#, ""),
  ])
  func `an error points at the value that is wrong`(text: String, pointer: String) {
    let error = #expect(throws: JSONError.self) {
      _ = try JSON.decode([String: [String: [Either]]].self, from: Array(text.utf8))
      throw JSONError(pointer: "", message: "it was right")
    }
    #expect(error?.pointer == pointer)
  }

  /// True, or an object whose d is a text.
  enum Either: Decodable {
    case yes
    case text(String)

    enum CodingKeys: CodingKey {
      case d
    }

    init(from decoder: any Decoder) throws {
      if let container = try? decoder.singleValueContainer(),
        (try? container.decode(Bool.self)) == true
      {
        self = .yes
      } else {
        self = .text(
          try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .d))
      }
    }
  }

  struct Late: Encodable {
    func encode(to encoder: any Encoder) throws {
      var outer = encoder.unkeyedContainer()
      var inner = outer.nestedUnkeyedContainer()
      try inner.encode(1)
      try outer.encode(2)
      // The inner container was closed by what its parent wrote.
      try inner.encode(3)
    }
  }

  /// Writes itself into the object that its holder has begun.
  private struct Flattened: Encodable {
    struct Inner: Encodable { var b = 2, c = [3, 4] }

    private enum CodingKeys: CodingKey { case a, d }

    func encode(to encoder: any Encoder) throws {
      var first = encoder.container(keyedBy: CodingKeys.self)
      try first.encode(1, forKey: .a)
      try Inner().encode(to: encoder)
      var second = encoder.container(keyedBy: CodingKeys.self)
      try second.encode(["e": 5], forKey: .d)
    }
  }

  private struct TwoLists: Encodable {
    func encode(to encoder: any Encoder) throws {
      var first = encoder.unkeyedContainer()
      try first.encode([1])
      var second = encoder.unkeyedContainer()
      #expect(second.count == 1)
      try second.encode(2)
      try first.encode(3)
    }
  }

  private struct ObjectAndList: Encodable {
    private enum ObjectKey: CodingKey { case a }

    func encode(to encoder: any Encoder) throws {
      var object = encoder.container(keyedBy: ObjectKey.self)
      try object.encode(1, forKey: .a)
      var list = encoder.unkeyedContainer()
      try list.encode(2)
    }
  }

  @Test func `containers of one encoder are one`() throws {
    #expect(
      String(decoding: try JSON.encode([Flattened(), Flattened()]), as: UTF8.self)
        == #"[{"a":1,"b":2,"c":[3,4],"d":{"e":5}},{"a":1,"b":2,"c":[3,4],"d":{"e":5}}]"#)
    #expect(String(decoding: try JSON.encode(TwoLists()), as: UTF8.self) == "[[1],2,3]")
    #expect(throws: JSONError.self) { try JSON.encode(["x": ObjectAndList()]) }
  }

  @Test func `a container used after it was closed is an error, not broken JSON`() {
    #expect(throws: JSONError.self) { try JSON.encode(Late()) }
  }

  class Base: Codable {
    var a = 1
  }

  final class Derived: Base {
    var b = 2
    private enum CodingKeys: CodingKey {
      case b
    }

    override init() { super.init() }

    required init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      b = try container.decode(Int.self, forKey: .b)
      try super.init(from: container.superDecoder())
    }

    override func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(b, forKey: .b)
      try super.encode(to: container.superEncoder())
    }
  }

  @Test func `a subclass keeps its parent under super`() throws {
    let bytes = try JSON.encode(Derived())
    #expect(String(decoding: bytes, as: UTF8.self) == #"{"b":2,"super":{"a":1}}"#)
    #expect(try JSON.decode(Derived.self, from: bytes).a == 1)
  }
}

@Suite struct TimestampTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.5Z", 500),
    ("1969-12-31T23:59:59.999Z", -1), ("2026-01-31T12:30:15.123456Z", 1_769_862_615_123),
    ("2026-01-31T13:30:15.123+01:00", 1_769_862_615_123),
    ("2026-01-31t07:00:15.123-05:30", 1_769_862_615_123),
    ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("2016-12-31T23:59:60Z", 1_483_228_799_000),
    ("0000-03-01T00:00:00Z", -62_162_035_200_000),
  ])
  func `an RFC 3339 time is read`(text: String, milliseconds: Int64) {
    #expect(Timestamp(rfc3339: text)?.unixMilliseconds == milliseconds)
  }

  @Test(arguments: [
    "", "2026-01-31", "2026-01-31T12:00:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
    "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z", "2026-01-31 12:00:00Z",
    "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+0100", "2026-01-31T12:00:00Z ",
    "2026-01-31T12:00:00+24:00", "26-01-31T12:00:00Z",
  ])
  func `what is no RFC 3339 time is refused`(text: String) {
    #expect(Timestamp(rfc3339: text) == nil)
  }

  @Test func `a time is written as it is read`() {
    for milliseconds: Int64 in [0, -1, 1_769_862_615_123, -62_162_035_200_000, 253_402_300_799_999]
    {
      let time = Timestamp(unixMilliseconds: milliseconds)
      #expect(Timestamp(rfc3339: time.rfc3339) == time)
    }
  }

  @Test func `adding saturates`() {
    let time = Timestamp(unixMilliseconds: .max)
    #expect(time.adding(milliseconds: 1) == time)
    #expect(Timestamp(unixMilliseconds: 5).adding(milliseconds: -10).unixMilliseconds == -5)
  }
}
