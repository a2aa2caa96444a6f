import CJansson

/// Reads manifests and configuration with Jansson: strict RFC 8259, and a key that stands twice is an error.
///
/// Control thread only.
public enum ConfigReader {
  /// The largest file that is read, in bytes.
  public static let fileLimit = 4 << 20

  /// Reads the JSON file at `path`.
  ///
  /// - Throws: one problem: the file cannot be read, or what is wrong with its text, with line and column.
  public static func read(file path: String) throws(ConfigurationError) -> ConfigSource {
    let text: [UInt8]
    do {
      text = try FileSystem.contents(of: path, limit: fileLimit)
    } catch {
      throw ConfigurationError([ConfigProblem(file: path, message: error.description)])
    }
    return try read(text: text, name: path)
  }

  /// Reads a JSON text whose root is an object or an array.
  ///
  /// - Parameters:
  ///   - text: the document, in UTF-8.
  ///   - name: what errors call it.
  public static func read(text: [UInt8], name: String) throws(ConfigurationError) -> ConfigSource {
    var failure = json_error_t()
    let document = text.withUnsafeBytes { bytes in
      json_loadb(bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1), bytes.count, flags, &failure)
    }
    guard let document else {
      throw ConfigurationError([problem(from: failure, in: text, name: name)])
    }
    defer { json_decref(document) }
    return ConfigSource(text: ConfigText(name: name, bytes: text), root: value(of: document))
  }

  private static let flags = Int(JSON_REJECT_DUPLICATES)

  private static func value(of node: UnsafeMutablePointer<json_t>) -> ConfigValue {
    switch node.pointee.type {
    case JSON_OBJECT:
      var members: [ConfigValue.Member] = []
      members.reserveCapacity(json_object_size(node))
      var iterator = json_object_iter(node)
      while let member = iterator {
        if let key = json_object_iter_key(member), let value = json_object_iter_value(member) {
          members.append(.init(String(cString: key), self.value(of: value)))
        }
        iterator = json_object_iter_next(node, member)
      }
      return .object(members)
    case JSON_ARRAY:
      return .array((0..<json_array_size(node)).compactMap { json_array_get(node, $0) }.map(value))
    case JSON_STRING:
      return .string(json_string_value(node).map { String(cString: $0) } ?? "")
    case JSON_INTEGER:
      return .integer(Int(json_integer_value(node)))
    case JSON_REAL:
      return .number(json_real_value(node))
    case JSON_TRUE: return .boolean(true)
    case JSON_FALSE: return .boolean(false)
    default: return .null
    }
  }

  /// Jansson reports the end of the offending token; people look for its beginning.
  private static func problem(
    from failure: json_error_t, in text: [UInt8], name: String
  ) -> ConfigProblem {
    var message = withUnsafeBytes(of: failure.text) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    var offset = min(max(0, Int(failure.position)), text.count)
    if let token = token(named: message), text[..<offset].suffix(token.count).elementsEqual(token) {
      offset -= token.count
      if message.hasPrefix("duplicate object key") {
        message = "duplicate key \(String(decoding: token, as: UTF8.self))"
      }
    }
    if text.isEmpty {
      message = "the file is empty"
    } else if text[..<offset].allSatisfy(isSpace), !isValue(text) {
      message = "this is not JSON: \(message)"
    }
    return ConfigProblem(
      file: name, position: TextPosition(of: offset, in: text), message: message)
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    [0x20, 0x09, 0x0a, 0x0d].contains(byte)
  }

  /// Whether a text that is no object or array is some other JSON.
  private static func isValue(_ text: [UInt8]) -> Bool {
    text.withUnsafeBytes { bytes in
      guard let value = json_loadb(bytes.baseAddress, bytes.count, Int(JSON_DECODE_ANY), nil) else {
        return false
      }
      json_decref(value)
      return true
    }
  }

  /// The token in a message that ends `near 'TOKEN'`.
  private static func token(named message: String) -> [UInt8]? {
    let bytes = Array(message.utf8)
    let mark = Array(" near '".utf8)
    guard bytes.last == UInt8(ascii: "'"), bytes.count > mark.count else { return nil }
    for start in 0..<(bytes.count - mark.count) where bytes[start...].starts(with: mark) {
      return Array(bytes[(start + mark.count)..<(bytes.count - 1)])
    }
    return nil
  }
}
