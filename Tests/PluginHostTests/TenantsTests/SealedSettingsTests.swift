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
      "issuers": [
        "type": "array",
        "items": [
          "type": "object", "required": ["name", "keys"],
          "properties": [
            "name": ["type": "string"],
            "keys": [
              "type": "array",
              "items": [
                "type": "object", "properties": ["k": ["type": "string", "writeOnly": true]],
              ],
            ],
          ],
        ],
      ],
    ],
    "additionalProperties": false,
  ]

  private func paths() throws -> [SecretPath] { try Schema(Self.schema).secretPaths }

  @Test func `are found by what leads to them`() throws {
    let paths = try paths()
    #expect(
      paths.map(\.steps) == [
        ["key"], ["mail", "a/b~c"], ["whole"],
        ["issuers", .each(identity: "name"), "keys", .each(identity: nil), "k"],
      ])
    #expect(paths[1].pointer == "/mail/a~1b~0c")
  }

  @Test func `are taken out of what is shown and put back for the plugin`() throws {
    var sealed = SealedSettings()
    let given: ConfigValue = [
      "open": "o", "key": "k", "mail": ["host": "h", "a/b~c": "p"], "whole": ["x": 1],
    ]
    let open = sealed.take(from: given, try paths(), after: [:])
    #expect(open == ["open": "o", "mail": ["host": "h"]])
    #expect(Set(sealed.values.keys) == ["/key", "/mail/a~1b~0c", "/whole"])
    let whole = sealed.put(into: open, try paths())
    #expect(whole["key"] == "k" && whole["mail"]?["a/b~c"] == "p" && whole["whole"] == ["x": 1])
    let read = try SealedSettings(try #require(sealed.bytes), plugin: "probe")
    #expect(read == sealed)
  }

  @Test func `stay when they are left out, and go by null or with their object`() throws {
    var sealed = SealedSettings()
    let first = sealed.take(from: ["key": "k", "mail": ["a/b~c": "p"]], try paths(), after: [:])
    var next = sealed
    let second = next.take(
      from: ["open": "o", "mail": ["host": "h"]], try paths(), after: first)
    #expect(second["open"] == "o" && next == sealed)
    let third = next.take(from: ["key": .null, "mail": [:]], try paths(), after: second)
    #expect(third == ["mail": [:]])
    #expect(Set(next.values.keys) == ["/mail/a~1b~0c"])
    _ = next.take(from: [:], try paths(), after: third)
    #expect(next.values.isEmpty && next.bytes == nil)
  }

  @Test func `in arrays stay with the element that was theirs, and with no other`() throws {
    func issuer(_ name: String, _ keys: ConfigValue...) -> ConfigValue {
      ["name": .string(name), "keys": .array(keys)]
    }
    let paths = try paths()
    var sealed = SealedSettings()
    var open = sealed.take(
      from: [
        "issuers": [
          issuer("a", ["kid": "1", "k": "a1"], ["kid": "2", "k": "a2"]),
          issuer("b", ["kid": "1", "k": "b1"]), issuer("c", ["kid": "1"]),
        ]
      ], paths, after: [:])
    #expect(
      open["issuers"] == [
        issuer("a", ["kid": "1"], ["kid": "2"]), issuer("b", ["kid": "1"]),
        issuer("c", ["kid": "1"]),
      ])
    #expect(
      Set(sealed.values.keys) == [
        "/issuers/0/keys/0/k", "/issuers/0/keys/1/k", "/issuers/1/keys/0/k",
      ])
    #expect(
      sealed.places(in: open, paths).filter { $0.pointer.hasPrefix("/issuers") }.map(\.isSet) == [
        true, true, true, false,
      ])
    // Moved, one of its keys gone, with its members in another order, and one that takes its place under another name.
    open = sealed.take(
      from: [
        "issuers": [
          ["keys": [["kid": "1"]], "name": "b"], issuer("a", ["kid": "2"]),
          issuer("d", ["kid": "2"]),
        ]
      ], paths, after: open)
    let whole = sealed.put(into: open, paths)
    #expect(
      whole["issuers"] == [
        ["keys": [["kid": "1", "k": "b1"]], "name": "b"], issuer("a", ["kid": "2", "k": "a2"]),
        issuer("d", ["kid": "2"]),
      ])
    // Null removes it, another replaces it, and two of one name are nobody's.
    open = sealed.take(
      from: [
        "issuers": [
          issuer("b", ["kid": "1", "k": .null]), issuer("a", ["kid": "2", "k": "new"]),
        ]
      ], paths, after: open)
    #expect(sealed.values == ["/issuers/1/keys/0/k": "new"])
    open = sealed.take(
      from: ["issuers": [issuer("a", ["kid": "3"]), issuer("a", ["kid": "4"])]], paths, after: open)
    #expect(sealed.values.isEmpty)
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
      (
        ["properties": ["a": ["items": ["properties": ["b": ["writeOnly": true, "default": 1]]]]]],
        "/properties/a/items/properties/b/default"
      ),
      (
        ["properties": ["a": ["items": ["additionalProperties": ["writeOnly": true]]]]],
        "/properties/a/items/additionalProperties/writeOnly"
      ),
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
