import Wire

/// A value being decoded, with the pointer that leads to it.
///
/// Getters never stop at the first mistake: they record it and give a placeholder, so that one reading tells the
/// author everything. Whatever was built from a reading with problems must be thrown away
/// (``ConfigProblems/throwIfAny()``).
struct ConfigNode {
  let value: ConfigValue
  let pointer: String
  let problems: ConfigProblems

  init(_ value: ConfigValue, at pointer: String, problems: ConfigProblems) {
    self.value = value
    self.pointer = pointer
    self.problems = problems
  }

  /// The root of a document.
  init(rootOf problems: ConfigProblems) {
    self.init(problems.source.root, at: "", problems: problems)
  }

  /// Records what is wrong with this value.
  func refuse(_ message: String, suggestion: String? = nil) {
    problems.add(message, at: pointer, suggestion: suggestion)
  }

  /// Decodes a closed object; `nil`, with the mistake recorded, when this is no object.
  func object<Result>(_ decode: (inout ObjectReader) -> Result) -> Result? {
    guard case .object(let members) = value else {
      refuseKind("an object")
      return nil
    }
    var reader = ObjectReader(members, at: self)
    let result = decode(&reader)
    reader.refuseUnknownKeys()
    return result
  }

  /// The members of an object whose keys are the author's own.
  func entries() -> [(key: String, node: ConfigNode)] {
    guard case .object(let members) = value else {
      refuseKind("an object")
      return []
    }
    return members.map { member in
      (
        member.key,
        ConfigNode(
          member.value, at: JSONPointer.appending(member.key, to: pointer), problems: problems)
      )
    }
  }

  /// Records that a key of ``entries()``, which leads here, does not follow its grammar.
  func checkKey(_ key: String, _ grammar: Grammar) {
    if !grammar.accepts(key) {
      problems.add("\"\(key)\" is not \(grammar.description)", at: pointer, onKey: true)
    }
  }

  /// The elements of an array.
  func elements() -> [ConfigNode] {
    guard case .array(let elements) = value else {
      refuseKind("an array")
      return []
    }
    return elements.enumerated().map { index, element in
      ConfigNode(element, at: "\(pointer)/\(index)", problems: problems)
    }
  }

  /// A string, not empty.
  func string() -> String {
    guard case .string(let text) = value else {
      refuseKind("a string")
      return ""
    }
    if text.isEmpty { refuse("must not be empty") }
    return text
  }

  /// A string of the given grammar.
  func string(_ grammar: Grammar) -> String {
    let text = string()
    if !text.isEmpty && !grammar.accepts(text) {
      refuse("\"\(text)\" is not \(grammar.description)")
    }
    return text
  }

  func integer(in range: ClosedRange<Int>) -> Int {
    guard case .integer(let number) = value else {
      refuseKind("an integer")
      return range.lowerBound
    }
    if !range.contains(number) {
      refuse("\(number) is outside \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func boolean() -> Bool {
    guard case .boolean(let flag) = value else {
      refuseKind("a boolean")
      return false
    }
    return flag
  }

  /// One of an enumeration's words.
  func word<Word: RawRepresentable & CaseIterable>(_: Word.Type = Word.self) -> Word
  where Word.RawValue == String, Word.AllCases == [Word] {
    let words = Word.allCases.map(\.rawValue)
    guard case .string(let text) = value else {
      refuseKind("one of \(Self.list(words))")
      return Word.allCases[0]
    }
    if let word = Word(rawValue: text) { return word }
    let sameLetters = words.first { $0.lowercased() == text.lowercased() }
    refuse(
      "\"\(text)\" is not one of \(Self.list(words))",
      suggestion: sameLetters ?? nearest(to: text, in: words))
    return Word.allCases[0]
  }

  /// Elements decoded one by one, none of them twice.
  func distinct<Element: Hashable>(_ decode: (ConfigNode) -> Element) -> [Element] {
    var seen: Set<Element> = []
    var list: [Element] = []
    for node in elements() {
      let before = problems.list.count
      let element = decode(node)
      if problems.list.count == before && !seen.insert(element).inserted {
        node.refuse("stands here twice")
      }
      list.append(element)
    }
    return list
  }

  private func refuseKind(_ expected: String) {
    refuse("must be \(expected), not \(value.kind)")
  }

  static func list(_ words: [String]) -> String {
    words.joined(separator: ", ")
  }
}
