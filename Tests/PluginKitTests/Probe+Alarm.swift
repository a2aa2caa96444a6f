import PluginKit

extension ProbeShard {
  static func registerAlarm(_ on: inout Registry<ProbeShard>) {
    on.route("sleep") { shard, request async throws in
      let time = Timestamp(unixMilliseconds: Int64(request.query("at") ?? "") ?? 0)
      do {
        try await shard.context.alarm.set(time)
      } catch let error as HostError where error.status == .invalid {
        return .text("invalid")
      }
      return .text("set")
    }
    on.alarm(ProbeShard.woken)
  }

  /// Notes each wake-up; the greeting says what comes of it.
  func woken() async throws -> Timestamp? {
    let now = try context.clock.now()
    heard.append("woken \(now.rfc3339)")
    switch greeting {
    case "takes long":
      heard.append("begins")
      _ = try await context.store.read("SELECT 1 AS one")
      heard.append("ends")
      return nil
    case "again" where heard.count < 3: return now
    case "later": return heard.count < 3 ? now.adding(milliseconds: 1_000) : nil
    case "fails" where heard.count < 3: throw Failure()
    case "asks":
      if heard.count == 1 { try await context.alarm.set(now.adding(milliseconds: 5_000)) }
      return nil
    default: return nil
    }
  }
}
