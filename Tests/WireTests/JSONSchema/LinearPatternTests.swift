import Testing
import Wire

@Suite struct `Linear patterns` {
  @Test(arguments: [
    // pattern, what it matches, what it does not
    ("abc", ["abc", "xabcx"], ["ab", ""]), ("^abc$", ["abc"], ["xabc", "abcx", ""]),
    ("", ["", "a"], []), ("^$", [""], ["a"]), ("a|b|", ["a", "b", ""], []),
    ("^(a|bc|)d$", ["ad", "bcd", "d"], ["bd", "abcd"]), ("^a*$", ["", "aaa"], ["b", "aab"]),
    ("^a+$", ["a", "aaa"], ["", "ab"]), ("^ab?c$", ["ac", "abc"], ["abbc"]),
    ("^a{3}$", ["aaa"], ["aa", "aaaa"]), ("^a{2,}$", ["aa", "aaaaa"], ["a"]),
    ("^a{1,3}$", ["a", "aaa"], ["", "aaaa"]), ("^a{0}$", [""], ["a"]),
    ("^(ab){2}$", ["abab"], ["ab"]),
    ("^[a-c_]+$", ["abc_"], ["d", ""]), ("^[^a-c]+$", ["xyz"], ["xaz"]), ("^[-a]+$", ["-a"], ["b"]),
    ("^[a-]+$", ["-a"], ["b"]), ("^[\\]\\\\-]+$", ["]\\-"], ["["]), ("^[\\d.]+$", ["1.5"], ["a"]),
    ("^[^\\s]$", ["a"], [" "]), ("^[\\W]$", ["-"], ["a"]), ("^[]$", [], ["", "a"]),
    ("^[^]$", ["a", "\n"], [""]), ("^[\\b]$", ["\u{8}"], ["b"]),
    ("^\\d\\D\\w\\W\\s\\S$", ["1a_- x"], ["aa_- x"]),
    ("^.$", ["é", "😀", "\t"], ["\n", "ab", "\u{2028}"]),
    ("^\\u0041\\x42\\u{1f600}$", ["AB😀"], ["ABC"]),
    ("^\\t\\n\\r\\f\\v\\0$", ["\t\n\r\u{c}\u{b}\u{0}"], [""]),
    ("^\\.\\*\\/\\-\\^$", [".*/-^"], ["a*/-^"]), ("^(?:a(b(c)))+$", ["abcabc"], ["abab"]),
    ("^a*?b+?$", ["aab", "b"], ["a"]), ("a$b", [], ["ab", "a", "b"]), ("x^", [], ["x"]),
    ("^(a*)*$", ["", "aaa"], ["b"]), ("^(a|a)*$", ["aaaa"], ["b"]), ("^(|a)+$", ["", "aa"], ["b"]),
    ("^[a-z0-9]+(-[a-z0-9]+)*$", ["a-b-c1"], ["-a", "a--b", "A"]), ("[é-ü]", ["xöx"], ["x"]),
    ("^(?:[01]?\\d|2[0-3]):[0-5]\\d$", ["23:59", "7:05"], ["24:00", "1:60"]),
  ])
  func `match what they say`(pattern: String, yes: [String], no: [String]) throws {
    let pattern = try LinearPattern(pattern)
    for text in yes {
      #expect(pattern.matches(text), "\(text)")
      #expect(withBytes(text) { pattern.matches($0) })
    }
    for text in no { #expect(!pattern.matches(text), "\(text)") }
  }

  @Test(arguments: [
    ("(", 0), ("a)", 1), ("[a", 0), ("a]", 1), ("}", 0), ("*a", 0), ("a**", 2), ("a{1}{2}", 4),
    ("^*", 0), ("{1}", 0), ("a{", 1), ("a{x}", 1), ("a{1", 1), ("a{2,1}", 1), ("a{1001}", 5),
    ("\\", 0), ("\\q", 0), ("\\1", 0), ("\\b", 0), ("\\x4", 0), ("\\u12g4", 0), ("\\u{}", 0),
    ("\\u{110000}", 0), ("(?=a)", 0), ("(?<n>a)", 0), ("[z-a]", 1), ("[a-\\d]", 1), ("[\\", 1),
    ("(((a){100}){100}){100}", 0), ("((){1000}){1000}", 0), ("a{999}b{9}", 0),
  ])
  func `with other syntax are refused at the place`(pattern: String, offset: Int) {
    let error = #expect(throws: LinearPattern.SyntaxError.self) { try LinearPattern(pattern) }
    #expect(error?.offset == offset)
    #expect(error?.message.isEmpty == false)
  }

  @Test func `nested too deeply are refused`() {
    let deep = String(repeating: "(", count: 65) + String(repeating: ")", count: 65)
    #expect(throws: LinearPattern.SyntaxError.self) { try LinearPattern(deep) }
  }

  /// A backtracking matcher would need 2^n steps for these; this one is done at once, or the test
  /// never ends.
  @Test(arguments: ["^(a+)+$", "^(a|aa)+$", "^(a*)*b$", "(.*)*x", "^(a?){50}a{50}$"])
  func `take time linear in the text`(pattern: String) throws {
    let pattern = try LinearPattern(pattern)
    #expect(!pattern.matches(String(repeating: "a", count: 20_000) + "!"))
  }
}
