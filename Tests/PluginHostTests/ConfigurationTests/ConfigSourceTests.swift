import Testing

@testable import PluginHost

@Suite struct `A place in a JSON text` {
  private static let text = """
    {
      "plain": 1,
      "a/b~c": {"x": [ {"deep": true}, "]}\\"{", [1, 2.5e3 , null] ]},
      "é\\u00e9\\n\\ud83d\\ude00": "w", "last" : {
        "y": []
      }
    }
    """

  @Test(arguments: [
    ("", 1, 1, 1, 1),
    ("/plain", 2, 3, 2, 12),
    ("/a~1b~0c", 3, 3, 3, 12),
    ("/a~1b~0c/x", 3, 13, 3, 18),
    ("/a~1b~0c/x/0", 3, 20, 3, 20),
    ("/a~1b~0c/x/0/deep", 3, 21, 3, 29),
    ("/a~1b~0c/x/1", 3, 36, 3, 36),
    ("/a~1b~0c/x/2/2", 3, 57, 3, 57),
    ("/éé\n😀", 4, 3, 4, 28),
    ("/last/y", 5, 5, 5, 10),
  ])
  func `finds where a pointer leads`(
    pointer: String, keyLine: Int, keyColumn: Int, line: Int, column: Int
  ) throws {
    let source = try ConfigReader.read(text: Array(Self.text.utf8), name: "f")
    let place = try #require(source.locate(pointer))
    #expect(place.key == TextPosition(line: keyLine, column: keyColumn))
    #expect(place.value == TextPosition(line: line, column: column))
  }

  @Test(arguments: [
    "/none", "/plain/0", "/a~1b~0c/x/3", "/a~1b~0c/x/word", "/last/y/0", "/a~1b~0c/x/0/none",
  ])
  func `finds nothing where nothing is`(pointer: String) throws {
    let source = try ConfigReader.read(text: Array(Self.text.utf8), name: "f")
    #expect(source.locate(pointer) == nil)
  }
}
