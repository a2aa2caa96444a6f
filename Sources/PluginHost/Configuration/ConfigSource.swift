/// A JSON document together with its text.
///
/// Its description is its name: the text may hold secrets.
public struct ConfigSource: Sendable, CustomStringConvertible, CustomReflectable {
  /// The document as it was written.
  public let text: ConfigText
  /// What the text says.
  public let root: ConfigValue

  /// The file as the operator named it.
  public var name: String { text.name }

  public var description: String { text.name }
  public var customMirror: Mirror { Mirror(reflecting: text.name) }

  /// Where the value at `pointer` begins, and where its key does; `nil` when there is nothing at `pointer`.
  func locate(_ pointer: String) -> (key: TextPosition, value: TextPosition)? {
    text.locate(pointer)
  }
}
