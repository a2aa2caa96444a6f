public import Wire

/// A JSON Schema of a manifest that is shown and never asked: of an answer, of an event.
///
/// Its text alone is kept. There are many of these, and a compiled one takes some ten times the room.
public struct ShownSchema: Sendable, Hashable {
  private let text: String

  /// Accepts every value.
  static let anything = ShownSchema(Schema.anything)

  /// The schema as written, read anew. Control thread.
  public var value: ConfigValue {
    // A document is an object or an array, and a schema may be true or false. The text was written here: it cannot be refused.
    let source = try? ConfigReader.read(text: Array("[\(text)]".utf8), name: "schema")
    return source?.root.elements.first ?? true
  }

  /// The schema compiled, anew each time: for whoever looks whether an answer is as it is shown. Any thread.
  public var compiled: JSONSchema { (try? Schema(value))?.compiled ?? Schema.anything.compiled }

  private init(_ schema: Schema) { text = schema.value.json }

  /// Checks the schema at `node`; one that accepts everything stands in for one that is refused.
  init(reading node: ConfigNode) { self.init(Schema(reading: node)) }

  /// Reads the schema in the file that `node` names.
  init(file node: ConfigNode, in folder: String) {
    self = .anything
    let path = node.string()
    guard !path.isEmpty else { return }
    guard FilePath.staysInside(path) else {
      node.refuse("\"\(path)\" is not a path inside the plugin's folder")
      return
    }
    do throws(ConfigurationError) {
      let source = try ConfigReader.read(file: FilePath.resolve(path, in: folder))
      let problems = ConfigProblems(source)
      let root = ConfigNode(rootOf: problems)
      let schema = Schema(reading: root)
      schema.checkExamples(root)
      self.init(schema)
      try problems.throwIfAny()
    } catch {
      node.problems.add(contentsOf: error.problems)
    }
  }
}
