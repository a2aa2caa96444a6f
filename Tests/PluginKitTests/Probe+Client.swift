import PluginKit

extension ProbeShard {
  static func registerClient(_ on: inout Registry<ProbeShard>) {
    on.route("fetch") { shard, request async throws in
      var wanted = Client.Request(request.method, request.query("url") ?? "http://a.example/")
      wanted.fields = [("X-One", "1"), ("X-Empty", "")]
      wanted.body = Array(request.body)
      wanted.responseLimit = 8
      wanted.timeout = Int(request.query("timeout") ?? "") ?? 1_000
      let answer: Client.Response
      do {
        answer = try await shard.context.client.send(wanted)
      } catch let error as HostError where error.status == .invalid {
        return .text("invalid")
      }
      let fields = answer.fields.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
      return .text(
        "\(answer.status) \(fields) \(answer.isTruncated) \(answer.elapsedMilliseconds) "
          + "\(answer.first("x-b") ?? "-") " + String(decoding: answer.body, as: UTF8.self))
    }
  }
}
