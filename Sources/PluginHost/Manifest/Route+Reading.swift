extension Route {
  init(reading reader: inout ObjectReader) {
    let method: RouteMethod = reader.word("method")
    let path = reader.required("path").map(PathPattern.init(reading:)) ?? .root
    let aliases = reader.elements("aliases").map { node in
      let alias = PathPattern(reading: node)
      if alias.parameters != path.parameters {
        node.refuse(
          "must have the parameters of \(path) in the same order: "
            + (path.parameters.isEmpty ? "none" : path.parameters.joined(separator: ", ")))
      }
      return alias
    }
    self.init(
      method: method, path: path, aliases: aliases,
      operation: reader.string("operation", .operation),
      summary: reader.string("summary", default: ""),
      handler: reader.string("handler", .handler),
      tenants: reader.word("tenants", default: .both),
      access: Access(reading: reader.required("auth")),
      scopes: reader.strings("scopes", .dottedName),
      query: QueryParameter.read(&reader),
      credential: reader.word("credential", default: .head),
      takesTokenInQuery: reader.boolean("token_in_query", default: false),
      body: RouteBody(reading: reader.optional("body"), method: method),
      writes: reader.boolean("writes", default: method.usuallyWrites),
      takesIdempotencyKey: reader.boolean("idempotency_key", default: true),
      responses: RouteResponse.read(&reader),
      pointer: reader.node.pointer)
    if method != .post {
      reader.optional("idempotency_key")?.refuse("only POST may carry an Idempotency-Key")
    } else if body.mode == .stream {
      // What is read in pieces is not compared.
      takesIdempotencyKey = false
    }
    if !method.usuallyWrites {
      reader.optional("writes")?.refuse("only POST, PUT and PATCH are taken for writing")
    }
    if access == .open && !scopes.isEmpty {
      reader.optional("scopes")?.refuse("nobody has scopes where \"auth\" is none")
    }
    if access == .open && takesTokenInQuery {
      reader.optional("token_in_query")?.refuse("no token is looked at where \"auth\" is none")
    }
    if takesTokenInQuery && method != .get {
      reader.optional("token_in_query")?.refuse(
        "only what browsers open with GET and without header fields (EventSource) takes one there")
    }
    if credential == .firstMessage && body.mode == .stream {
      reader.optional("credential")?.refuse(
        "a body that is looked at before the plugin is called cannot be streamed")
    }
  }
}

extension RouteMethod {
  /// Whether requests of this method make data more, unless the manifest says otherwise. What takes away is let in.
  fileprivate var usuallyWrites: Bool { [.post, .put, .patch].contains(self) }
}

extension RouteBody {
  /// The largest limit that a manifest may state, in bytes.
  private static let bound = 1 << 30
  private static let standardLimit = 64 << 10

  init(reading node: ConfigNode?, method: RouteMethod) {
    guard let node else {
      self = .none
      return
    }
    let body = node.object { reader in
      let mode: Mode = reader.word("mode", default: .buffer)
      let body = RouteBody(
        mode: mode,
        limit: reader.integer(
          "limit", in: 0...Self.bound, default: mode == .none ? 0 : Self.standardLimit),
        isRequired: reader.boolean("required", default: mode == .buffer),
        contentTypes: reader.optional("content_types")?.distinct { $0.string(.mediaType) }
          ?? (mode == .none ? [] : ["application/json"]),
        schema: reader.optional("schema").map(Schema.init(reading:)))
      Self.check(body, method: method, &reader)
      return body
    }
    self = body ?? .none
  }

  private static func check(
    _ body: RouteBody, method: RouteMethod, _ reader: inout ObjectReader
  ) {
    let node = reader.node
    if body.mode != .none && (method == .get || method == .head) {
      node.refuse("\(method.rawValue) takes no body (RFC 9110 §9.3)")
    }
    if body.mode == .none && (body.limit > 0 || body.isRequired || !body.contentTypes.isEmpty) {
      node.refuse("\"mode\" none goes with no limit, no content_types and not with required")
    }
    if body.schema != nil && body.mode != .buffer {
      node.refuse(
        "a schema needs \"mode\" buffer: the whole body is checked before the plugin is called")
    }
    if body.schema != nil && body.contentTypes != ["application/json"] {
      node.refuse("a schema needs content_types [\"application/json\"]")
    }
  }
}

extension QueryParameter {
  /// Reads `query` and `query_required`.
  static func read(_ reader: inout ObjectReader) -> [QueryParameter] {
    let entries = reader.optional("query")?.entries() ?? []
    let required = reader.optional("query_required")
    let names = required?.distinct { node in
      let name = node.string()
      if !name.isEmpty && !entries.contains(where: { $0.key == name }) {
        node.refuse("\"\(name)\" does not stand under \"query\"")
      }
      return name
    }
    return entries.map { name, node in
      node.checkKey(name, .parameter)
      let kind = node.value["type"]?.text.flatMap(Kind.init(rawValue:))
      if kind == nil {
        node.refuse(
          "the schema of a query parameter needs a \"type\": "
            + ConfigNode.list(Kind.allCases.map(\.rawValue)))
      }
      if kind == .array, let type = node.value["items"]?["type"], type != "string" {
        node.refuse("the items of a query parameter are strings")
      }
      return QueryParameter(
        name: name, kind: kind ?? .string, isRequired: names?.contains(name) ?? false,
        schema: Schema(reading: node))
    }
  }
}

extension RouteResponse {
  static func read(_ reader: inout ObjectReader) -> [RouteResponse] {
    let entries = reader.optional("responses")?.entries() ?? []
    return entries.map { key, node in
      let status = Int(key).flatMap { (200...599).contains($0) ? $0 : nil }
      if status == nil || key.utf8.count != 3 {
        node.problems.add(
          "\"\(key)\" is not a status from 200 to 599", at: node.pointer, onKey: true)
      }
      return node.object { reader in
        RouteResponse(
          status: status ?? 200, description: reader.string("description"),
          schema: reader.optional("schema").map(ShownSchema.init(reading:)),
          contentType: reader.optional("content_type").map { $0.string(.mediaType) })
      } ?? RouteResponse(status: 200, description: "", schema: nil)
    }.sorted { $0.status < $1.status }
  }
}
