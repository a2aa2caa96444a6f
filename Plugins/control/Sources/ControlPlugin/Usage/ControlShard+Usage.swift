internal import PluginKit

extension ControlShard {
  /// What the host tells of an app's use.
  private struct Report: Decodable {
    struct Hour: Decodable {
      var began: Int64
      var requests: Int64
      var messages: Int64
      var connections: Int64

      enum CodingKeys: String, CodingKey {
        case requests, messages, connections
        case began = "hour_ms"
      }
    }

    var plan: String
    var quotas: [Quota]
    var hours: [Hour]
  }

  private struct Quota: Codable {
    var quota: String
    var limit: Int64
    var used: Int64
  }

  private struct Hour: Encodable {
    var hour: Timestamp
    var requests: Int64
    var messages: Int64
    var connections: Int64
  }

  private struct Usage: Encodable {
    var plan: String
    var quotas: [Quota]
    var data: [Hour]
    /// What to pass as `after` for the hours that follow; null at the end.
    var next: Timestamp?

    enum CodingKeys: CodingKey {
      case plan, quotas, data, next
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(plan, forKey: .plan)
      try container.encode(quotas, forKey: .quotas)
      try container.encode(data, forKey: .data)
      try container.encode(next, forKey: .next)
    }
  }

  /// How many hours the host tells of at once, and how many a page has at most.
  private static let pageHours = 1_000
  private static let hour: Int64 = 3_600_000

  /// `GET /v1/apps/{app}/usage`: the app's use, hour by hour; without `from` and `to` of the last day.
  func readUsage(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readUsage)
    let now = try context.clock.now()
    let end = try time("to", of: request) ?? Timestamp(unixMilliseconds: now.unixMilliseconds + 1)
    // Where the page before has ended, `from` is what it was.
    let after = try time("after", of: request)
    let start =
      try after ?? time("from", of: request)
      ?? Timestamp(unixMilliseconds: max(end.unixMilliseconds - 24 * Self.hour, 0))
    guard start <= end else {
      throw Problem.invalid(
        pointer: after == nil ? "/query/from" : "/query/after", "It is after to.")
    }
    let report = try await context.tenants.usage(of: app.id, from: start, to: end)
      .decode(Report.self)
    let limit = request.query("limit").flatMap { Int($0) } ?? Self.pageHours
    let hours = report.hours.prefix(limit).map { hour in
      Hour(
        hour: Timestamp(unixMilliseconds: hour.began), requests: hour.requests,
        messages: hour.messages, connections: hour.connections)
    }
    let isLast = report.hours.count <= limit && report.hours.count < Self.pageHours
    let next =
      isLast
      ? nil
      : hours.last.map { Timestamp(unixMilliseconds: $0.hour.unixMilliseconds + Self.hour) }
    return try .json(Usage(plan: report.plan, quotas: report.quotas, data: hours, next: next))
  }

  private func time(_ name: String, of request: Request) throws -> Timestamp? {
    guard let text = request.query(name) else { return nil }
    guard let time = Timestamp(rfc3339: text) else {
      throw Problem.invalid(
        pointer: "/query/\(name)", "It is an RFC 3339 time, such as 2026-01-31T12:00:00Z.")
    }
    return time
  }
}
