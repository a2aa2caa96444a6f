/// A JSON Schema (draft 2020-12), compiled.
///
/// A stated part of the language; any other keyword is an error of the compilation, so that nothing
/// is written in the belief that it is checked:
///
/// | for | keywords |
/// |---|---|
/// | any value | `type` (a name or several), `enum`, `const`, `allOf`, `anyOf`, `oneOf`, `$ref` |
/// | objects | `properties`, `required`, `additionalProperties` (true, false or a schema), `minProperties`, `maxProperties` |
/// | arrays | `items`, `minItems`, `maxItems`, `uniqueItems` |
/// | strings | `minLength`, `maxLength` (code points), `pattern` (`LinearPattern`), `format`: `email`, `uri`, `date-time`, `uuid` |
/// | numbers | `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf` (whole numbers above 0) |
/// | the root | `$defs` |
/// | nobody | `title`, `description`, `default`, `examples`, `readOnly`, `writeOnly`, `deprecated`, `$comment`, `$schema`, `$id` |
///
/// `$ref` is `#/$defs/name` of the same schema and may not lead back to itself. `true` and `false`
/// are schemas. `format` is checked. Numbers compare by value: `1.0` is an integer and equals `1`;
/// beyond 64 bits they are rounded to the nearest double.
public final class JSONSchema: Sendable {
  /// Why a schema is refused, and where.
  public struct CompileError: Error, Equatable, Sendable {
    /// The place, from the root of the document that the schema is part of (RFC 6901).
    public var pointer: String
    /// What is wrong, in one sentence without a full stop.
    public var message: String

    /// `/a/b: what is wrong`.
    public var description: String { "\(pointer): \(message)" }
  }

  /// What is wrong with a value, and where.
  public struct Violation: Equatable, Sendable {
    /// The place in the value's document (RFC 6901); of a missing key, where it would be.
    public var pointer: String
    /// What is wrong, in one sentence without a full stop.
    public var message: String
  }

  /// Violations reported at most.
  public static let maximumViolations = 16

  /// Keywords with an effect.
  static let keywords = [
    "type", "enum", "const", "allOf", "anyOf", "oneOf", "$ref", "$defs", "properties", "required",
    "additionalProperties", "minProperties", "maxProperties", "items", "minItems", "maxItems",
    "uniqueItems", "minLength", "maxLength", "pattern", "format", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
  ]

  /// Keywords that say something to people, or to whoever keeps the values: no value is refused for them here.
  static let annotations = [
    "title", "description", "default", "examples", "readOnly", "writeOnly", "deprecated",
    "$comment", "$schema", "$id", "x-sluice-plan", "x-sluice-tenants", "x-sluice-bound-to",
  ]

  let program: SchemaProgram

  /// Compiles the schema `value`, of which a copy is kept where it is needed.
  ///
  /// - Throws: `CompileError` for anything not in the table above, and for what no value could meet
  ///   because of a slip (bounds in the wrong order, a required key that may not appear).
  public init(_ value: JSONValue) throws(CompileError) {
    var compiler = SchemaCompiler(root: value)
    program = try compiler.compile()
  }

  /// What is wrong with `value`: nothing, or up to `maximumViolations` in the order of the text.
  public func validate(_ value: JSONValue) -> [Violation] {
    var validator = SchemaValidator(program, value.document)
    validator.check(value.index, program.root)
    return validator.violations
  }

  /// Whether nothing is wrong with `value`.
  public func accepts(_ value: JSONValue) -> Bool {
    var validator = SchemaValidator(program, value.document)
    return validator.isValid(value.index, program.root)
  }
}
