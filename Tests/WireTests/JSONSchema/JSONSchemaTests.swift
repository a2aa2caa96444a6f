import Testing
import Wire

/// What a schema says about a value: `pointer: message` for each violation.
func validate(_ schema: String, _ value: String) throws -> [String] {
  let schema = try JSONSchema(JSONDocument(schema).root)
  let root = try JSONDocument(value).root
  let violations = schema.validate(root)
  #expect(schema.accepts(root) == violations.isEmpty)
  return violations.map { "\($0.pointer): \($0.message)" }
}

/// A schema with values it accepts and values it refuses.
struct SchemaCase: CustomTestStringConvertible, Sendable {
  var schema: String
  var yes: [String]
  var no: [String]

  init(_ schema: String, _ yes: [String], _ no: [String]) {
    (self.schema, self.yes, self.no) = (schema, yes, no)
  }

  var testDescription: String { schema }

  static let all: [SchemaCase] = [
    SchemaCase("true", ["1", "null"], []), SchemaCase("false", [], ["1", "null"]),
    SchemaCase("{}", ["1", "null", "{}"], []),
    SchemaCase(#"{"type":"null"}"#, ["null"], ["0", "false"]),
    SchemaCase(#"{"type":"boolean"}"#, ["true", "false"], ["null", "1"]),
    SchemaCase(#"{"type":"string"}"#, [#""""#], ["1", "[]"]),
    SchemaCase(#"{"type":"number"}"#, ["1", "1.5", "1e400"], [#""1""#]),
    SchemaCase(
      #"{"type":"integer"}"#, ["1", "1.0", "1e2", "-0.0", "1e300"], ["1.5", "1e-1", "1e400"]),
    SchemaCase(#"{"type":["integer","null"]}"#, ["1", "null"], ["1.5", "{}"]),
    SchemaCase(#"{"type":"array"}"#, ["[]"], ["{}"]),
    SchemaCase(#"{"type":"object"}"#, ["{}"], ["[]"]),
    SchemaCase(
      #"{"properties":{"a":{"type":"string"}},"required":["a","b"]}"#,
      [#"{"a":"","b":1}"#, #"{"\u0061":"","b":1,"c":2}"#, "1"],
      ["{}", #"{"a":1,"b":1}"#, #"{"a":""}"#]),
    SchemaCase(
      #"{"properties":{"a":true},"additionalProperties":false}"#, ["{}", #"{"a":1}"#],
      [#"{"b":1}"#, #"{"a":1,"A":1}"#]),
    SchemaCase(
      #"{"additionalProperties":{"type":"integer"},"required":["r"]}"#, [#"{"r":1,"b":2}"#],
      [#"{"r":1,"b":""}"#, #"{"r":""}"#]),
    SchemaCase(#"{"additionalProperties":true}"#, [#"{"a":1}"#], []),
    SchemaCase(
      #"{"minProperties":1,"maxProperties":2}"#, [#"{"a":1}"#], ["{}", #"{"a":1,"b":2,"c":3}"#]),
    SchemaCase(#"{"items":{"type":"integer"}}"#, ["[]", "[1,2]", "{}"], [#"[1,"a"]"#]),
    SchemaCase(#"{"minItems":1,"maxItems":2}"#, ["[1]", "[1,2]"], ["[]", "[1,2,3]"]),
    SchemaCase(
      #"{"uniqueItems":true}"#,
      ["[]", "[1,2]", #"[1,"1",true,null,[1],{"a":1}]"#, #"[{"a":1},{"a":2}]"#],
      [
        "[1,1.0]", "[[1,2],[1,2]]", #"[{"a":1,"b":[]},{"b":[],"a":1e0}]"#, #"["a","\u0061"]"#,
        "[null,null]",
      ]),
    SchemaCase(#"{"uniqueItems":false}"#, ["[1,1]"], []),
    SchemaCase(
      #"{"minLength":1,"maxLength":2}"#, [#""a""#, #""😀é""#, #""\ud83d\ude00\u00e9""#, "1"],
      [#""""#, #""abc""#]),
    SchemaCase(#"{"pattern":"^a+$"}"#, [#""aa""#, #""\u0061""#, "1"], [#""b""#, #""""#]),
    SchemaCase(#"{"minimum":1,"maximum":2.5}"#, ["1", "2.5", "\"\""], ["0.99", "2.6", "-1"]),
    SchemaCase(#"{"exclusiveMinimum":1,"exclusiveMaximum":2}"#, ["1.5"], ["1", "2", "1.0"]),
    SchemaCase(#"{"minimum":9007199254740993}"#, ["9007199254740993"], ["9007199254740992"]),
    SchemaCase(#"{"multipleOf":5}"#, ["0", "-10", "15", "1e20", "10.0"], ["3", "5.5", "1e400"]),
    SchemaCase(
      #"{"enum":[1,"a",null,{"k":[1]}]}"#, ["1.0", #""\u0061""#, "null", #"{"k":[1]}"#],
      ["2", #""b""#, "false", #"{"k":[1,2]}"#, #"{"j":[1]}"#, "{}"]),
    SchemaCase(#"{"const":true}"#, ["true"], ["false", "1"]),
    SchemaCase(#"{"allOf":[{"type":"integer"},{"minimum":3}]}"#, ["3"], ["2", "3.5"]),
    SchemaCase(
      #"{"anyOf":[{"type":"integer"},{"type":"string"}]}"#, ["3", "\"\""], ["null", "3.5"]),
    SchemaCase(
      #"{"oneOf":[{"type":"integer"},{"minimum":3}]}"#, ["1", "3.5", "\"\""], ["4", "2.5"]),
    SchemaCase(
      ##"{"properties":{"a":{"$ref":"#/$defs/x~1y"}},"$defs":{"x/y":{"$ref":"#/$defs/z"},"z":{"type":"null"}}}"##,
      [#"{"a":null}"#], [#"{"a":1}"#]),
    SchemaCase(
      #"{"title":"t","description":"d","default":1,"examples":[1],"readOnly":true,"writeOnly":false,"deprecated":true,"$comment":"c","$schema":"s","$id":"i","x-sluice-plan":true,"x-sluice-tenants":"apps"}"#,
      ["1"], []),
    SchemaCase(#"{"format":"email"}"#, [#""a@b.c""#, "1"], [#""a""#]),
  ]
}

@Suite struct `JSON Schema` {
  @Test(arguments: SchemaCase.all)
  func `accepts and refuses what it says`(example: SchemaCase) throws {
    for value in example.yes { #expect(try validate(example.schema, value) == [], "\(value)") }
    for value in example.no { #expect(try validate(example.schema, value) != [], "\(value)") }
  }

  @Test func `says what is wrong and where`() throws {
    let schema = #"""
      {"type":"object","additionalProperties":false,"required":["name","tags"],
       "properties":{"name":{"type":"string","minLength":2},"age":{"type":["integer","null"],"minimum":0,"maximum":150},
        "tags":{"type":"array","maxItems":2,"items":{"enum":["a","b"]}},"mail":{"format":"email"},
        "code":{"pattern":"^[A-Z]$","maxLength":1},"n":{"multipleOf":2,"exclusiveMinimum":0,"exclusiveMaximum":9.5},
        "u":{"uniqueItems":true,"minItems":1},"c":{"const":{"x":1}},"o":{"minProperties":1},"never":false,
        "any":{"anyOf":[false]},"one":{"oneOf":[true,true]},"none":{"oneOf":[false]},"w":{"minLength":3,"maxLength":3},
        "v":{"minLength":1,"maxLength":3}}}
      """#
    let value = #"""
      {"nam":1,"name":"x","age":-1,"tags":["a","z",1],"mail":"@","code":"AB","n":3,
       "u":[1,2,1],"c":{},"o":{},"never":1,"any":1,"one":1,"none":1,"w":"","v":""}
      """#
    #expect(
      try validate(schema, value) == [
        "/nam: unknown key; did you mean name?", "/name: must have at least 2 characters, has 1",
        "/age: must be at least 0", #"/tags/1: must be one of "a", "b""#,
        #"/tags/2: must be one of "a", "b""#, "/tags: must have at most 2 elements, has 3",
        "/mail: must be a valid email", "/code: must have at most 1 character, has 2",
        "/n: must be a multiple of 2", "/u/2: is equal to an earlier element",
        #"/c: must be {"x":1}"#, "/o: must have at least 1 member, has 0",
        "/never: nothing may stand here", "/any: matches none of the alternatives",
        "/one: matches more than one of the alternatives",
        "/none: matches none of the alternatives",
      ])
    #expect(
      try validate(schema, #"{"a/b~":1,"age":"x"}"#) == [
        "/a~1b~0: unknown key", "/age: must be null or integer, is string", "/name: is required",
        "/tags: is required",
      ])
    #expect(
      try validate(
        schema, #"{"name":"xy","tags":[],"age":151,"n":0,"code":"a","w":"","v":"","u":[]}"#)
        == [
          "/age: must be at most 150", "/n: must be above 0", "/code: must match ^[A-Z]$",
          "/w: must have exactly 3 characters, has 0", "/v: must have 1 to 3 characters, has 0",
          "/u: must have at least 1 element, has 0",
        ])
    #expect(
      try validate(schema, #"{"name":"xy","tags":[],"n":10}"#) == ["/n: must be below 9.5"])
  }

  @Test func `reports sixteen violations at most`() throws {
    let value = "[" + Array(repeating: "\"\"", count: 100).joined(separator: ",") + "]"
    #expect(try validate(#"{"items":{"type":"integer"}}"#, value).count == 16)
    let object = "{" + (0..<50).map { "\"k\($0)\":1" }.joined(separator: ",") + "}"
    #expect(try validate(#"{"additionalProperties":false}"#, object).count == 16)
  }

  @Test(arguments: [
    (
      #"{"proprties":{}}"#, "/proprties",
      "the keyword proprties is not supported; did you mean properties?"
    ),
    (#"{"if":{}}"#, "/if", "the keyword if is not supported"),
    (#"{"items":{"x":{"maxlength":1}}}"#, "/items/x", "the keyword x is not supported"),
    (
      #"{"properties":{"a":{"maxlength":1}}}"#, "/properties/a/maxlength",
      "the keyword maxlength is not supported; did you mean maxLength?"
    ),
    ("[]", "", "a schema is an object, true or false"),
    (#"{"items":[]}"#, "/items", "a schema is an object, true or false"),
    (#"{"type":"strng"}"#, "/type", "there is no type strng; did you mean string?"),
    (#"{"type":[]}"#, "/type", "type lists no type"),
    (#"{"type":[1]}"#, "/type/0", "a type is a string"),
    (#"{"type":["null","null"]}"#, "/type/1", "the type is listed twice"),
    (#"{"properties":[]}"#, "/properties", "properties is an object of schemas"),
    (#"{"required":"a"}"#, "/required", "required is a list of keys"),
    (#"{"required":[1]}"#, "/required/0", "a key is a string"),
    (#"{"required":["a","a"]}"#, "/required/1", "the key is listed twice"),
    (
      #"{"properties":{"name":{}},"required":["nam"],"additionalProperties":false}"#, "/required/0",
      "the key nam is required, but not among the properties; did you mean name?"
    ),
    (
      #"{"required":["q"],"additionalProperties":false}"#, "/required/0",
      "the key q is required, but not among the properties"
    ),
    (#"{"enum":[]}"#, "/enum", "enum is a list of at least one value"),
    (#"{"anyOf":[]}"#, "/anyOf", "a list of at least one schema is needed"),
    (#"{"allOf":[1]}"#, "/allOf/0", "a schema is an object, true or false"),
    (#"{"uniqueItems":1}"#, "/uniqueItems", "uniqueItems is true or false"),
    (#"{"multipleOf":0.5}"#, "/multipleOf", "multipleOf is a whole number above 0"),
    (#"{"multipleOf":0}"#, "/multipleOf", "multipleOf is a whole number above 0"),
    (#"{"minimum":"1"}"#, "/minimum", "minimum is a number"),
    (#"{"minimum":2,"maximum":1}"#, "", "minimum is above maximum"),
    (#"{"minLength":-1}"#, "/minLength", "minLength is a whole number from 0"),
    (#"{"minItems":2,"maxItems":1}"#, "", "minItems is above maxItems"),
    (#"{"pattern":1}"#, "/pattern", "pattern is a string"),
    (
      #"{"pattern":"a(?=b)"}"#, "/pattern",
      "at character 1: of the groups with (? only (?: is supported"
    ),
    (#"{"format":1}"#, "/format", "format is a string"),
    (
      #"{"format":"datetime"}"#, "/format",
      "the format datetime is not supported; did you mean date-time?"
    ),
    (##"{"$ref":"#/$defs/a"}"##, "/$ref", "$defs has no a"),
    (
      ##"{"$ref":"#/$defs/nam","$defs":{"name":{}}}"##, "/$ref",
      "$defs has no nam; did you mean name?"
    ),
    (##"{"$ref":"#"}"##, "/$ref", "$ref is #/$defs/ and a name"),
    (##"{"$ref":"http://a/b"}"##, "/$ref", "$ref is #/$defs/ and a name"),
    (
      ##"{"$defs":{"a":{"items":{"$ref":"#/$defs/b"}},"b":{"$ref":"#/$defs/a"}}}"##,
      "/$defs/b/$ref", "this $ref leads back to itself"
    ),
    (##"{"$defs":{"a":{"$ref":"#/$defs/a"}}}"##, "/$defs/a/$ref", "this $ref leads back to itself"),
    (#"{"$defs":1}"#, "/$defs", "$defs is an object of schemas"),
    (#"{"items":{"$defs":{}}}"#, "/items/$defs", "$defs stands at the root of a schema only"),
    (#"{"$defs":{"a":{"x":1}}}"#, "/$defs/a/x", "the keyword x is not supported"),
  ])
  func `that is not supported is refused with its place`(
    schema: String, pointer: String, message: String
  ) throws {
    let root = try JSONDocument(schema).root
    let error = #expect(throws: JSONSchema.CompileError.self) { try JSONSchema(root) }
    #expect(error?.pointer == pointer && error?.message == message)
    #expect(error?.description == "\(pointer): \(message)")
  }

  @Test func `inside another document names places in that document`() throws {
    let root = try JSONDocument(#"{"config":{"type":"objekt"}}"#).root
    let error = #expect(throws: JSONSchema.CompileError.self) {
      try JSONSchema(try #require(root["config"]))
    }
    #expect(error?.pointer == "/config/type")
  }

  @Test func `too large a schema is refused`() throws {
    let many = (0...512).map { "\"k\($0)\":true" }.joined(separator: ",")
    let wide = try JSONDocument("{\"properties\":{\(many)}}").root
    #expect(throws: JSONSchema.CompileError.self) { try JSONSchema(wide) }
    let deep =
      String(repeating: #"{"items":"#, count: 70) + "true" + String(repeating: "}", count: 70)
    let tall = try JSONDocument(deep, limits: JSONLimits(depth: 512)).root
    #expect(throws: JSONSchema.CompileError.self) { try JSONSchema(tall) }
  }

  @Test func `equal objects with many keys are compared without order`() throws {
    let keys = (0..<300).map { "\"k\($0)\":\($0)" }
    let forth = "{" + keys.joined(separator: ",") + "}"
    let back = "{" + keys.reversed().joined(separator: ",") + "}"
    #expect(try validate("{\"const\":\(forth)}", back) == [])
    #expect(
      try validate(#"{"uniqueItems":true}"#, "[\(forth),\(back)]") == [
        "/1: is equal to an earlier element"
      ])
  }

  @Test func `a thousand equal elements do not make it slow`() throws {
    let value = "[" + (0..<20_000).map { "[\($0)]" }.joined(separator: ",") + ",[7]]"
    #expect(
      try validate(#"{"uniqueItems":true}"#, value) == ["/20000: is equal to an earlier element"])
  }
}

@Suite struct `Formats of strings` {
  @Test(arguments: [
    (
      Format.email, ["a@b", "a.b+c@d-e.example", "o'hara@x.org", "a/b={c}?@d"],
      [
        "", "a", "@b", "a@", ".a@b", "a.@b", "a..b@c", "a b@c", "a@b c", "a@-b", "a@b-", "a@b..c",
        "a@b@c", "é@b", "a@é",
      ]
    ),
    (
      .uri,
      [
        "http://a", "https://a.b:80/c?d#e", "mailto:a@b", "urn:x:y", "x+y-z.1:a", "http://[::1]/",
        "file:///a",
      ],
      [
        "", "a", "//a", "/a", ":a", "1a:b", "a:", "http://", "http://a b", "http://a/%",
        "http://a/%4", "http://a/<", "http://a#b#c", "a_b:c", "http://é", "http://?a",
      ]
    ),
    (
      .dateTime,
      [
        "2024-02-29T12:00:00Z", "2026-01-01t00:00:00.123456z", "2026-01-01T23:59:60Z",
        "2026-01-01T00:59:60+01:00", "1994-11-06T08:49:37-08:30",
      ],
      [
        "", "2026-01-01", "2026-01-01T00:00:00", "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+0100", "2026-01-01 00:00:00Z", "2026-1-01T00:00:00Z",
        "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00.1",
      ]
    ),
    (
      .uuid, ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
      [
        "", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400",
        "123e4567-e89b-12d3-a456_426614174000", "g23e4567-e89b-12d3-a456-426614174000",
      ]
    ),
  ])
  func `are what their documents say`(format: Format, yes: [String], no: [String]) {
    for text in yes { #expect(withBytes(text) { format.matches($0) }, "\(text)") }
    for text in no { #expect(!withBytes(text) { format.matches($0) }, "\(text)") }
  }
}
