internal import CSluice
internal import Gateway
internal import Wire

/// Route tables by set of plugin versions and what the operator says of it: tenants with the same share one.
/// Confined to the control thread.
final class RouteTables {
  private struct Key: Hashable {
    let kind: TenantKind
    let plan: String
    let compression: CompressionChoice
    let greeters: [String]
  }

  private var tables: [Key: RouteTable] = [:]

  /// The table for a plan.
  ///
  /// - Parameter greeters: plugins of other tenants whose sockets and requests are to be led there by what they say first.
  func table(
    _ plan: TenantPlan, kind: TenantKind, _ plugins: [LoadedPlugin], limits: Limits,
    compression: CompressionChoice, greeters: [LoadedPlugin]
  )
    throws(TenantFailure) -> RouteTable
  {
    let key = Key(
      kind: kind, plan: plan.key, compression: compression,
      greeters: greeters.map(\.manifest.identity))
    if let known = tables[key] { return known }
    var routes: [(patterns: [String], route: Gateway::Route)] = []
    for (position, plugin) in plugins.enumerated() {
      routes += plugin.routes(at: position, kind: kind, limits: limits, compression: compression)
    }
    let parts = PhaseParts(plan, plugins)
    for index in routes.indices { parts.add(to: &routes[index].route, routes[index].patterns) }
    let own = Set(routes.flatMap(\.patterns))
    for plugin in greeters {
      let further =
        plugin.requestRoutes(at: 0, kind: .app, limits: limits, isForeign: true)
        .filter { $0.route.firstMessage != nil || $0.route.takesTokenInQuery }
        + plugin.socketRoutes(at: 0, limits: limits, compression: compression, isForeign: true)
        .filter { $0.route.firstMessage != nil }
      routes += further.filter { own.isDisjoint(with: $0.patterns) }
    }
    do throws(RouteConflict) {
      let table = try RouteTable(routes)
      tables[key] = table
      return table
    } catch {
      throw TenantFailure(
        code: .plan, message: "two routes claim \(error.method.name) \(error.pattern)")
    }
  }
}

extension InstalledRoutes {
  /// What the plugins of a setup would serve if each were switched on wherever it suits.
  convenience init(_ setup: HostSetup) {
    let plugins = setup.manifests.compactMap { setup.plugins[$0.id] }
    func routes(on kind: TenantKind) -> [(patterns: [String], route: Gateway::Route)] {
      plugins.enumerated().filter { $1.manifest.tenants.includes(kind) }.flatMap {
        $1.routes(
          at: $0, kind: kind, limits: setup.configuration.limits,
          compression: setup.configuration.compression)
      }
    }
    self.init(
      plugins: plugins.map(\.manifest.id), platform: routes(on: .platform), apps: routes(on: .app))
  }
}

extension LoadedPlugin {
  /// The manifest's routes and sockets, ready to be served.
  fileprivate func routes(
    at position: Int, kind: TenantKind, limits: Limits, compression: CompressionChoice
  ) -> [(patterns: [String], route: Gateway::Route)] {
    requestRoutes(at: position, kind: kind, limits: limits, isForeign: false)
      + socketRoutes(at: position, limits: limits, compression: compression, isForeign: false)
  }

  /// The manifest's routes, ready to be served, or to lead to where they are.
  fileprivate func requestRoutes(
    at position: Int, kind: TenantKind, limits: Limits, isForeign: Bool
  ) -> [(patterns: [String], route: Gateway::Route)] {
    var routes: [(patterns: [String], route: Gateway::Route)] = []
    for (index, declared) in manifest.routes.enumerated() where declared.tenants.includes(kind) {
      guard let http else { continue }
      var route = Gateway::Route(
        method: declared.method.wire, pattern: declared.path.text, operation: declared.operation,
        plugin: position,
        target: .request(
          http.pointee.handle, cancelled: http.pointee.cancelled, handler: routeHandlers[index]),
        auth: declared.access.auth)
      route.scopes = declared.scopes
      switch declared.body.mode {
      case .none: route.body = .none
      case .buffer: route.body = .buffered
      case .stream: route.body = .streamed
      }
      route.bodyLimit = min(declared.body.limit, limits[.bodyBytes])
      route.requiresBody = declared.body.isRequired
      route.takesIdempotencyKey = declared.method == .post && declared.takesIdempotencyKey
      route.writes = declared.writes
      route.contentTypes = declared.body.contentTypes
      if let schema = declared.body.schema?.compiled {
        route.bodyCheck = { check(body: $0, schema) }
      }
      route.query = declared.query.map(\.check)
      route.takesTokenInQuery = declared.takesTokenInQuery
      route.isForeign = isForeign
      if declared.credential == .firstMessage, let requestCredential {
        route.firstMessage = .request(requestCredential)
      }
      routes.append((declared.patterns.map(\.text), route))
    }
    return routes
  }

