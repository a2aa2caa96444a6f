/// Renders numbers in the text format of Prometheus (version 0.0.4).
public struct MetricsPage {
  /// The page so far.
  public private(set) var text = ""
  private var described: Set<String> = []

  /// An empty page.
  public init() {}

  /// Adds one sample, with its description when the name is new.
  public mutating func add(
    _ name: String, label: String = "", isGauge: Bool, help: String, value: Int64
  ) {
    if described.insert(name).inserted {
      text += "# HELP \(name) \(help)\n# TYPE \(name) \(isGauge ? "gauge" : "counter")\n"
    }
    text += "\(name)\(label) \(value)\n"
  }

  /// Adds the gateway's own numbers, summed over its loops but for those that each loop has by itself.
  mutating func add(loops: [[Int64]]) {
    for metric in Metric.allCases {
      if metric.isOfEachLoop {
        for (index, numbers) in loops.enumerated() {
          add(
            metric.name, label: #"{loop="\#(index)"}"#, isGauge: metric.isGauge, help: metric.help,
            value: numbers[metric.rawValue])
        }
        continue
      }
      let sum = loops.reduce(0) { $0 + $1[metric.rawValue] }
      add(
        metric.name, label: metric.label, isGauge: metric.isGauge, help: metric.help, value: sum)
    }
  }
}
