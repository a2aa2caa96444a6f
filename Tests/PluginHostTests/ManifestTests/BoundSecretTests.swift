import Testing

@testable import PluginHost

@Suite struct `A secret that is bound to other settings` {
  private static func schema() throws -> Schema {
    try Schema([
      "type": "object",
      "properties": [
        "host": ["type": "string"], "port": ["type": "integer", "default": 587],
        "name": ["type": "string"],
        "password": [
          "type": "string", "writeOnly": true, "x-sluice-bound-to": ["host", "port"],
        ],
        "below": [
          "type": "object",
          "properties": [
            "url": ["type": "string"],
            "token": ["type": "string", "writeOnly": true, "x-sluice-bound-to": ["url"]],
          ],
        ],
      ],
    ])
  }

  private static let former: ConfigValue = ["host": "a", "name": "x", "below": ["url": "u"]]

  private func redirected(_ settings: ConfigValue, isSealed: Bool = true) throws -> [String] {
    let schema = try Self.schema()
    var sealed = SealedSettings()
    if isSealed {
      let given: ConfigValue = [
        "host": "a", "name": "x", "password": "p", "below": ["url": "u", "token": "t"],
      ]
      _ = sealed.take(from: given, schema.secretPaths, after: [:])
    }
    return schema.redirected(settings, since: Self.former, sealed).map {
      "\($0.pointer) \($0.setting)"
    }
  }

  @Test func `is given again where one of them is another`() throws {
    #expect(try redirected(["host": "b", "below": ["url": "u"]]) == ["/password host"])
    #expect(try redirected(["host": "a", "port": 25, "below": ["url": "u"]]) == ["/password port"])
    #expect(try redirected(["below": ["url": "u"]]) == ["/password host"])
    #expect(try redirected(["host": "a", "below": ["url": "v"]]) == ["/below/token url"])
  }

  @Test func `stays where none is, a default being as good as what it says`() throws {
    #expect(try redirected(Self.former) == [])
    #expect(try redirected(["host": "a", "port": 587, "name": "y", "below": ["url": "u"]]) == [])
    #expect(try redirected(["host": "a"]) == [])
  }

  @Test func `is not asked for where it is given, removed or was never there`() throws {
    #expect(try redirected(["host": "b", "password": "p"]) == [])
    #expect(try redirected(["host": "b", "password": .null]) == [])
    #expect(try redirected(["host": "b", "below": ["url": "v"]], isSealed: false) == [])
  }
}
