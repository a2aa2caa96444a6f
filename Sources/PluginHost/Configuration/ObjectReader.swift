import Wire

/// Reads the members of a closed object: whatever is not asked for is an unknown key.
///
/// Ask for every key, whichever way the others turned out; the keys asked for are the ones suggested.
struct ObjectReader {
  let node: ConfigNode
  private let members: [ConfigValue.Member]
  private var known: [String] = []

  init(_ members: [ConfigValue.Member], at node: ConfigNode) {
    self.members = members
    self.node = node
  }

  /// The value under `key`, `nil` when it is absent.
  mutating func optional(_ key: String) -> ConfigNode? {
    known.append(key)
    guard let member = members.first(where: { $0.key == key }) else { return nil }
    return ConfigNode(
      member.value, at: JSONPointer.appending(key, to: node.pointer), problems: node.problems)
  }

  /// The value under `key`; its absence is recorded.
  mutating func required(_ key: String) -> ConfigNode? {
    let value = optional(key)
    if value == nil { node.refuse("\"\(key)\" is missing") }
    return value
  }

  mutating func string(_ key: String, _ grammar: Grammar? = nil) -> String {
    guard let value = required(key) else { return "" }
    return grammar.map(value.string) ?? value.string()
  }

  mutating func string(_ key: String, default text: String) -> String {
    optional(key)?.string() ?? text
  }

  mutating func integer(_ key: String, in range: ClosedRange<Int>, default number: Int) -> Int {
    optional(key)?.integer(in: range) ?? number
  }

  mutating func boolean(_ key: String, default flag: Bool) -> Bool {
    optional(key)?.boolean() ?? flag
  }

  mutating func word<Word: RawRepresentable & CaseIterable>(_ key: String) -> Word
  where Word.RawValue == String, Word.AllCases == [Word] {
    required(key)?.word() ?? Word.allCases[0]
  }

  mutating func word<Word: RawRepresentable & CaseIterable>(
    _ key: String, default word: Word
  ) -> Word where Word.RawValue == String, Word.AllCases == [Word] {
    optional(key)?.word() ?? word
  }

  /// The elements of an array that may be absent.
  mutating func elements(_ key: String) -> [ConfigNode] {
    optional(key)?.elements() ?? []
  }

  /// The closed objects of an array that may be absent; what is no object is recorded and left out.
  mutating func objects<Result>(
    _ key: String, _ decode: (inout ObjectReader) -> Result
  ) -> [Result] {
    elements(key).compactMap { $0.object(decode) }
  }

  /// Strings of a grammar, none twice, of an array that may be absent.
  mutating func strings(_ key: String, _ grammar: Grammar) -> [String] {
    optional(key)?.distinct { $0.string(grammar) } ?? []
  }

  /// Records every member that was not asked for.
  mutating func refuseUnknownKeys() {
    for member in members where !known.contains(member.key) {
      node.problems.add(
        "unknown key \"\(member.key)\"",
        at: JSONPointer.appending(member.key, to: node.pointer), onKey: true,
        suggestion: nearest(to: member.key, in: known))
    }
  }
}
