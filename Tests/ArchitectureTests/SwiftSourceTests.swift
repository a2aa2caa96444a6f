import Testing

/// The rules are only as good as the reader that they look through.
@Suite struct `Reading Swift` {
  @Test func `literals are found, comments are not`() {
    let source = SwiftSource(
      ##"""
      public import Wire // "no"
      let a = "one" /* "no" /* nested "no" */ */ + #"two "quoted""#
      let b = "x\(name("inner"))\"y"
      let c = """
        long "one"
        """
      let d = 1
      """##)
    #expect(
      source.literals == [
        .init(text: "one", line: 2), .init(text: #"two "quoted""#, line: 2),
        .init(text: "inner", line: 3), .init(text: #"x\(…)\"y"#, line: 3),
        .init(text: "\n  long \"one\"\n  ", line: 4),
      ])
    #expect(source.imports.map(\.module) == ["Wire"])
    #expect(source.code[6] == "let d = 1")
    #expect(!source.code.joined().contains("no"))
  }
}
