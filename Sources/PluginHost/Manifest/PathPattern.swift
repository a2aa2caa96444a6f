import Wire

/// The path of a route: literal segments and `{name}` parameters, each a whole segment.
public struct PathPattern: Sendable, Hashable, CustomStringConvertible {
  /// What stands between two slashes.
  public enum Segment: Sendable, Hashable {
    /// Matches itself, byte for byte.
    case literal(String)
    /// Matches one segment that is not empty.
    case parameter(String)
  }

  /// The pattern as written.
  public let text: String
  /// From left to right, parameters among them.
  public let segments: [Segment]

  /// The names of the parameters, from left to right.
  public var parameters: [String] {
    segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
  }

  /// The pattern without its parameters' names: `/a/{}/b`. Two patterns of one shape match the same paths.
  public var shape: String {
    if segments.isEmpty { return "/" }
    return segments.map { segment in
      switch segment {
      case .literal(let text): "/" + text
      case .parameter: "/{}"
      }
    }.joined()
  }

  public var description: String { text }

  /// Why a text is no pattern, in words for its author.
  public struct Malformed: Error, CustomStringConvertible {
    public let description: String
  }

  /// Paths that the gateway answers itself.
  static let reserved: Set<String> = ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"]

  /// - Throws: ``Malformed``, also for paths that the gateway answers itself.
  public init(_ text: String) throws(Malformed) {
    guard text.hasPrefix("/") else { throw Malformed(description: "must begin with /") }
    guard text.utf8.count <= 512 else { throw Malformed(description: "is longer than 512 bytes") }
    guard !Self.reserved.contains(text) else {
      throw Malformed(description: "\(text) is answered by the gateway itself")
    }
    self.text = text
    guard text != "/" else {
      segments = []
      return
    }
    guard !text.hasSuffix("/") else { throw Malformed(description: "must not end with /") }
    var segments: [Segment] = []
    var names: Set<String> = []
    for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      let segment = try Self.segment(String(part))
      if case .parameter(let name) = segment, !names.insert(name).inserted {
        throw Malformed(description: "has the parameter {\(name)} twice")
      }
      segments.append(segment)
    }
    self.segments = segments
  }

  private static func segment(_ part: String) throws(Malformed) -> Segment {
    if part.isEmpty { throw Malformed(description: "has an empty segment") }
    if part == "." || part == ".." { throw Malformed(description: "has a segment \(part)") }
    if part.hasPrefix("{") && part.hasSuffix("}") {
      let name = String(part.dropFirst().dropLast())
      guard Grammar.operation.accepts(name) else {
        throw Malformed(
          description: "has {\(name)}, whose name is not a letter, then letters, digits or _")
      }
      return .parameter(name)
    }
    if part.contains(where: { "{}".contains($0) }) {
      throw Malformed(description: "has \(part): a parameter must be a whole segment")
    }
    guard part.utf8.allSatisfy(isPathCharacter) else {
      throw Malformed(
        description: "has \(part): only letters, digits and -._~!$&'()*+,;=:@ may stand in a path")
    }
    return .literal(part)
  }

  /// A `pchar` that is written as itself (RFC 3986 §3.3).
  private static func isPathCharacter(_ byte: UInt8) -> Bool {
    Grammar.isLetter(byte) || Grammar.isDigit(byte) || "-._~!$&'()*+,;=:@".utf8.contains(byte)
  }
}

extension PathPattern {
  /// Reads a pattern; `/` stands in for one that is refused.
  init(reading node: ConfigNode) {
    let text = node.string()
    do {
      self = try PathPattern(text.isEmpty ? "/" : text)
    } catch {
      node.refuse(error.description)
      self = .root
    }
  }

  /// The pattern `/`.
  static let root = PathPattern(text: "/", segments: [])

  private init(text: String, segments: [Segment]) {
    self.text = text
    self.segments = segments
  }
}