  /// The manifest's sockets, ready to be served, or to lead to where they are.
  fileprivate func socketRoutes(
    at position: Int, limits: Limits, compression: CompressionChoice, isForeign: Bool
  ) -> [(patterns: [String], route: Gateway::Route)] {
    var routes: [(patterns: [String], route: Gateway::Route)] = []
    for (index, declared) in manifest.sockets.enumerated() {
      guard let webSocket else { continue }
      var route = Gateway::Route(
        method: .get, pattern: declared.path.text, operation: declared.operation, plugin: position,
        target: .socket(webSocket, handler: socketHandlers[index]), auth: declared.access.auth)
      route.scopes = declared.scopes
      route.messageLimit = min(declared.messageLimit, limits[.webSocketMessageBytes])
      route.takesTokenInQuery = declared.takesTokenInQuery
      route.compression = declared.compression.policy(within: compression)
      route.subprotocols = declared.subprotocols
      route.query = declared.query.map(\.check)
      if declared.credential == .firstMessage, let webSocketCredential {
        route.firstMessage = .socket(webSocketCredential)
      }
      route.isForeign = isForeign
      routes.append(([declared.path.text], route))
    }
    return routes
  }
}

/// What is wrong with a JSON body.
private func check(body: UnsafeRawBufferPointer, _ schema: JSONSchema) -> [FieldProblem] {
  if body.isEmpty { return [] }
  do throws(JSONError) {
    let document = try JSONDocument(body)
    return schema.validate(document.root).map {
      FieldProblem(pointer: $0.pointer, message: $0.message)
    }
  } catch {
    let place = "line \(error.line), column \(error.column)"
    return [
      FieldProblem(
        pointer: error.pointer, message: "\(error.reason.message) at \(place)",
        isUnreadable: error.reason.isOfGrammar)
    ]
  }
}

extension QueryParameter {
  /// The parameter as the gateway asks it: the text becomes a JSON value of the declared kind first.
  fileprivate var check: RouteQuery {
    let (kind, schema, pointer) = (kind, schema.compiled, "/query/\(name)")
    return RouteQuery(name: name, isRequired: isRequired) { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      guard let json = kind.json(text), let document = try? JSONDocument(json) else {
        return [FieldProblem(pointer: pointer, message: "must be \(kind.phrase)")]
      }
      return schema.validate(document.root).map {
        FieldProblem(pointer: pointer + $0.pointer, message: $0.message)
      }
    }
  }
}

extension QueryParameter.Kind {
  fileprivate var phrase: String {
    switch self {
    case .string: "text"
    case .integer: "a whole number"
    case .number: "a number"
    case .boolean: "true or false"
    case .array: "values joined by commas"
    }
  }

  /// The text of a query as JSON; nil when it is none of this kind.
  fileprivate func json(_ text: String) -> String? {
    switch self {
    case .string: ConfigValue.string(text).json
    case .array:
      ConfigValue.array(
        text.split(separator: ",", omittingEmptySubsequences: false).map { .string(String($0)) }
      ).json
    case .integer: Int64(text).map { _ in text.hasPrefix("+") ? nil : text } ?? nil
    case .number: text.first == "+" ? nil : Double(text).flatMap { $0.isFinite ? text : nil }
    case .boolean: text == "true" || text == "false" ? text : nil
    }
  }
}

extension RouteMethod {
  fileprivate var wire: HTTPMethod {
    switch self {
    case .get: .get
    case .head: .head
    case .post: .post
    case .put: .put
    case .patch: .patch
    case .delete: .delete
    case .options: .options
    }
  }
}

extension Access {
  fileprivate var auth: RouteAuth {
    var auth: RouteAuth = []
    switch self {
    case .open: return .none
    case .optional: auth.insert(.optional)
    case .required: break
    }
    if kinds.contains(.user) { auth.insert(.user) }
    if kinds.contains(.key) { auth.insert(.key) }
    if kinds.contains(.account) { auth.insert(.account) }
    if kinds.contains(.publicKey) { auth.insert(.publicKey) }
    return auth
  }
}
