public import Wire

/// A JSON Schema of a manifest: as written, and compiled by `Wire`.
public struct Schema: Sendable {
  /// The schema as written, for descriptions.
  public let value: ConfigValue
  /// The schema as the gateway asks it.
  public let compiled: JSONSchema

  /// Accepts every value.
  static let anything = Schema(constant: [:])
  /// The settings of a plugin that has none.
  static let noSettings = Schema(constant: ["type": "object", "additionalProperties": false])

  /// What is wrong with a value, or with a schema itself, and where.
  public struct Refusal: Error, Sendable, Hashable {
    /// A JSON pointer (RFC 6901) from the root of the value, or of the schema.
    public var pointer: String
    /// What is wrong there, for people.
    public var message: String
  }

  /// What the schema says against `value`, in the order of its text; empty when it is accepted.
  public func refusals(of value: ConfigValue) -> [Refusal] {
    do {
      let document = try Self.document(of: value)
      return compiled.validate(document.root).map {
        Refusal(pointer: $0.pointer, message: $0.message)
      }
    } catch {
      return [error]
    }
  }

  /// `value` with the `default` of every property that it leaves out, in the order of the schema.
  ///
  /// What stands behind `$ref`, `allOf` and the like adds nothing.
  public func completed(_ value: ConfigValue) -> ConfigValue {
    Self.complete(value, by: self.value)
  }

  private static func complete(_ value: ConfigValue, by schema: ConfigValue) -> ConfigValue {
    guard case .object(var members) = value else { return value }
    for property in schema["properties"]?.members ?? [] {
      if let index = members.firstIndex(where: { $0.key == property.key }) {
        members[index].value = complete(members[index].value, by: property.value)
      } else if let standard = property.value["default"] {
        members.append(.init(property.key, complete(standard, by: property.value)))
      }
    }
    return .object(members)
  }

  /// - Throws: what is wrong with the schema, its pointer from the schema's root.
  init(_ value: ConfigValue) throws(Refusal) {
    let document = try Self.document(of: value)
    do {
      compiled = try JSONSchema(document.root)
    } catch {
      throw Refusal(pointer: error.pointer, message: error.message)
    }
    self.value = value
  }

  /// A schema of this file.
  private init(constant value: ConfigValue) {
    do {
      try self.init(value)
    } catch {
      fatalError("a constant schema does not compile: \(error.message)")
    }
  }

  /// `value` as `Wire` sees it, which does not go as deep as Jansson does.
  private static func document(of value: ConfigValue) throws(Refusal) -> JSONDocument {
    do {
      return try JSONDocument(
        value.json, limits: JSONLimits(depth: 512, nodes: ConfigReader.fileLimit))
    } catch {
      throw Refusal(pointer: error.pointer, message: "\(error.reason.message)")
    }
  }
}
