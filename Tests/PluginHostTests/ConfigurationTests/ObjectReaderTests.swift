import Testing

@testable import PluginHost

@Suite struct `Decoding a closed object` {
  private enum Colour: String, CaseIterable {
    case red, green
  }

  /// The problems of decoding a text with one of everything.
  private func problems(of text: String) throws -> [String] {
    let problems = ConfigProblems(
      try ConfigReader.read(text: Array(text.utf8), name: "f.json"))
    _ = ConfigNode(rootOf: problems).object { reader in
      _ = reader.string("name", .name)
      _ = reader.string("title", default: "")
      _ = reader.integer("count", in: 1...9, default: 1)
      _ = reader.boolean("flag", default: false)
      _ = reader.word("colour", default: Colour.red)
      _ = reader.strings("tags", .name)
      _ = reader.objects("list") { $0.string("word") }
      _ = reader.optional("open")?.entries()
      if let choice = reader.optional("choice") {
        let _: Colour = choice.word()
      }
    }
    return problems.list.map(\.description)
  }

  @Test(arguments: [
    (#"{"name":"a"}"#, []),
    (#"{}"#, [#"f.json:1:1: "name" is missing"#]),
    (#"[]"#, [#"f.json:1:1: must be an object, not an array"#]),
    (
      #"{"name":"a","cont":1}"#,
      [#"f.json:1:13: /cont: unknown key "cont" (did you mean "count"?)"#]
    ),
    (
      #"{"name":"a","zzzzzzzzzzzz":1}"#,
      [#"f.json:1:13: /zzzzzzzzzzzz: unknown key "zzzzzzzzzzzz""#]
    ),
    (#"{"name":7}"#, [#"f.json:1:9: /name: must be a string, not an integer"#]),
    (#"{"name":""}"#, [#"f.json:1:9: /name: must not be empty"#]),
    (
      #"{"name":"A b"}"#,
      [#"f.json:1:9: /name: "A b" is not a name: a-z, then up to 63 of a-z 0-9 - _"#]
    ),
    (#"{"name":"a","count":10}"#, [#"f.json:1:21: /count: 10 is outside 1 to 9"#]),
    (#"{"name":"a","count":1.0}"#, [#"f.json:1:21: /count: must be an integer, not a number"#]),
    (#"{"name":"a","flag":"yes"}"#, [#"f.json:1:20: /flag: must be a boolean, not a string"#]),
    (
      #"{"name":"a","colour":"gren"}"#,
      [#"f.json:1:22: /colour: "gren" is not one of red, green (did you mean "green"?)"#]
    ),
    (
      #"{"name":"a","colour":null}"#,
      [#"f.json:1:22: /colour: must be one of red, green, not null"#]
    ),
    (
      #"{"name":"a","choice":true}"#,
      [#"f.json:1:22: /choice: must be one of red, green, not a boolean"#]
    ),
    (#"{"name":"a","tags":["x","y","x"]}"#, [#"f.json:1:29: /tags/2: stands here twice"#]),
    (#"{"name":"a","tags":{}}"#, [#"f.json:1:20: /tags: must be an array, not an object"#]),
    (#"{"name":"a","open":[]}"#, [#"f.json:1:20: /open: must be an object, not an array"#]),
    (
      #"{"name":"a","list":[{"word":"1"},3,{"wrd":1}]}"#,
      [
        #"f.json:1:34: /list/1: must be an object, not an integer"#,
        #"f.json:1:36: /list/2: "word" is missing"#,
        #"f.json:1:37: /list/2/wrd: unknown key "wrd" (did you mean "word"?)"#,
      ]
    ),
  ])
  func `tells everything that is wrong`(text: String, expected: [String]) throws {
    #expect(try problems(of: text) == expected)
  }

  @Test func `stops counting at fifty and says so`() throws {
    let members = (0..<60).map { "\"k\($0)\":1" }.joined(separator: ",")
    let problems = ConfigProblems(
      try ConfigReader.read(text: Array("{\(members)}".utf8), name: "f.json"))
    ConfigNode(rootOf: problems).object { _ in }
    #expect {
      try problems.throwIfAny()
    } throws: { error in
      let found = (error as? ConfigurationError)?.problems ?? []
      return found.count == 51 && found[50].message == "10 more problems; fix these first"
    }
  }

  @Test func `takes over no more than fits`() throws {
    let problems = ConfigProblems(
      try ConfigReader.read(text: Array("{}".utf8), name: "f.json"))
    problems.add(contentsOf: (0..<70).map { ConfigProblem(file: "g", message: "\($0)") })
    #expect(problems.list.count == 50)
  }
}
