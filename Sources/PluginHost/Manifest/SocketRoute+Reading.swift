extension SocketRoute {
  private static let messageBound = 64 << 20

  init(reading reader: inout ObjectReader) {
    self.init(
      path: reader.required("path").map(PathPattern.init(reading:)) ?? .root,
      operation: reader.string("operation", .operation),
      summary: reader.string("summary", default: ""),
      handler: reader.string("handler", .handler),
      access: Access(reading: reader.required("auth")),
      scopes: reader.strings("scopes", .dottedName),
      takesTokenInQuery: reader.boolean("token_in_query", default: false),
      subprotocols: reader.strings("subprotocols", .token),
      messageLimit: reader.integer(
        "message_limit", in: 1...Self.messageBound, default: 64 << 10),
      compression: reader.optional("compression")?.object { CompressionChoice(reading: &$0) }
        ?? CompressionChoice(),
      query: QueryParameter.read(&reader),
      credential: reader.word("credential", default: .upgrade),
      pointer: reader.node.pointer)
    if access == .open && credential == .firstMessage {
      reader.optional("credential")?.refuse("no credential is looked at where \"auth\" is none")
    }
    if access == .open && takesTokenInQuery {
      reader.optional("token_in_query")?.refuse("no token is looked at where \"auth\" is none")
    }
    if access == .open && !scopes.isEmpty {
      reader.optional("scopes")?.refuse("nobody has scopes where \"auth\" is none")
    }
  }
}

extension SocketMessage {
  init(reading reader: inout ObjectReader) {
    self.init(
      type: reader.string("type", .dottedName),
      handler: reader.string("handler", .handler),
      schema: reader.optional("schema").map(Schema.init(reading:)),
      scopes: reader.strings("scopes", .dottedName),
      writes: reader.boolean("writes", default: true),
      pointer: reader.node.pointer)
  }
}

extension ChannelNamespace {
  init(reading reader: inout ObjectReader) {
    let namespace = reader.string("namespace", .name)
    let history = reader.optional("history")?.object { history in
      (
        size: history.required("size")?.integer(in: 0...1_000_000) ?? 0,
        seconds: history.optional("ttl_seconds")?.integer(in: 1...315_360_000)
      )
    }
    self.init(
      namespace: namespace, historySize: history?.size ?? 0, historySeconds: history?.seconds,
      pointer: reader.node.pointer)
  }
}

extension PhaseHandler {
  init(reading reader: inout ObjectReader) {
    self.init(
      phase: reader.word("phase"),
      handler: reader.string("handler", .handler),
      before: reader.strings("before", .pluginID),
      after: reader.strings("after", .pluginID),
      routes: reader.strings("routes", .routeFilter),
      pointer: reader.node.pointer)
    // A word that is none has been refused, and the phase is a placeholder.
    guard let word = reader.optional("phase"), word.value == .string(phase.rawValue) else { return }
    switch phase {
    case .identify:
      word.refuse(
        "\"identify\" is what a provider of \(ServiceID.authenticator) does: provide that service")
    case .handle:
      word.refuse("\"handle\" is the handler of a route: declare a route")
    case .authorize, .limit, .respond, .observe: break
    }
  }
}

extension ProvidedService {
  init(reading reader: inout ObjectReader) {
    self.init(
      service: ServiceID(reading: reader.required("service")),
      key: reader.optional("key")?.string(.name),
      pointer: reader.node.pointer)
  }
}

extension RequiredService {
  init(reading reader: inout ObjectReader) {
    self.init(
      service: ServiceID(reading: reader.required("service")),
      key: reader.optional("key")?.string(.name),
      isOptional: reader.boolean("optional", default: false),
      isMany: reader.boolean("many", default: false),
      pointer: reader.node.pointer)
    if key != nil && isMany {
      reader.node.refuse("one \"key\" is never \"many\"")
    }
  }
}

extension EmittedEvent {
  init(reading reader: inout ObjectReader, in folder: String) {
    self.init(
      type: reader.string("type", .eventType),
      schema: reader.required("schema").map { ShownSchema(file: $0, in: folder) } ?? .anything,
      socketName: reader.optional("socket_name")?.string(.dottedName),
      isEphemeral: reader.boolean("ephemeral", default: false),
      pointer: reader.node.pointer)
  }
}

extension PluginLimits {
  init(reading reader: inout ObjectReader) {
    self.init()
    workerJobs = reader.integer("worker_jobs", in: 1...100_000, default: workerJobs)
    workerThreads = reader.integer("worker_threads", in: 1...16, default: workerThreads)
    clientRequests = reader.integer("client_requests", in: 1...1_024, default: clientRequests)
    alarmSeconds = reader.integer("alarm_seconds", in: 1...600, default: alarmSeconds)
    timers = reader.integer("timers", in: 1...1_000_000, default: timers)
  }
}
