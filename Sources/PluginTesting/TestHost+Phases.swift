internal import CSluice
@_spi(PluginTesting) public import PluginKit

/// A phase of a request in which plugins may have a part.
public enum TestPhase: Sendable {
  case authorize, limit, respond, observe

  var number: UInt32 {
    switch self {
    case .authorize: SLUICE_PHASE_AUTHORIZE
    case .limit: SLUICE_PHASE_LIMIT
    case .respond: SLUICE_PHASE_RESPOND
    case .observe: SLUICE_PHASE_OBSERVE
    }
  }
}

/// What a plugin made of a request in a phase.
public enum TestPassage: Sendable {
  /// It goes on, with these fields added to its answer, names in lower case.
  case passed([(name: String, value: String)])
  /// The plugin has answered or refused it.
  case answered(TestReply)

  /// The first header field of the name, in lower case.
  public func header(_ name: String) -> String? {
    switch self {
    case .passed(let fields): fields.first { $0.name == name }?.value
    case .answered(let reply): reply.header(name)
    }
  }

  /// The answer, if there is one.
  public var reply: TestReply? {
    if case .answered(let reply) = self { reply } else { nil }
  }
}

extension TestHost {
  /// Takes a request through the plugin's part in one phase, and nothing else.
  ///
  /// - Parameters:
  ///   - handler: as the manifest calls it under `phases`.
  ///   - route: the operation of the request's route, and the id of the plugin whose it is.
  ///   - outcome: what `respond` and `observe` are shown.
  /// - Throws: `TestFailure` when the plugin has no such part, or has not decided within 10 s.
  public func pass(
    _ phase: TestPhase, _ handler: String, _ method: String = "GET", _ target: String = "/",
    route: (operation: String, owner: String) = ("operation", "owner"),
    headers: [(String, String)] = [], as principal: Principal = .anonymous,
    outcome: RequestOutcome = RequestOutcome(status: 200, bytesSent: 0, duration: .zero)
  ) async throws -> TestPassage {
    try await beginPass(
      phase, handler, method, target, route: route, headers: headers, as: principal,
      outcome: outcome
    ).passage()
  }

  /// As `pass`, and does not wait: for a peer that goes away.
  public func beginPass(
    _ phase: TestPhase, _ handler: String, _ method: String = "GET", _ target: String = "/",
    route: (operation: String, owner: String) = ("operation", "owner"),
    headers: [(String, String)] = [], as principal: Principal = .anonymous,
    outcome: RequestOutcome = RequestOutcome(status: 200, bytesSent: 0, duration: .zero)
  ) async throws -> PendingPassage {
    let (path, query) = TestTarget.split(target)
    let head = TestExchange.Head(
      method: method, path: path, parameters: [], query: query, headers: headers, body: [],
      id: "req_phase", principal: principal)
    let number = try await resolving { handlers in
      handlers.phases.flatMap { table in
        TestHost.number(handler) { table.pointee.resolve($0, phase.number, $1) }
      }
    }
    guard let number else {
      throw TestFailure("the plugin has no handler \"\(handler)\" of the phase \(phase)")
    }
    let promise = TestPromise<TestPassage>()
    let token = try await onLoop { world in
      let token = world.token()
      let state = TestPhaseState(phase, route.operation, route.owner, outcome) {
        promise.fulfil(.passed($0))
      }
      world.exchanges[token] = TestExchange(head, handler: number, phase: state) {
        promise.fulfil(.answered($0))
      }
      let status = world.handlers.phases?.pointee.run(world.shard, number, token) ?? 0
      if status == SLUICE_OK || !state.takesAnswer {
        world.proceed(token)
      } else if status < 0 {
        promise.fulfil(.answered(TestReply(status: status)))
        world.retire(token)
      }
      return token
    }
    return PendingPassage(host: self, token: token, promise: promise)
  }
}

/// A request that waits in a phase.
public struct PendingPassage: Sendable {
  let host: TestHost
  let token: UInt64
  let promise: TestPromise<TestPassage>

  /// What the plugin made of it, when it has decided.
  ///
  /// - Throws: `TestFailure` after 10 s.
  public func passage() async throws -> TestPassage {
    try await promise.value("the plugin has not decided after 10 s")
  }

  /// The peer goes away, if nothing is decided: the token dies.
  public func cancel() async throws {
    try await host.onLoop { world in
      guard let exchange = world.exchanges[token] else { return }
      world.cancel(token, exchange)
    }
  }
}

/// What an exchange knows of the phase that it is in.
final class TestPhaseState {
  let part: TestPhase
  let operation: TestMemory
  let owner: TestMemory
  let outcome: RequestOutcome
  let passed: @Sendable ([(name: String, value: String)]) -> Void

  init(
    _ part: TestPhase, _ operation: String, _ owner: String, _ outcome: RequestOutcome,
    passed: @escaping @Sendable ([(name: String, value: String)]) -> Void
  ) {
    self.part = part
    self.operation = TestMemory(Array(operation.utf8))
    self.owner = TestMemory(Array(owner.utf8))
    self.outcome = outcome
    self.passed = passed
  }

  /// Whether the plugin decides about the request, rather than looking on.
  var takesAnswer: Bool { part == .authorize || part == .limit }
}
