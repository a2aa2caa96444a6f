import PluginKit
import PluginTesting
import Testing

@testable import ChatPlugin

@Suite struct `What is unread` {
  /// Both types have a role that may do nothing.
  private static let types: RawJSON = #"""
    {"types":{"messaging":{"open":true,"grants":{"outsider":[]}},"private":{"grants":{"outsider":[]}}}}
    """#
  /// Histories for each seed.
  private static let histories = 500
  /// Steps of a history.
  private static let steps = 8

  /// A seed that fails is named by the failing test, with the shortest history that was found to fail.
  @Test(arguments: [UInt64](20_261_101..<20_261_105))
  func `is what a model says, by every way to ask and by what is told, after whatever happens`(
    _ seed: UInt64
  ) async throws {
    try await withChat(Self.types) { host async throws in
      var random = SplitMix(seed)
      for number in 0..<Self.histories {
        let steps = (0..<Self.steps).map { _ in Step.random(&random) }
        guard let (count, _) = try await Self.play(steps, on: host, number) else { continue }
        let (history, fault) = try await Self.shrunk(
          Array(steps.prefix(count)), on: host, from: Self.histories)
        let told = history.map { "  \($0)" }.joined(separator: "\n")
        Issue.record("seed \(seed), history \(number), shrunk to\n\(told)\n\(fault)")
        return
      }
    }
  }

  private static func play(
    _ steps: [Step], on host: TestHost, _ number: Int
  ) async throws -> (steps: Int, fault: String)? {
    var player = try await Player(host, history: number)
    return try await player.play(steps)
  }

  /// A history without the steps that a fault does without.
  private static func shrunk(
    _ steps: [Step], on host: TestHost, from first: Int
  ) async throws -> (history: [Step], fault: String) {
    var (history, fault, number) = (steps, "it fails once and not again", first)
    var length = max(1, steps.count / 2)
    while true {
      var isShorter = false
      var start = 0
      while start < history.count {
        var fewer = history
        fewer.removeSubrange(start..<min(start + length, history.count))
        number += 1
        if let (count, found) = try await play(fewer, on: host, number) {
          (history, fault, isShorter) = (Array(fewer.prefix(count)), found, true)
        } else {
          start += length
        }
      }
      if length == 1 && !isShorter { break }
      length = max(1, length / 2)
    }
    number += 1
    if let (_, found) = try await play(history, on: host, number) { fault = found }
    return (history, fault)
  }
}
