/// JSON Pointers, RFC 6901.
public enum JSONPointer {
  /// `pointer` with one more step down to `key`.
  public static func appending(_ key: String, to pointer: String) -> String {
    var result = pointer + "/"
    for scalar in key.unicodeScalars {
      switch scalar {
      case "~": result += "~0"
      case "/": result += "~1"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The steps of `pointer`, or nil if it is none: not empty and without `/` first, or `~` without 0 or 1.
  public static func steps(of pointer: String) -> [String]? {
    guard pointer.isEmpty || pointer.hasPrefix("/") else { return nil }
    var steps: [String] = []
    for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      var step = ""
      var isEscaped = false
      for scalar in part.unicodeScalars {
        switch (isEscaped, scalar) {
        case (false, "~"): isEscaped = true
        case (false, _): step.unicodeScalars.append(scalar)
        case (true, "0"), (true, "1"):
          step += scalar == "0" ? "~" : "/"
          isEscaped = false
        default: return nil
        }
      }
      if isEscaped { return nil }
      steps.append(step)
    }
    return steps
  }

  static func escaped(_ key: JSONNode, _ base: UnsafeRawPointer) -> String {
    String(appending(JSONValue.text(of: key, base), to: "").dropFirst())
  }
}
