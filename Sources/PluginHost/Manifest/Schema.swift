import Wire

/// A JSON Schema of a manifest: as written, and compiled by `Wire`.
public struct Schema: Sendable {
  /// The schema as written, for descriptions.
  public let value: ConfigValue
  /// The schema as the gateway asks it.
  public let compiled: JSONSchema

  /// What a schema says against a value.
  public struct Refusal: Sendable, Hashable {
    /// Where in the value, as a JSON pointer.
    public var pointer: String
    public var message: String
  }

  /// What the schema says against `value`; empty when it is accepted.
  public func refusals(of value: ConfigValue) -> [Refusal] {
    compiled.validate(Array(value.json.utf8)).map {
      Refusal(pointer: $0.pointer, message: $0.message)
    }
  }

  init(_ value: ConfigValue) throws(JSONSchema.Failure) {
    compiled = try JSONSchema(Array(value.json.utf8))
    self.value = value
  }

  static let anything = try! Schema([:])
  static let noSettings = try! Schema(["type": "object", "additionalProperties": false])

  init(reading node: ConfigNode) {
    self = (try? Schema(node.value)) ?? .anything
  }
  init(settings node: ConfigNode) { self.init(reading: node) }
  init(file node: ConfigNode, in folder: String) { self.init(reading: node) }
}
