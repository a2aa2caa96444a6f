import Foundation
import Testing

/// How the project's files are written.
@Suite struct `Files` {
  /// Every text file that is in the repository.
  static let tracked = Result<[String], any Error> {
    try Tree.output("git", "ls-files", "-z").split(separator: "\0").map(String.init)
      .filter { Tree.exists($0) }
  }

  private static let sources = [".swift", ".h", ".c", ".rs", ".py", ".sql", ".sh", ".md"]

  private static let testStarts = ["@Test func `", "func `", "@Suite struct `", "struct `"]

  // The report of a run is XML, in which the runner escapes no name of a test.
  @Test func `no test has a name that breaks the report`() throws {
    for file in try Self.tracked.get() where file.hasPrefix("Tests/") && file.hasSuffix(".swift") {
      for line in try Tree.text(file).split(separator: "\n") {
        let words = line.drop { $0 == " " }
        guard let start = Self.testStarts.first(where: words.hasPrefix),
          let end = words.dropFirst(start.count).firstIndex(of: "`")
        else { continue }
        let name = words.dropFirst(start.count)[..<end]
        #expect(!name.contains { "\"<>&".contains($0) }, "\(file): \(name)")
      }
    }
  }

  // One file holds one idea; one that needs more room says in its first line why.
  @Test func `no source is longer than 400 lines without its reason`() throws {
    for file in try Self.tracked.get() where Self.sources.contains(where: file.hasSuffix) {
      let lines = try Tree.text(file).split(separator: "\n", omittingEmptySubsequences: false)
      let isLong = lines.count - 1 > 400
      #expect(!isLong || lines[0].contains("400"), "\(file): \(lines.count - 1) lines")
    }
  }

  // What only one machine has is broken on every other.
  @Test func `no file names a folder of one machine or outside of the repository`() throws {
    let pattern = #/(?:^|[\s"'`=(:])\/(?:work|root|home)\/|\.\.\/shared\b/#
    for file in try Self.tracked.get() {
      guard let text = try? Tree.text(file), text.contains(pattern) else { continue }
      for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
        .enumerated()
      where line.contains(pattern) {
        Issue.record("\(file):\(index + 1): \(line)")
      }
    }
  }

  // Sessions are what the auth plugin gives to developers who sign in. Elsewhere in the product the word would mean that
  // the gateway knows a feature, or that a text speaks of how it came about. TLS has the word too (RFC 8446 §2.2), and
  // nghttp2, and Centrifugo's protocol, where it is what a stream's client shows at /emulation.
  @Test func `sessions are only the auth plugin's`() throws {
    let place =
      #/^(Plugins/(auth|realtime)\/|Tests/(AuthPluginTests|RealtimePluginTests|EndToEnd|Bench|ArchitectureTests|TLSTests)\/|Sources/(TLS|CSSL)\/|docs/conformance-tls|Sources/Gateway/Connection/Secure)/#
    let allowed = ["docs/", "README.md", "CHANGELOG.md"]
    for file in try Self.tracked.get() where !file.contains(place) {
      guard let text = try? Tree.text(file) else { continue }
      for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
        .enumerated()
      where line.lowercased().contains("session") {
        // Guides may say how one signs in.
        let isGuide = allowed.contains(where: file.hasPrefix)
        let isKnown =
          line.contains(#/TLS|ticket|nghttp2_session/#)
          || isGuide && line.contains(#/sign|auth|v1\/sessions/#)
        #expect(isKnown, "\(file):\(index + 1)")
      }
    }
  }

  // The compiler has been told to look away: whoever reads it must be told why that is right.
  @Test func `everything shared unchecked says who owns it`() throws {
    var count = 0
    for folder in ["Sources", "Plugins", "examples"] {
      for (file, source) in try SwiftSource.files(under: folder) {
        let lines = try Tree.text(file).split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in source.code.enumerated()
        where line.contains(#/@unchecked Sendable|nonisolated\(unsafe\)/#) {
          count += 1
          let near = lines[max(index - 6, 0)...min(index + 3, lines.count - 1)]
          let comments = near.filter { $0.contains("//") }.joined(separator: " ").lowercased()
          #expect(Self.isExplained(comments), "\(file):\(index + 1)")
        }
      }
    }
    #expect(count > 20)
  }

  // The name says what it is; unit, range, thread, owner and failure are nowhere else to be read.
  @Test func `every public declaration has a comment`() throws {
    var count = 0
    for folder in ["Sources", "Plugins", "examples"] {
      for (file, source) in try SwiftSource.files(under: folder) {
        for declaration in PublicDeclaration.all(in: source, try Tree.text(file)) {
          count += 1
          let isSaid = declaration.isDocumented || declaration.isWitness
          #expect(isSaid, "\(file):\(declaration.line): \(declaration.text)")
        }
      }
    }
    #expect(count > 1_500)
  }

  @Test func `a public declaration without a comment is found`() {
    let text = ##"""
      public import Wire
      /// What it is.
      @inlinable
      @frozen public struct Place: CustomStringConvertible {
        public private(set) var line = 0
        public var description: String { "public var no: Int" }
        // Not for its readers.
        public static func make() -> Place { Place() }
        @inlinable public static func < (a: Place, b: Place) -> Bool { true }
        public init(rawValue: Int) {}
        public func nextLine() {}
        func close() { open = nil }
        let template = """
          public var inside: Int
          """
      }
      """##
    let found = PublicDeclaration.all(in: SwiftSource(text), text)
    #expect(found.map(\.line) == [4, 5, 6, 8, 9, 10, 11])
    #expect(
      found.filter { !$0.isDocumented && !$0.isWitness }.map(\.line) == [5, 8, 11])
  }

  /// Whether a comment names a thread, an owner, a guard or immutability.
  private static func isExplained(_ comment: String) -> Bool {
    comment.contains(
      #/thread|loop|lock|guard|immutable|constant|never chang|nothing changes|written once|set once|only read|owner|owns|confined|shard|atomic|static lifetime/#
    )
  }
}
