import Testing

@testable import PluginHost

@Suite struct `Secrets of another version` {
  private static func schema(_ key: ConfigValue?, closed: Bool = true) throws -> Schema {
    var properties: [ConfigValue.Member] = [.init("open", ["type": "string"])]
    if let key { properties.append(.init("key", key)) }
    var members: [ConfigValue.Member] = [
      .init("type", "object"), .init("properties", .object(properties)),
    ]
    if closed { members.append(.init("additionalProperties", false)) }
    return try Schema(.object(members))
  }

  private static func issuers(_ k: ConfigValue) throws -> Schema {
    try Schema([
      "type": "object",
      "properties": [
        "issuers": [
          "type": "array",
          "items": [
            "type": "object", "required": ["name"],
            "properties": ["name": ["type": "string"], "k": k],
          ],
        ]
      ],
    ])
  }

  private static let secret: ConfigValue = ["type": "string", "writeOnly": true]
  private static let plain: ConfigValue = ["type": "string"]

  /// The settings that a plugin of this schema gets.
  private func whole(_ sealed: SealedSettings, _ open: ConfigValue, _ schema: Schema) -> ConfigValue
  {
    sealed.put(
      into: open,
      sealed.paths(by: schema, in: open).filter { $0.hasPlace(in: schema.value) })
  }

  @Test func `reach a plugin that does not call them so, and stay sealed`() throws {
    var sealed = SealedSettings()
    let first = sealed.take(
      from: ["key": "k"], try Self.schema(Self.secret).secretPaths, after: [:])
    let older = try Self.schema(Self.plain)
    #expect(older.secretPaths.isEmpty)
    #expect(whole(sealed, first, older) == ["key": "k"])
    // Other settings leave it, another takes its place, and null removes it.
    var second = sealed.take(
      from: ["open": "o"], sealed.paths(by: older, in: first), after: first)
    #expect(second == ["open": "o"] && sealed.values == ["/key": "k"])
    second = sealed.take(
      from: ["key": "new"], sealed.paths(by: older, in: second), after: second)
    #expect(second == [:] && sealed.values == ["/key": "new"])
    second = sealed.take(
      from: ["key": .null], sealed.paths(by: older, in: second), after: second)
    #expect(second == [:] && sealed.values.isEmpty)
  }

  @Test func `wait where a plugin does not know them`() throws {
    var sealed = SealedSettings()
    let open = sealed.take(from: ["key": "k"], try Self.schema(Self.secret).secretPaths, after: [:])
    let ignorant = try Self.schema(nil)
    #expect(whole(sealed, open, ignorant) == [:])
    let next = sealed.take(
      from: ["open": "o"], sealed.paths(by: ignorant, in: open), after: open)
    #expect(whole(sealed, next, ignorant) == ["open": "o"])
    #expect(whole(sealed, next, try Self.schema(Self.secret)) == ["open": "o", "key": "k"])
    // One that takes whatever is given takes it.
    #expect(whole(sealed, next, try Self.schema(nil, closed: false))["key"] == "k")
  }

  @Test func `stay with their elements of arrays`() throws {
    let (newer, older) = (try Self.issuers(Self.secret), try Self.issuers(Self.plain))
    var sealed = SealedSettings()
    let open = sealed.take(
      from: ["issuers": [["name": "a", "k": "1"], ["name": "b", "k": "2"]]], newer.secretPaths,
      after: [:])
    let next = sealed.take(
      from: ["issuers": [["name": "b"], ["name": "c"]]], sealed.paths(by: older, in: open),
      after: open)
    #expect(whole(sealed, next, older)["issuers"] == [["name": "b", "k": "2"], ["name": "c"]])
    #expect(whole(sealed, next, newer) == whole(sealed, next, older))
    #expect(sealed.values == ["/issuers/0/k": "2"])
  }

  @Test func `are named where there is no place for them`() throws {
    let nested = try Schema([
      "type": "object",
      "properties": ["mail": ["type": "object", "properties": ["password": Self.secret]]],
    ])
    let around = try Schema([
      "type": "object", "properties": ["mail": ["type": "object", "writeOnly": true]],
    ])
    var sealed = SealedSettings()
    let open = sealed.take(
      from: ["mail": ["host": "h", "password": "p"]], nested.secretPaths, after: [:])
    #expect(sealed.misplaced(by: nested, in: open) == nil)
    #expect(sealed.misplaced(by: around, in: open) == "/mail/password")
    var other = SealedSettings()
    let all = other.take(from: ["mail": ["host": "h"]], around.secretPaths, after: [:])
    #expect(other.misplaced(by: around, in: all) == nil)
    #expect(other.misplaced(by: nested, in: all) == "/mail")
  }
}
