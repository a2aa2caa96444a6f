import Testing

@testable import Gateway

@Suite struct `The page of metrics` {
  @Test func `describes each name once, before its samples`() {
    var page = MetricsPage()
    page.add("a_total", label: #"{x="1"}"#, isGauge: false, help: "First.", value: 3)
    page.add("a_total", label: #"{x="2"}"#, isGauge: false, help: "First.", value: 0)
    page.add("b", isGauge: true, help: "Second.", value: -1)
    #expect(
      page.text == """
        # HELP a_total First.
        # TYPE a_total counter
        a_total{x="1"} 3
        a_total{x="2"} 0
        # HELP b Second.
        # TYPE b gauge
        b -1

        """)
  }

  @Test func `adds the loops up`() {
    let one = LoopMetrics()
    let two = LoopMetrics()
    defer {
      one.destroy()
      two.destroy()
    }
    one.add(.responses2xx, 3)
    two.add(.responses2xx)
    two.add(.connectionsOpen)
    two.add(.connectionsOpen, -1)
    var page = MetricsPage()
    page.add(loops: [one.snapshot(), two.snapshot()])
    let lines = page.text.split(separator: "\n")
    #expect(lines.contains(#"sluice_responses_total{status="2xx"} 4"#))
    #expect(lines.contains("sluice_connections_open 0"))
    #expect(lines.contains("# TYPE sluice_connections_open gauge"))
  }

  @Test func `shows each loop's lag by itself`() {
    let loops = [LoopMetrics(), LoopMetrics()]
    defer { for loop in loops { loop.destroy() } }
    loops[0].set(.loopLag, 700)
    loops[0].set(.loopLag, 7)
    loops[1].set(.loopLag, 30)
    var page = MetricsPage()
    page.add(loops: loops.map { $0.snapshot() })
    let lines = page.text.split(separator: "\n").filter { $0.hasPrefix("sluice_loop_lag") }
    #expect(
      lines == [
        #"sluice_loop_lag_milliseconds{loop="0"} 7"#, #"sluice_loop_lag_milliseconds{loop="1"} 30"#,
      ])
  }

  // Prometheus' text format 0.0.4: lines of one metric stand together, and no series is there twice.
  @Test func `keeps the samples of one name together and apart`() {
    var page = MetricsPage()
    page.add(loops: [[Int64](repeating: 0, count: Metric.allCases.count)])
    let samples = page.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(samples.count == Metric.allCases.count)
    #expect(Set(samples).count == samples.count)
    var seen: [Substring] = []
    for sample in samples {
      let name = sample.prefix { $0 != "{" && $0 != " " }
      #expect(name.wholeMatch(of: #/sluice_[a-z0-9_]+/#) != nil)
      if seen.last != name {
        #expect(!seen.contains(name), "\(name)")
        seen.append(name)
      }
    }
    for metric in Metric.allCases {
      #expect(metric.isGauge != metric.name.hasSuffix("_total"), "\(metric.name)")
    }
  }
}
