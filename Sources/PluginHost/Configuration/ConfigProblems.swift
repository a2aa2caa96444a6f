/// Collects what is wrong in one file, so that its author sees all of it at once.
///
/// Confined to the call that reads the file.
final class ConfigProblems {
  /// Problems kept of one file; a file with more is mostly the wrong file.
  static let bound = 50

  let source: ConfigSource
  private(set) var list: [ConfigProblem] = []
  private var dropped = 0

  init(_ source: ConfigSource) {
    self.source = source
  }

  var isEmpty: Bool { list.isEmpty }

  /// Records a problem with the value at `pointer`, or with its key.
  func add(
    _ message: String, at pointer: String, onKey: Bool = false, suggestion: String? = nil
  ) {
    guard list.count < Self.bound else {
      dropped += 1
      return
    }
    let place = source.locate(pointer)
    list.append(
      ConfigProblem(
        file: source.name, position: onKey ? place?.key : place?.value,
        pointer: pointer, message: message, suggestion: suggestion))
  }

  /// Takes over what was found in another file.
  func add(contentsOf problems: [ConfigProblem]) {
    let room = max(0, Self.bound - list.count)
    list += problems.prefix(room)
    dropped += max(0, problems.count - room)
  }

  /// Throws everything found, as ``inOrder``; does nothing when nothing is wrong.
  func throwIfAny() throws(ConfigurationError) {
    if !list.isEmpty { throw ConfigurationError(inOrder) }
  }

  /// Everything found, in the order of the text and then of the other files.
  var inOrder: [ConfigProblem] {
    let own = list.filter { $0.file == source.name }.enumerated().sorted { left, right in
      (left.element.position ?? .start, left.offset)
        < (right.element.position ?? .start, right.offset)
    }
    var problems = own.map(\.element) + list.filter { $0.file != source.name }
    if dropped > 0 {
      problems.append(
        ConfigProblem(
          file: source.name, message: "\(dropped) more problems; fix these first"))
    }
    return problems
  }
}
