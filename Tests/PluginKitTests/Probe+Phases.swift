import PluginKit

extension ProbeShard {
  static func registerPhases(_ on: inout Registry<ProbeShard>) {
    on.authorize("gate") { _, request in
      try request.addHeader("x-seen", "\(request.owner).\(request.operation)")
      switch request.query("wish") {
      case "deny": throw Problem.forbidden("not you")
      case "fail": throw Failure()
      case "answer": return .text("at the gate", status: 202)
      case "stream":
        _ = try request.stream(contentType: "text/plain")
        return .streamed
      default: return nil
      }
    }
    on.limit("meter") { shard, request async throws in
      try await shard.context.timers.sleep(milliseconds: 1_000)
      try request.addHeader("x-metered", request.principal.id)
      if request.query("wish") == "deny" { throw Problem.rateLimited("too much") }
      return request.query("wish") == "answer" ? .empty() : nil
    }
    on.limit("at_once") { _, _ async throws in nil }
    on.respond("stamp") { _, request, status in
      try request.addHeader("x-status", "\(status)")
      if status == 500 { throw Failure() }
    }
    on.observe("count") { shard, request, outcome in
      shard.count += outcome.bytesSent
      shard.context.log.info(
        "observed", ["status": outcome.status, "duration": "\(outcome.duration)"])
      if request.query("wish") == "late" { try request.addHeader("x-late", "no") }
    }
    // The same name in another phase is another handler.
    on.observe("gate") { shard, _, _ in shard.context.log.info("gate") }
  }
}
