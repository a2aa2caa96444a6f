import Commands
import Foundation

/// The files of the project, as they lie in its folder.
enum Tree {
  /// The folder with Package.swift, which holds this file two folders down.
  static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A file's text, by its path from the root.
  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// Paths from the root of the files under `folder` that end in `suffix`, sorted.
  static func files(under folder: String, _ suffix: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: root.appending(path: folder).path())
    return (names?.compactMap { $0 as? String } ?? [])
      .filter { $0.hasSuffix(suffix) && !$0.split(separator: "/").contains(where: isBuilt) }
      .map { "\(folder)/\($0)" }.sorted()
  }

  private static func isBuilt(_ part: Substring) -> Bool {
    part == "target" || part == "build" || part.hasPrefix(".")
  }

  /// Names in a folder that are folders themselves, sorted.
  static func folders(in folder: String) -> [String] {
    let url = root.appending(path: folder)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path())) ?? []
    return names.filter { url.appending(path: $0).hasDirectoryPath || isFolder("\(folder)/\($0)") }
      .filter { !$0.hasPrefix(".") }.sorted()
  }

  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appending(path: path).path())
  }

  private static func isFolder(_ path: String) -> Bool {
    var answer: ObjCBool = false
    let path = root.appending(path: path).path()
    return FileManager.default.fileExists(atPath: path, isDirectory: &answer) && answer.boolValue
  }

  /// Runs a program from the PATH in the root, with `input` on its standard input.
  static func run(
    _ words: [String], input: String = "", hidingErrors: Bool = false
  ) throws -> Command.Outcome {
    try Command(words, in: root.path(), input: input, hidingErrors: hidingErrors).run()
  }

  /// Runs a program that must end well; what it wrote to its standard output.
  static func output(_ command: String...) throws -> String {
    let outcome = try run(command, hidingErrors: true)
    guard outcome.status == 0 else {
      throw Failure("\(command.joined(separator: " ")) ended with \(outcome.status)")
    }
    return outcome.output
  }
}

/// What keeps a rule from being looked at.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
