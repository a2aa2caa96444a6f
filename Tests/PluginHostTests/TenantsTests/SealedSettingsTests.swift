import Testing

@testable import PluginHost

@Suite struct `Secrets among settings` {
  private static let schema: ConfigValue = [
    "type": "object",
    "properties": [
      "open": ["type": "string"],
      "key": ["type": "string", "writeOnly": true],
      "mail": [
        "type": "object",
        "properties": [
          "host": ["type": "string"], "a/b~c": ["type": "string", "writeOnly": true],
        ],
      ],
      "whole": ["type": "object", "writeOnly": true, "properties": ["x": ["writeOnly": true]]],
    ],
    "additionalProperties": false,
  ]

  private func paths() throws -> [[String]] { try Schema(Self.schema).secretPaths }

  @Test func `are found by what leads to them`() throws {
    #expect(try paths() == [["key"], ["mail", "a/b~c"], ["whole"]])
    #expect(SealedSettings.pointer(["mail", "a/b~c"]) == "/mail/a~1b~0c")
  }

  @Test func `are taken out of what is shown and put back for the plugin`() throws {
    var sealed = SealedSettings()
    let given: ConfigValue = [
      "open": "o", "key": "k", "mail": ["host": "h", "a/b~c": "p"], "whole": ["x": 1],
    ]
    let open = sealed.take(from: given, try paths())
    #expect(open == ["open": "o", "mail": ["host": "h"]])
    #expect(Set(sealed.values.keys) == ["/key", "/mail/a~1b~0c", "/whole"])
    let whole = sealed.put(into: open, try paths())
    #expect(whole["key"] == "k" && whole["mail"]?["a/b~c"] == "p" && whole["whole"] == ["x": 1])
    let read = try SealedSettings(try #require(sealed.bytes), plugin: "probe")
    #expect(read == sealed)
  }

  @Test func `stay when they are left out, and go by null or with their object`() throws {
    var sealed = SealedSettings()
    _ = sealed.take(from: ["key": "k", "mail": ["a/b~c": "p"]], try paths())
    var next = sealed
    #expect(next.take(from: ["open": "o", "mail": ["host": "h"]], try paths())["open"] == "o")
    #expect(next == sealed)
    #expect(next.take(from: ["key": .null, "mail": [:]], try paths()) == ["mail": [:]])
    #expect(Set(next.values.keys) == ["/mail/a~1b~0c"])
    _ = next.take(from: [:], try paths())
    #expect(next.values.isEmpty && next.bytes == nil)
  }

  @Test func `that are no object are damaged`() {
    for text in ["", "[]", "{", "7"] {
      #expect(throws: TenantError.self) { try SealedSettings(Array(text.utf8), plugin: "probe") }
    }
  }

  @Test(
    arguments: [
      (["properties": ["a": ["writeOnly": true, "default": 1]]], "/properties/a/default"),
      (["properties": ["a": ["items": ["writeOnly": true]]]], "/properties/a/items/writeOnly"),
      (["additionalProperties": ["writeOnly": true]], "/additionalProperties/writeOnly"),
      (["anyOf": [["properties": ["a": ["writeOnly": true]]]]], "/anyOf/0/properties/a/writeOnly"),
      (["$defs": ["d": ["writeOnly": true]]], "/$defs/d/writeOnly"),
    ] as [(ConfigValue, String)])
  func `are refused where they could not be sealed`(schema: ConfigValue, pointer: String) throws {
    let problems = ConfigProblems(try ConfigReader.read(text: Array("{}".utf8), name: "x"))
    Schema.checkSecrets(schema, at: "", problems)
    #expect(problems.list.map(\.pointer) == [pointer])
  }

  @Test func `and certificates are kept apart from what plugins ask for`() throws {
    #expect(SealedSettings.name(of: "probe") == "sluice.config.probe")
    let long = HostCertificate.name(of: String(repeating: "a.", count: 120) + "example")
    #expect(long.utf8.count <= 64 && long.hasPrefix(SealedSettings.prefix))
    #expect(HostCertificate.name(of: "a.example") != HostCertificate.name(of: "b.example"))
  }
}
