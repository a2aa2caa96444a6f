import ArgumentParser
import Glibc

/// Writes a line for the operator. Standard output is kept for results and the access log.
func say(_ line: String) {
  var bytes = Array("\(line)\n".utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { return }
    bytes = bytes.dropFirst(count)
  }
}

/// Says what is wrong, and is the error that ends the command with status 1.
func failure(_ text: String) -> ExitCode {
  say("sluice: \(text)")
  return .failure
}

/// Says each problem on a line of its own, then how many there are.
func failure(_ problems: [String]) -> ExitCode {
  for problem in problems { say(problem) }
  return failure(problems.count == 1 ? "1 problem" : "\(problems.count) problems")
}
