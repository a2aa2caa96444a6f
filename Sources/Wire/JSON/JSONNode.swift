/// What a value is.
public enum JSONKind: UInt8, Sendable {
  case null, bool, number, string, array, object

  /// The name JSON Schema gives it.
  public var name: StaticString {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}

/// One entry of a document's tape, in the order of the text: a value or a key. An object is followed
/// by key, value, key, value; an array by its elements.
struct JSONNode {
  /// The first byte: of a string or key, after its quote.
  var start: UInt32
  /// The byte after the last: of a string or key, its closing quote.
  var end: UInt32
  /// The tape index of what follows this value and all inside it.
  var next: UInt32
  var kind: JSONKind
  /// A string with escapes, so that its bytes are not its meaning.
  var hasEscapes: Bool
  /// Members of an object, elements of an array, up to 65,535; then count by walking.
  var count: UInt16
}

/// Bounds on a document, so that no text costs more than its size suggests.
public struct JSONLimits: Sendable {
  /// Objects and arrays inside each other, at most 512.
  public let depth: Int
  /// Values and keys.
  public let nodes: Int

  /// - Parameters:
  ///   - depth: of arrays and objects in each other, 1 to 512.
  ///   - nodes: values and keys, at least 1.
  public init(depth: Int = 64, nodes: Int = 100_000) {
    self.depth = min(max(depth, 1), 512)
    self.nodes = max(nodes, 1)
  }
}

/// The nodes of a document: memory that grows and is used again. Owned by one document.
struct JSONTape: ~Copyable {
  private(set) var nodes: UnsafeMutablePointer<JSONNode>
  private var capacity: Int
  private(set) var count = 0

  init() {
    capacity = 32
    nodes = .allocate(capacity: capacity)
  }

  deinit { nodes.deallocate() }

  mutating func reset() { count = 0 }

  mutating func append(_ node: JSONNode) {
    if count == capacity { grow() }
    (nodes + count).initialize(to: node)
    count &+= 1
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<JSONNode>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: nodes, count: count)
    nodes.deallocate()
    nodes = larger
    capacity *= 2
  }
}
