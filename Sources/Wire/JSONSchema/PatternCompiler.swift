/// What a pattern means, before it is steps.
indirect enum PatternTree {
  case empty
  case character(UInt32)
  case any
  case set(LinearPattern.CharacterSet)
  case atStart
  case atEnd
  case sequence([PatternTree])
  case alternatives([PatternTree])
  /// At least `from` times, at most `through` or without end.
  case repeated(PatternTree, from: Int, through: Int?)
}

/// Turns a tree into steps (Thompson's construction). A bounded repetition is written out, so what it
/// costs is seen in the number of steps, which is bounded.
struct PatternCompiler {
  var steps: [LinearPattern.Step] = []
  var sets: [LinearPattern.CharacterSet] = []
  private var work = 0

  mutating func add(_ step: LinearPattern.Step) throws(LinearPattern.SyntaxError) {
    guard steps.count < LinearPattern.maximumSteps else { throw tooLarge }
    steps.append(step)
  }

  private var tooLarge: LinearPattern.SyntaxError {
    LinearPattern.SyntaxError(
      message: "the pattern is too large: repetitions are written out, to at most "
        + "\(LinearPattern.maximumSteps) steps", offset: 0)
  }

  mutating func emit(_ tree: PatternTree) throws(LinearPattern.SyntaxError) {
    // Repetitions of nothing add no steps but would take time without end.
    work += 1
    guard work <= 20 * LinearPattern.maximumSteps else { throw tooLarge }
    switch tree {
    case .empty: break
    case .character(let value): try add(.character(value))
    case .any: try add(.any)
    case .set(let set):
      let index = sets.firstIndex(of: set) ?? sets.count
      if index == sets.count { sets.append(set) }
      try add(.oneOf(index))
    case .atStart: try add(.atStart)
    case .atEnd: try add(.atEnd)
    case .sequence(let parts):
      for part in parts { try emit(part) }
    case .alternatives(let choices):
      try emit(choices)
    case .repeated(let part, let from, let through):
      for _ in 0..<from { try emit(part) }
      guard let through else { return try emitLoop(part) }
      var splits: [Int] = []
      for _ in from..<max(from, through) {
        splits.append(steps.count)
        try add(.jump(0))
        try emit(part)
      }
      for split in splits { steps[split] = .split(split + 1, steps.count) }
    }
  }

  private mutating func emit(_ choices: [PatternTree]) throws(LinearPattern.SyntaxError) {
    var jumps: [Int] = []
    for (index, choice) in choices.enumerated() {
      guard index + 1 < choices.count else {
        try emit(choice)
        break
      }
      let split = steps.count
      try add(.jump(0))
      try emit(choice)
      jumps.append(steps.count)
      try add(.jump(0))
      steps[split] = .split(split + 1, steps.count)
    }
    for jump in jumps { steps[jump] = .jump(steps.count) }
  }

  private mutating func emitLoop(_ part: PatternTree) throws(LinearPattern.SyntaxError) {
    let split = steps.count
    try add(.jump(0))
    try emit(part)
    try add(.jump(split))
    steps[split] = .split(split + 1, steps.count)
  }
}
