import Glibc
import Testing

@testable import PluginHost

@Suite struct `Reading JSON text` {
  /// What is said of a text that is refused.
  private func refusal(_ text: String) -> String {
    do {
      _ = try ConfigReader.read(text: Array(text.utf8), name: "f.json")
      return "accepted"
    } catch {
      return error.description
    }
  }

  @Test(arguments: [
    ("", "f.json:1:1: the file is empty"),
    ("{\"a\":1,\n \"b\":2,\n  \"a\":3}", "f.json:3:3: duplicate key \"a\""),
    ("{\"a\":{\"ü\":1, \"ü\":2}}", "f.json:1:14: duplicate key \"ü\""),
    ("{\n  \"a\": tru\n}", "f.json:2:8: invalid token near 'tru'"),
    ("{\"a\":1}}", "f.json:1:8: end of file expected near '}'"),
    ("{\"a\":1", "f.json:1:7: '}' expected near end of file"),
    ("{\"a\":01}", "f.json:1:6: invalid token near '0'"),
    ("[1,]", "f.json:1:4: unexpected token near ']'"),
    ("42", "f.json:1:1: '[' or '{' expected near '42'"),
    ("null", "f.json:1:1: '[' or '{' expected near 'null'"),
    ("hello", "f.json:1:1: this is not JSON: '[' or '{' expected near 'hello'"),
    ("\n a: 1", "f.json:2:2: this is not JSON: '[' or '{' expected near 'a'"),
    ("{\"a\":99999999999999999999}", "f.json:1:6: too big integer near '99999999999999999999'"),
    (
      "{\"a\":\"\\u0000\"}",
      "f.json:1:6: \\u0000 is not allowed without JSON_ALLOW_NUL near '\"\\u0000\"'"
    ),
  ])
  func `says line and column of what no JSON parser accepts`(text: String, message: String) {
    #expect(refusal(text) == message)
  }

  @Test func `refuses a text that is not UTF-8`() {
    let text: [UInt8] = [UInt8(ascii: "["), UInt8(ascii: "\""), 0xFF, UInt8(ascii: "\"")]
    #expect(throws: ConfigurationError.self) {
      try ConfigReader.read(text: text, name: "f.json")
    }
  }

  @Test func `keeps members in their order and every kind of value`() throws {
    let text = #"{"z":null,"a":[true,false,-1,2.5,"x\n\"\\\u0001é"],"m":{},"e":[]}"#
    let root = try ConfigReader.read(text: Array(text.utf8), name: "f").root
    #expect(root.json == text)
    #expect(root.members.map(\.key) == ["z", "a", "m", "e"])
    #expect(root["a"]?.elements.count == 5)
    #expect(root["a"]?.elements[4].text == "x\n\"\\\u{1}é")
    #expect(root["nothing"] == nil)
    #expect(ConfigValue.integer(1)["a"] == nil)
    #expect(ConfigValue.integer(1).members.isEmpty)
    #expect(ConfigValue.integer(1).elements.isEmpty)
    #expect(ConfigValue.integer(1).text == nil)
  }

  @Test func `indents for people`() {
    let value: ConfigValue = ["a": [1, true], "b": [:], "c": ["d": "\r\t"]]
    #expect(
      value.indentedJSON == """
        {
          "a": [
            1,
            true
          ],
          "b": {},
          "c": {
            "d": "\\r\\t"
          }
        }
        """)
  }

  @Test func `says why a file cannot be read`() {
    let folder = ScratchFolder()
    for (path, reason) in [
      ("\(folder.path)/none.json", "No such file or directory"),
      (folder.path, "Not a regular file"),
    ] {
      #expect {
        try ConfigReader.read(file: path)
      } throws: { error in
        "\(error)" == "\(path): \(reason)"
      }
    }
  }

  @Test func `does not wait for a named pipe`() {
    let folder = ScratchFolder()
    let path = "\(folder.path)/pipe.json"
    #expect(mkfifo(path, 0o600) == 0)
    #expect {
      try ConfigReader.read(file: path)
    } throws: { error in
      "\(error)" == "\(path): Not a regular file"
    }
  }

  @Test func `stops at a file that is too large`() {
    let folder = ScratchFolder()
    let path = folder.write(
      String(repeating: " ", count: ConfigReader.fileLimit + 1), to: "large.json")
    #expect {
      try ConfigReader.read(file: path)
    } throws: { error in
      "\(error)".hasSuffix("The file is larger than 4194304 bytes")
    }
  }
}
