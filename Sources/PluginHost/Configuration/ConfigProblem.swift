/// One thing that is wrong in a manifest or a configuration file, and where.
public struct ConfigProblem: Error, Sendable, Hashable, CustomStringConvertible {
  /// The file as the operator named it.
  public var file: String
  /// The line and the column (both from 1, the column in Unicode scalars); `nil` when no text is to blame, as for
  /// a missing file.
  public var position: TextPosition?
  /// The JSON pointer (RFC 6901) of the value; empty for the whole document.
  public var pointer: String
  /// What is wrong and, where it is not obvious, what would be right.
  public var message: String
  /// The nearest name that would have been accepted.
  public var suggestion: String?
  /// The plugin whose manifest it is in; `nil` where it is in no manifest.
  public var plugin: String?
  /// Where what it is at odds with stands, `FILE:LINE:COLUMN: POINTER`: for the operator and authors, as `file` is.
  public var rival: String?

  /// - Parameter position: nil when there is no place in a text, as with a file that cannot be read.
  public init(
    file: String, position: TextPosition? = nil, pointer: String = "", message: String,
    suggestion: String? = nil, plugin: String? = nil, rival: String? = nil
  ) {
    self.file = file
    self.position = position
    self.pointer = pointer
    self.message = message
    self.suggestion = suggestion
    self.plugin = plugin
    self.rival = rival
  }

  /// `file:line:column: /json/pointer: what is wrong (did you mean "…"?)`
  public var description: String {
    var text = file
    if let position { text += ":\(position.line):\(position.column)" }
    if !pointer.isEmpty { text += ": \(pointer)" }
    text += ": \(message)"
    if let rival { text += " (\(rival))" }
    if let suggestion { text += " (did you mean \"\(suggestion)\"?)" }
    return text
  }

  /// The same for an app's developers, who are told of no file of the operator's: `plugin "ID": what is wrong`.
  var publicDescription: String { (plugin.map { "plugin \"\($0)\": " } ?? "") + message }
}

/// A place in a text, both from 1, the column counted in Unicode scalars.
public struct TextPosition: Sendable, Hashable, Comparable {
  /// From 1; lines end with LF.
  public var line: Int
  /// From 1, in Unicode scalars.
  public var column: Int

  static let start = TextPosition(line: 1, column: 1)

  public static func < (left: TextPosition, right: TextPosition) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }

  /// Both from 1.
  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

/// All that is wrong in what was read: never empty, at most ``ConfigProblems/bound`` for each file.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
  /// In the order of files, then of places in them.
  public var problems: [ConfigProblem]

  /// - Parameter problems: at least one.
  public init(_ problems: [ConfigProblem]) {
    self.problems = problems
  }

  /// One problem a line.
  public var description: String {
    problems.map(\.description).joined(separator: "\n")
  }

  /// The same for an app's developers, in one line and without the operator's files; the first few where there are many.
  var publicDescription: String {
    let told = problems.prefix(5).map(\.publicDescription).joined(separator: "; ")
    return problems.count > 5 ? "\(told); and \(problems.count - 5) more" : told
  }
}
