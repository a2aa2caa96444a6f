public import PluginKit
internal import Synchronization

/// What of the test host any thread may touch.
final class TestShared: Sendable {
  private struct State {
    var now: Int64 = 1_767_225_600_000  // 2026-01-01T00:00:00Z
    var monotonic: UInt64 = 1_000_000_000
    var random: UInt64 = 0x5EED
    var underWay = 0
    var lines: [TestLogLine] = []
    var violations: [String] = []
    var metrics: [(name: String, kind: UInt32, value: Int64)] = []
    var kept: [String: TestBounds] = [:]
  }

  private let state = Mutex(State())

  var now: Int64 { state.withLock { $0.now } }
  var monotonic: UInt64 { state.withLock { $0.monotonic } }
  var lines: [TestLogLine] { state.withLock { $0.lines } }
  var violations: [String] { state.withLock { $0.violations } }
  /// What the plugin last complained of, for the failure's text.
  var lastError: String {
    guard let line = lines.last(where: { $0.level == .error }) else { return "nothing was logged" }
    return line.message + " " + (line.fields?.text ?? "")
  }
  var isIdle: Bool { state.withLock { $0.underWay == 0 } }

  func advance(to time: Int64) {
    state.withLock {
      guard time > $0.now else { return }
      $0.monotonic += UInt64(time - $0.now) * 1_000_000
      $0.now = time
    }
  }

  func begin() { state.withLock { $0.underWay += 1 } }

  /// Whether nothing is under way any more.
  func end() -> Bool {
    state.withLock {
      $0.underWay -= 1
      return $0.underWay == 0
    }
  }

  /// What the plugin has declared of a namespace.
  func bounds(of namespace: String) -> TestBounds? { state.withLock { $0.kept[namespace] } }

  func keep(_ namespace: String, _ bounds: TestBounds) {
    state.withLock { $0.kept[namespace] = bounds }
  }

  func log(_ line: TestLogLine) { state.withLock { $0.lines.append(line) } }
  func violate(_ text: String) { state.withLock { $0.violations.append(text) } }

  /// The next bytes of a sequence that is the same in every run (SplitMix64).
  func random(_ count: Int) -> [UInt8] {
    state.withLock { state in
      (0..<count).map { _ in
        state.random &+= 0x9E37_79B9_7F4A_7C15
        var bits = state.random
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return UInt8(truncatingIfNeeded: bits ^ bits >> 31)
      }
    }
  }

  /// The number of a metric, from 1; 0 when the name has another kind already.
  func declare(_ name: String, _ kind: UInt32) -> UInt64 {
    state.withLock { state in
      if let index = state.metrics.firstIndex(where: { $0.name == name }) {
        return state.metrics[index].kind == kind ? UInt64(index + 1) : 0
      }
      state.metrics.append((name, kind, 0))
      return UInt64(state.metrics.count)
    }
  }

  func add(_ metric: UInt64, _ amount: Int64) {
    state.withLock { state in
      guard metric > 0, metric <= state.metrics.count else { return }
      let index = Int(metric) - 1
      if state.metrics[index].kind == 1 && amount < 0 { return }
      state.metrics[index].value += amount
    }
  }

  func metric(_ name: String) -> Int64? {
    state.withLock { state in state.metrics.first { $0.name == name }?.value }
  }
}

/// A line that the plugin logged.
public struct TestLogLine: Sendable {
  /// As in `sluice/ext/log.h`.
  public enum Level: UInt32, Sendable {
    case debug, info, warning, error
  }

  /// How loud it was.
  public let level: Level
  /// The words, without the fields.
  public let message: String
  /// A JSON object, or nil.
  public let fields: RawJSON?
}

/// Something published in a channel, durable or not.
public struct TestPublication: Sendable {
  /// 0 when ephemeral.
  public let sequence: UInt64
  /// 0 when ephemeral or without a channel.
  public let offset: UInt64
  /// Unix milliseconds.
  public let time: Int64
  /// nil when the publisher gave none.
  public let type: String?
  /// "evt_…", the same wherever the event appears.
  public let id: String
  /// nil for an event that is for listeners alone.
  public let channel: String?
  /// Of the history; nil when ephemeral.
  public let epoch: String?
  /// JSON, byte for byte as it was published.
  public let data: RawJSON
}

extension TestPublication {
  init(_ event: TestStore.CommittedEvent) {
    self.init(
      sequence: event.sequence, offset: event.offset, time: event.time, type: event.type,
      id: event.id, channel: event.channel, epoch: event.epoch,
      data: RawJSON(unchecked: event.data))
  }
}
