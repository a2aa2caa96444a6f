extension OpenAPIPaths {
  mutating func parameter(_ parameter: QueryParameter, of owner: String) -> ConfigValue {
    var members: [ConfigValue.Member] = [
      .init("name", .string(parameter.name)), .init("in", "query"),
    ]
    if parameter.isRequired { members.append(.init("required", true)) }
    if parameter.kind == .array {
      members.append(.init("style", "form"))
      members.append(.init("explode", false))
    }
    members.append(
      .init("schema", schemas.embed(parameter.schema.value, of: "\(owner).query.\(parameter.name)"))
    )
    return .object(members)
  }

  mutating func requestBody(_ body: RouteBody, of owner: String) -> ConfigValue {
    let schema = body.schema.map { schemas.embed($0.value, of: "\(owner).body") }
    let types = body.contentTypes.isEmpty ? ["*/*"] : body.contentTypes
    let content = types.map { type in
      ConfigValue.Member(
        type, .object(schema.map { [.init("schema", $0)] } ?? []))
    }
    return ["required": .boolean(body.isRequired), "content": .object(content)]
  }

  /// What the manifest says, and the problems that the gateway itself may answer with.
  mutating func responses(
    of route: Route, owner: String
  ) -> ConfigValue {
    var members: [(status: Int, value: ConfigValue)] = route.responses.map { response in
      (response.status, value(of: response, owner: owner))
    }
    let statuses = Self.problems(
      mayConflict: [.post, .put, .patch].contains(route.method),
      hasBody: route.body.mode != .none, hasTypes: !route.body.contentTypes.isEmpty)
    for status in statuses where !members.contains(where: { $0.status == status }) {
      members.append((status, OpenAPIComponents.reference(to: status).value))
    }
    members.sort { $0.status < $1.status }
    var object = members.map { ConfigValue.Member(String($0.status), $0.value) }
    if !route.responses.contains(where: { $0.status < 400 }) {
      object.insert(.init("2XX", ["description": "Success"]), at: 0)
    }
    return .object(object)
  }

  private mutating func value(of response: RouteResponse, owner: String) -> ConfigValue {
    var members: [ConfigValue.Member] = [.init("description", .string(response.description))]
    if response.schema != nil || response.contentType != nil {
      let described = response.schema.map {
        ["schema": schemas.embed($0.value, of: "\(owner).\(response.status)")] as ConfigValue
      }
      let type = response.contentType ?? "application/json"
      members.append(.init("content", .object([.init(type, described ?? [:])])))
    } else if response.status >= 400 {
      members.append(.init("content", OpenAPIComponents.problemContent))
    }
    return .object(members)
  }

  /// The statuses of the problems that may come before or instead of the plugin's answer.
  ///
  /// Whatever an operation asks for: any query may be malformed, `?app=` may name an app that there is not (404) or not that of the credential
  /// (401), an app may have used up its quota (403), and target and head may be too long (414, 431).
  static func problems(
    mayConflict: Bool = false, hasBody: Bool = false, hasTypes: Bool = false, isSocket: Bool = false
  ) -> [Int] {
    var statuses = [400, 401, 403, 404]
    if hasBody { statuses.append(408) }
    if mayConflict { statuses.append(409) }
    if hasBody { statuses.append(413) }
    statuses.append(414)
    if hasTypes { statuses.append(415) }
    if isSocket { statuses.append(426) }
    return statuses + [429, 431, 500, 503, 504]
  }

  /// The alternatives of which one is needed (OpenAPI 3.1.0 §4.8.30); an empty one is "none at all".
  static func security(_ access: Access, scopes: [String], inQuery: Bool = false) -> ConfigValue {
    var alternatives: [ConfigValue] = []
    if case .optional = access { alternatives.append([:]) }
    let roles = ConfigValue.array(scopes.map(ConfigValue.string))
    var schemes = OpenAPIComponents.schemes.filter { access.kinds.contains($0.kind) }.map(\.name)
    if inQuery { schemes.append(OpenAPIComponents.tokenInQuery) }
    alternatives += schemes.map { .object([.init($0, roles)]) }
    return .array(alternatives)
  }
}
