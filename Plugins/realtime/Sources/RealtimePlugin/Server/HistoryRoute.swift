internal import PluginKit

/// `GET /v1/history/{channel}?since=&limit=`: the durable events of a channel above an offset. `after`, by which lists go
/// on, is an offset here too.
extension RealtimeShard {
  func history(_ request: Request) async throws -> Response {
    let text = try request.parameter(0)
    let name: ChannelName
    do {
      name = try ChannelName(text)
    } catch {
      throw Problem.invalid(pointer: "/path/channel", error.message)
    }
    let (asked, cursor) = (
      try request.number("since", 0...Int.max), try request.number("after", 0...Int.max)
    )
    if asked != nil, cursor != nil {
      throw Problem.invalid(
        pointer: "/query/after", "since and after say the same: give one of them.")
    }
    let since = asked ?? cursor ?? 0
    let limit = try request.number("limit", 1...100) ?? 25
    switch try await authority.ask(name, .history, request.principal) {
    case .allowed: break
    case .denied(let reason): throw Problem.forbidden(reason)
    case .unowned: try allowHistory(of: name, request.principal)
    }
    let history = try await context.bus.history(name.text, since: UInt64(since), limit: limit)
    return try .json(
      HistoryPage(
        data: history.entries.map {
          EventMessage(ChannelEvent($0, of: history), app: context.tenant, channel: name.text)
        },
        offset: history.topOffset, epoch: history.epoch,
        next: history.entries.last.flatMap {
          $0.offset < history.topOffset ? "\($0.offset)" : nil
        }))
  }
}

extension RealtimeShard {
  /// Reading a channel of the plugin's own: a server may, a user as the settings say. A request listens to nothing, so
  /// what is for subscribers is for those who may subscribe.
  private func allowHistory(of name: ChannelName, _ principal: Principal) throws {
    guard let options = rules.namespaces[name.namespace] else {
      throw Problem.notFound("There are no channels in the namespace \"\(name.namespace)\".")
    }
    guard principal.kind == .user else { return }
    let mayListen = (try? rules.check(.subscribe, name, user: principal.id)) != nil
    let isAllowed =
      switch options.history {
      case .nobody: false
      case .subscribers, .users: mayListen
      }
    guard isAllowed else { throw Problem.forbidden("The channel is closed to you.") }
  }
}

extension Request {
  /// A query parameter that is a whole number.
  func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
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
