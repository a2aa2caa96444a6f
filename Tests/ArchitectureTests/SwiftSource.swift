/// A Swift file taken apart: its string literals, and its code without literals and comments.
struct SwiftSource {
  struct Literal: Equatable {
    /// Without quotes; an interpolation stands as `\(…)`.
    var text: String
    /// From 1.
    var line: Int
  }

  private(set) var literals: [Literal] = []
  /// Line by line; comments and the text of literals are left out.
  private(set) var code: [String] = []
  /// Names of imported modules, with their lines.
  private(set) var imports: [(module: String, line: Int)] = []

  private let bytes: [UInt8]
  private var at = 0
  private var line = 1
  private var codeLine: [UInt8] = []

  /// The files of Sources, Plugins and examples by their paths, each taken apart once.
  static let files = Result<[String: SwiftSource], any Error> {
    var files: [String: SwiftSource] = [:]
    for folder in ["Sources", "Plugins", "examples"] {
      for file in Tree.files(under: folder, ".swift") {
        files[file] = SwiftSource(try Tree.text(file))
      }
    }
    return files
  }

  /// Those of them under a folder, sorted by path.
  static func files(under folder: String) throws -> [(path: String, source: SwiftSource)] {
    try files.get().filter { $0.key.hasPrefix("\(folder)/") }.sorted { $0.key < $1.key }
      .map { ($0.key, $0.value) }
  }

  init(_ text: String) {
    bytes = Array(text.utf8)
    readCode(untilParenthesis: false)
    endLine()
    for (index, text) in code.enumerated() {
      let words = text.split(separator: " ").drop { Self.beforeImport.contains(String($0)) }
      if words.first == "import", let module = words.dropFirst().last {
        imports.append((String(module.prefix { $0 != "." }), index + 1))
      }
    }
  }

  private static let beforeImport: Set<String> = [
    "public", "internal", "package", "private", "fileprivate", "@preconcurrency", "@testable",
    "@_exported", "@_implementationOnly",
  ]

  private mutating func endLine() {
    code.append(String(decoding: codeLine, as: UTF8.self))
    codeLine = []
  }

  private func looking(_ text: StaticString) -> Bool {
    // By the first byte, nearly always: the sources are megabytes, and tests are not optimised.
    guard bytes[at] == text.utf8Start[0] else { return false }
    let count = text.utf8CodeUnitCount
    return at + count <= bytes.count
      && (1..<count).allSatisfy { bytes[at + $0] == text.utf8Start[$0] }
  }

  private mutating func step() {
    if bytes[at] == UInt8(ascii: "\n") {
      endLine()
      line += 1
    }
    at += 1
  }

  private mutating func readCode(untilParenthesis: Bool) {
    var depth = 0
    while at < bytes.count {
      let byte = bytes[at]
      if byte > UInt8(ascii: "/") {
        codeLine.append(byte)
        at += 1
      } else if looking("//") {
        while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { at += 1 }
      } else if looking("/*") {
        skipComment()
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "#") && startsRawLiteral {
        readLiteral()
      } else {
        if byte == UInt8(ascii: "(") { depth += 1 }
        if byte == UInt8(ascii: ")") {
          if untilParenthesis && depth == 0 { return }
          depth -= 1
        }
        if byte != UInt8(ascii: "\n") { codeLine.append(byte) }
        step()
      }
    }
  }

  private mutating func skipComment() {
    var depth = 0
    repeat {
      if looking("/*") {
        depth += 1
        at += 2
      } else if looking("*/") {
        depth -= 1
        at += 2
      } else {
        step()
      }
    } while depth > 0 && at < bytes.count
  }

  private var startsRawLiteral: Bool {
    var next = at
    while next < bytes.count, bytes[next] == UInt8(ascii: "#") { next += 1 }
    return next < bytes.count && bytes[next] == UInt8(ascii: "\"")
  }

  private mutating func readLiteral() {
    let start = line
    var hashes = 0
    while bytes[at] == UInt8(ascii: "#") {
      hashes += 1
      at += 1
    }
    let isLong = looking("\"\"\"")
    at += isLong ? 3 : 1
    codeLine += Array("\"\"".utf8)
    let quotes = isLong ? 3 : 1
    let marks = [UInt8](repeating: UInt8(ascii: "#"), count: hashes)
    let end = [UInt8](repeating: UInt8(ascii: "\""), count: quotes) + marks
    let escape = [UInt8(ascii: "\\")] + marks
    var text: [UInt8] = []
    while at < bytes.count {
      let byte = bytes[at]
      if byte == end[0], bytes[at...].starts(with: end) {
        at += end.count
        break
      }
      if byte == escape[0], bytes[at...].starts(with: escape) {
        at += escape.count
        if bytes[at] == UInt8(ascii: "(") {
          at += 1
          readCode(untilParenthesis: true)
          text += Array("\\(…)".utf8)
          at += 1
        } else {
          text += [UInt8(ascii: "\\"), bytes[at]]
          step()
        }
        continue
      }
      text.append(byte)
      step()
    }
    literals.append(Literal(text: String(decoding: text, as: UTF8.self), line: start))
  }
}
