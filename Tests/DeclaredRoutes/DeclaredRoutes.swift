public import PluginHost
public import PluginKit
public import PluginTesting
import Wire

/// The routes of a plugin's manifest, for tests that ask the plugin as the gateway would: a body that the manifest refuses
/// never reaches it, and an answer that the manifest does not describe is wrong.
public struct DeclaredRoutes: Sendable {
  /// In the manifest's order.
  public let routes: [Route]

  /// - Parameter folder: the plugin's, from the package's root.
  /// - Throws: `ConfigurationError` when there is no manifest, or what is wrong with it.
  public init(folder: String) throws {
    routes = try PluginManifest.read(folder: folder).routes
  }

  /// Asks the plugin, and says what breaks the manifest: nothing, if all is well.
  ///
  /// - Throws: what `TestHost` does; `TestFailure` when there is no such route; `JSONError` for a body that is none.
  public func request(
    _ host: TestHost, _ method: String, _ target: String, _ body: String, as principal: Principal,
    from peer: String = "127.0.0.1"
  ) async throws -> (reply: TestReply, violations: [String]) {
    let route = try find(method, target)
    var violations: [String] = []
    if let schema = route.body.schema {
      violations += schema.compiled.validate(try JSONDocument(body).root).map {
        "the manifest refuses the body: \($0)"
      }
    }
    let reply = try await host.request(method, target, body: body, as: principal, from: peer)
    violations += Self.violations(of: reply, route)
    if reply.status == 500 {
      violations += host.log.map { "logged: \($0.message) \($0.fields?.text ?? "")" }
    }
    return (reply, violations)
  }

  /// Whether the gateway would answer 400 without asking the plugin.
  ///
  /// - Throws: `TestFailure` when there is no such route, or it takes no JSON.
  public func refuses(_ method: String, _ target: String, _ body: String) throws -> Bool {
    guard let schema = try find(method, target).body.schema else {
      throw TestFailure("\(method) \(target) has no schema")
    }
    return !schema.compiled.validate(try JSONDocument(body).root).isEmpty
  }

  private func find(_ method: String, _ target: String) throws -> Route {
    let path = target.prefix { $0 != "?" }.split(separator: "/").map(String.init)
    let found = routes.first { route in
      route.method.rawValue == method && route.path.segments.count == path.count
        && zip(route.path.segments, path).allSatisfy { segment, text in
          if case .literal(let literal) = segment { literal == text } else { true }
        }
    }
    guard let found else { throw TestFailure("the manifest has no route \(method) \(target)") }
    return found
  }

  private static func violations(of reply: TestReply, _ route: Route) -> [String] {
    guard reply.status < 300 else {
      if reply.status == 500 { return ["\(route.operation) answered 500"] }
      let isProblem = reply.problem?.status == reply.status
      return isProblem ? [] : ["\(route.operation): no problem document"]
    }
    guard let known = route.responses.first(where: { $0.status == reply.status }) else {
      return ["\(route.operation) does not declare \(reply.status)"]
    }
    guard let schema = known.schema else {
      return reply.body.isEmpty ? [] : ["\(route.operation) answered a body: \(reply.text)"]
    }
    guard let document = try? JSONDocument(reply.text) else {
      return ["\(route.operation) answered what is not JSON: \(reply.text)"]
    }
    return schema.compiled.validate(document.root).map {
      "\(route.operation) answered \(reply.text): \($0)"
    }
  }
}
