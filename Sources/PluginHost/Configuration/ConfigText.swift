import Wire

/// The text of a JSON document, so that a pointer can be turned into a line and a column.
///
/// Its description is its name: the text may hold secrets.
public struct ConfigText: Sendable, CustomStringConvertible, CustomReflectable {
  /// The file as the operator named it.
  public let name: String
  /// UTF-8, accepted by ``ConfigReader``.
  public let bytes: [UInt8]

  public var description: String { name }
  public var customMirror: Mirror { Mirror(reflecting: name) }

  /// Where the value at `pointer` begins, and where its key does (an array's element has none: the same place).
  ///
  /// Jansson keeps no positions, so the text is read again; that happens only for an error. `nil` when there is
  /// nothing at `pointer`.
  func locate(_ pointer: String) -> (key: TextPosition, value: TextPosition)? {
    let limits = JSONLimits(depth: 512, nodes: ConfigReader.fileLimit)
    let document = bytes.withUnsafeBytes { try? JSONDocument($0, limits: limits) }
    guard let document, let value = document.root.value(at: pointer) else { return nil }
    let place = TextPosition(value.location)
    guard let slash = pointer.lastIndex(of: "/"),
      let parent = document.root.value(at: String(pointer[..<slash])),
      let name = JSONPointer.steps(of: pointer)?.last,
      let member = parent.members.first(where: { $0.key.isString(name) })
    else { return (place, place) }
    return (TextPosition(member.key.location), place)
  }
}

extension TextPosition {
  init(_ location: JSONLocation) {
    self.init(line: location.line, column: location.column)
  }

  /// The position of the byte at `offset` of a UTF-8 text.
  init(of offset: Int, in text: [UInt8]) {
    self.init(text.withUnsafeBytes { JSONLocation(offset: offset, in: $0) })
  }
}
