/// Where in a value the coder is: a list that shares its tails, made a pointer only when it is needed.
final class JSONPath {
  private let parent: JSONPath?
  private let key: any CodingKey

  init(_ parent: JSONPath?, _ key: any CodingKey) {
    self.parent = parent
    self.key = key
  }

  static func keys(_ path: JSONPath?) -> [any CodingKey] {
    var keys: [any CodingKey] = []
    var path = path
    while let here = path {
      keys.append(here.key)
      path = here.parent
    }
    return keys.reversed()
  }

  /// An RFC 6901 pointer.
  static func pointer(_ path: JSONPath?) -> String {
    var text = ""
    for key in keys(path) {
      text += "/"
      if let index = key.intValue {
        text += "\(index)"
        continue
      }
      for character in key.stringValue.unicodeScalars {
        switch character {
        case "~": text += "~0"
        case "/": text += "~1"
        default: text.unicodeScalars.append(character)
        }
      }
    }
    return text
  }
}

/// A place in an array.
struct IndexKey: CodingKey {
  let index: Int

  init(_ index: Int) {
    self.index = index
  }

  var stringValue: String { "\(index)" }
  var intValue: Int? { index }

  init?(stringValue: String) {
    nil
  }

  init?(intValue: Int) {
    index = intValue
  }
}
