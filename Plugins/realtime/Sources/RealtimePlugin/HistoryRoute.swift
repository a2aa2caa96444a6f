internal import PluginKit

/// `GET /v1/history/{channel}?since=&limit=`: the durable events of a channel above an offset.
extension RealtimeShard {
  func history(_ request: Request) async throws -> Response {
    let text = try request.parameter(0)
    let name: ChannelName
    do {
      name = try ChannelName(text)
    } catch {
      throw Problem.invalid(pointer: "/path/channel", error.message)
    }
    let since = try request.number("since", 0...Int.max) ?? 0
    let limit = try request.number("limit", 1...100) ?? 25
    switch try await authority.ask(name, .history, request.principal) {
    case .allowed: break
    case .denied(let reason): throw Problem.forbidden(reason)
    case .unknownNamespace:
      throw Problem.notFound("There are no channels in the namespace \"\(name.namespace)\".")
    }
    let history = try await context.bus.history(name.text, since: UInt64(since), limit: limit)
    return try .json(
      HistoryPage(
        data: history.entries.map { EventMessage($0, of: history, app: context.tenant) },
        offset: history.topOffset, epoch: history.epoch))
  }
}

extension Request {
  /// A query parameter that is a whole number.
  fileprivate func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
    guard let text = query(name) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw Problem.invalid(
        pointer: "/query/\(name)",
        range.upperBound == .max
          ? "\(name) is a whole number from \(range.lowerBound)."
          : "\(name) is a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }
}
