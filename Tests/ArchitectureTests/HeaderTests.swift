import Testing

/// The contract, as its headers are written.
@Suite struct `Public headers` {
  static let headers = Tree.files(under: "include/sluice", ".h")

  // A stranger includes the one header he needs, in C or in C++, with the warnings of his own project.
  @Test(arguments: headers) func `a header compiles alone`(header: String) throws {
    let warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    for compiler in [["gcc", "-std=c11", "-x", "c"], ["g++", "-std=c++17", "-x", "c++"]] {
      // Included rather than compiled, because a header that is the main file is another matter to some warnings.
      let source = "#include \"\(header)\"\ntypedef int sluice_test_unit_is_not_empty;\n"
      let command = compiler + warnings + ["-fsyntax-only", "-I", ".", "-"]
      let outcome = try Tree.run(command, input: source)
      #expect(outcome.status == 0, "\(compiler[0]): \(outcome.output)")
    }
  }

  // A function without a thread is called on the wrong one, and that is found in production.
  @Test(arguments: headers) func `every function pointer says on which thread it is called`(
    header: String
  ) throws {
    let untagged = Header(try Tree.text(header)).functions.filter { !$0.isTagged }
    #expect(untagged.map { "\(header):\($0.line) \($0.name)" } == [])
  }

  @Test func `function pointers are found where there are some`() throws {
    let store = Header(try Tree.text("include/sluice/ext/store.h"))
    #expect(store.functions.map(\.name) == ["commit", "read", "room"])
    let untagged = Header("/* about */\nstruct s {\n  /* one */\n  int (*f)(int);\n};\n")
    #expect(untagged.functions.map(\.isTagged) == [false])
    let section = Header(
      """
      /* about */
      struct s {
        /* ---- [loop-thread & ACTIVE] */
        /* one */
        int (*f)(int);
      };
      struct t {
        int (*g)(int);
      };
      """)
    #expect(section.functions.map(\.isTagged) == [true, false])
  }
}

/// The function pointers of a C header.
struct Header {
  struct Function {
    var name: String
    var line: Int
    /// Whether its own comment, its section's or its file's names a thread.
    var isTagged: Bool
  }

  private(set) var functions: [Function] = []

  init(_ text: String) {
    let tag = #/\[[a-z|]+-thread/#
    let pieces = Self.pieces(of: text)
    let isTaggedThroughout = pieces.first { $0.isComment }?.text.contains(tag) ?? false
    var isSectionTagged = false
    var own: [String] = []
    for piece in pieces {
      if piece.isComment {
        if piece.text.hasPrefix("/* ----") {
          isSectionTagged = piece.text.contains(tag)
        } else {
          own.append(piece.text)
        }
        continue
      }
      var line = piece.line
      // Declarations end in semicolons and braces; a comment after one belongs to the next.
      for declaration in piece.text.split(separator: #/[;{}]/#, omittingEmptySubsequences: false) {
        if let match = declaration.firstMatch(of: #/\(\*\s*(?:SLUICE_[A-Z]+\s+)?(\w+)\)\s*\(/#) {
          let before = declaration[..<match.range.lowerBound].filter { $0 == "\n" }.count
          functions.append(
            Function(
              name: String(match.1), line: line + before,
              isTagged: isTaggedThroughout || isSectionTagged
                || own.contains { $0.contains(tag) }))
        }
        line += declaration.filter { $0 == "\n" }.count
        if declaration.endIndex != piece.text.endIndex {
          own = []
          if piece.text[declaration.endIndex] == "}" { isSectionTagged = false }
        }
      }
    }
  }

  private static func pieces(of text: String) -> [(text: String, isComment: Bool, line: Int)] {
    var pieces: [(text: String, isComment: Bool, line: Int)] = []
    var rest = Substring(text)
    var line = 1
    func take(_ part: Substring, _ isComment: Bool) {
      pieces.append((String(part), isComment, line))
      line += part.filter { $0 == "\n" }.count
    }
    while let start = rest.firstRange(of: "/*") {
      take(rest[..<start.lowerBound], false)
      rest = rest[start.lowerBound...]
      let end = rest.firstRange(of: "*/")?.upperBound ?? rest.endIndex
      take(rest[..<end], true)
      rest = rest[end...]
    }
    take(rest, false)
    return pieces
  }
}
