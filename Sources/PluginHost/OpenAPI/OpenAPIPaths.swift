/// The `paths` of an API's description (OpenAPI 3.1.0 §4.8.8).
///
/// Patterns that differ in their parameters' names alone are one path there, so they are gathered by shape and
/// speak of their parameters by the names of the first.
struct OpenAPIPaths {
  private var patterns: [String: PathPattern] = [:]
  private var operations: [String: [RouteMethod: ConfigValue]] = [:]
  /// The schemas that the operations use.
  var schemas = OpenAPISchemas()
  private let limits: Limits
  private let ambiguous: Set<String>

  init(of plugins: [PluginManifest], limits: Limits) {
    self.limits = limits
    let names = plugins.flatMap { plugin in
      plugin.routes.map(\.operation) + plugin.sockets.map(\.operation)
    }
    ambiguous = Set(Dictionary(grouping: names) { $0 }.filter { $0.value.count > 1 }.keys)
    let claimed = plugins.flatMap { plugin in
      plugin.routes.flatMap(\.patterns) + plugin.sockets.map(\.path)
    }
    for pattern in claimed.sorted(by: { $0.text < $1.text }) where patterns[pattern.shape] == nil {
      patterns[pattern.shape] = pattern
    }
    for plugin in plugins {
      for route in plugin.routes { add(route, of: plugin) }
      for socket in plugin.sockets { add(socket, of: plugin) }
    }
  }

  /// The object under `paths`, in the order of the paths' text.
  var value: ConfigValue {
    .object(
      patterns.sorted { $0.value.text < $1.value.text }.map { shape, pattern in
        .init(
          pattern.text,
          .object(
            RouteMethod.allCases.compactMap { method in
              operations[shape]?[method].map { .init(method.rawValue.lowercased(), $0) }
            }))
      })
  }

  private mutating func add(_ route: Route, of plugin: PluginManifest) {
    let owner = "\(plugin.id).\(route.operation)"
    let query = route.query.map { parameter($0, of: owner) }
    let body = route.body.mode == .none ? nil : requestBody(route.body, of: owner)
    let responses = responses(of: route, owner: owner)
    for pattern in route.patterns {
      let isAlias = pattern != route.path
      var members = head(
        operation: isAlias ? nil : route.operation, summary: route.summary,
        notes: notes(on: route) + (isAlias ? ["Another name for `\(route.path)`."] : []),
        plugin: plugin)
      var parameters = pathParameters(pattern) + query
      if route.method == .post, route.takesIdempotencyKey {
        parameters.append(OpenAPIComponents.idempotencyKey)
      }
      if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
      if let body { members.append(.init("requestBody", body)) }
      members.append(.init("responses", responses))
      members.append(
        .init(
          "security",
          Self.security(route.access, scopes: route.scopes, inQuery: route.takesTokenInQuery)))
      operations[pattern.shape, default: [:]][route.method] = .object(members)
    }
  }

  private mutating func add(_ socket: SocketRoute, of plugin: PluginManifest) {
    var notes = ["A WebSocket (RFC 6455)."]
    let limit = min(socket.messageLimit, limits[.webSocketMessageBytes])
    notes.append("A message has at most \(limit) bytes.")
    if !socket.subprotocols.isEmpty {
      notes.append(
        "Subprotocols: \(socket.subprotocols.map { "`\($0)`" }.joined(separator: ", ")).")
    }
    var members = head(
      operation: socket.operation, summary: socket.summary, notes: notes, plugin: plugin)
    let owner = "\(plugin.id).\(socket.operation)"
    let query = socket.query.map { parameter($0, of: owner) }
    let parameters = pathParameters(socket.path) + query
    if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
    var responses: [ConfigValue.Member] = [
      .init("101", ["description": "The connection is a WebSocket from here on."])
    ]
    let statuses = Self.problems(isSocket: true)
    responses += statuses.map(OpenAPIComponents.reference(to:))
    members.append(.init("responses", .object(responses)))
    members.append(
      .init(
        "security",
        Self.security(
          socket.access, scopes: socket.scopes, inQuery: socket.takesTokenInQuery)))
    operations[socket.path.shape, default: [:]][.get] = .object(members)
  }

  private func head(
    operation: String?, summary: String, notes: [String], plugin: PluginManifest
  ) -> [ConfigValue.Member] {
    var members: [ConfigValue.Member] = []
    if let operation {
      let name = ambiguous.contains(operation) ? "\(plugin.tablePrefix)_\(operation)" : operation
      members.append(.init("operationId", .string(name)))
    }
    if !summary.isEmpty { members.append(.init("summary", .string(summary))) }
    if !notes.isEmpty {
      members.append(.init("description", .string(notes.joined(separator: " "))))
    }
    members.append(.init("tags", [.string(plugin.id)]))
    return members
  }

  private func notes(on route: Route) -> [String] {
    var notes: [String] = []
    if route.body.mode != .none {
      let limit = min(route.body.limit, limits[.bodyBytes])
      notes.append("The body has at most \(limit) bytes.")
    }
    if route.credential == .firstMessage {
      notes.append("What leads to the app may stand in the query or the body instead of the head.")
    }
    return notes
  }

  private func pathParameters(_ pattern: PathPattern) -> [ConfigValue] {
    (patterns[pattern.shape] ?? pattern).parameters.map { name in
      [
        "name": .string(name), "in": "path", "required": true,
        "schema": ["type": "string", "minLength": 1],
      ]
    }
  }
}
