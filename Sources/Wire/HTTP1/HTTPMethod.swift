/// The method of a request, RFC 9110 §9.1.
public enum HTTPMethod: UInt8, Sendable {
  case get = 1
  case head = 2
  case post = 3
  case put = 4
  case patch = 5
  case delete = 6
  case options = 7
  /// Another valid token; its bytes are at the head's `methodSpan`. Methods are case-sensitive, so
  /// `get` is one of these.
  case other = 255

  /// The method's name; empty for `other`.
  public var name: StaticString {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .patch: "PATCH"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .other: ""
    }
  }

  static func identify(_ name: UnsafeRawPointer, _ count: Int) -> HTTPMethod {
    switch count {
    case 3:
      if equals(name, "GET", 3) { return .get }
      if equals(name, "PUT", 3) { return .put }
    case 4:
      if equals(name, "POST", 4) { return .post }
      if equals(name, "HEAD", 4) { return .head }
    case 5: if equals(name, "PATCH", 5) { return .patch }
    case 6: if equals(name, "DELETE", 6) { return .delete }
    case 7: if equals(name, "OPTIONS", 7) { return .options }
    default: break
    }
    return .other
  }

  private static func equals(_ name: UnsafeRawPointer, _ known: StaticString, _ count: Int) -> Bool
  {
    equalBytes(name, UnsafeRawPointer(known.utf8Start), count)
  }
}
