internal import Gateway
internal import Synchronization

/// The numbers that plugins declare. [any-thread]
final class PluginMetrics: Sendable {
  static let limitPerPlugin = 256

  private struct Entry {
    var name: String
    var help: String
    var isGauge: Bool
    var value: Int64
  }

  private struct State {
    var entries: [Entry] = []
    var numbers: [String: Int] = [:]
    var counts: [String: Int] = [:]
  }

  private let state = Mutex(State())

  /// The number of a metric, from 1; 0 when it cannot be declared.
  func declare(_ plugin: String, _ name: String, help: String, isGauge: Bool) -> UInt64 {
    guard let first = name.utf8.first, (0x61...0x7a).contains(first),
      name.utf8.allSatisfy({
        (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f
      }),
      name.utf8.count <= 64
    else { return 0 }
    let full = "sluice_\(String(plugin.map { $0 == "-" ? "_" : $0 }))_\(name)"
    let line = String(help.map { $0.isNewline || $0 == "\\" ? " " : $0 })
    return state.withLock { state in
      if let number = state.numbers[full] {
        return state.entries[number].isGauge == isGauge ? UInt64(number + 1) : 0
      }
      guard state.counts[plugin, default: 0] < Self.limitPerPlugin else { return 0 }
      state.counts[plugin, default: 0] += 1
      state.numbers[full] = state.entries.count
      state.entries.append(Entry(name: full, help: line, isGauge: isGauge, value: 0))
      return UInt64(state.entries.count)
    }
  }

  func add(_ number: UInt64, _ amount: Int64) {
    state.withLock { state in
      guard number >= 1, number <= UInt64(state.entries.count) else { return }
      let index = Int(number) - 1
      guard amount >= 0 || state.entries[index].isGauge else { return }
      state.entries[index].value &+= amount
    }
  }

  func add(to page: inout MetricsPage) {
    for entry in state.withLock({ $0.entries }) {
      page.add(entry.name, isGauge: entry.isGauge, help: entry.help, value: entry.value)
    }
  }
}
