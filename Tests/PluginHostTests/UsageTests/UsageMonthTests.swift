import Testing

@testable import PluginHost

@Suite struct `A month of usage` {
  /// Hours since 1970, by `date -u -d … +%s`.
  @Test(arguments: [
    (0, 0), (743, 0), (744, 1), (1_415, 1), (1_416, 2),
    // 2000-02-29T23, 2000-03-01T00
    (264_407, 361), (264_408, 362),
    // 2100-02-28T23, 2100-03-01T00: no leap day
    (1_140_983, 1_561), (1_140_984, 1_562),
    // 2025-12-31T23, 2026-01-01T00
    (490_895, 671), (490_896, 672),
  ])
  func `begins with the first of the calendar's month`(hour: Int64, month: Int64) {
    #expect(UsageMonth.number(ofHour: hour) == month)
    let first = UsageMonth.firstHour(ofMonthOf: hour)
    #expect(first <= hour && UsageMonth.number(ofHour: first) == month)
    #expect(first == 0 || UsageMonth.number(ofHour: first - 1) == month - 1)
  }
}
