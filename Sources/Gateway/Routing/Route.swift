public import CSluice
public import Wire

/// Kinds of principal that a route lets in.
public struct RouteAuth: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Nobody is asked who they are; a credential that is sent is not looked at.
  public static let none = RouteAuth(rawValue: 1)
  /// A credential that is sent must be good; without one the principal is anonymous.
  public static let optional = RouteAuth(rawValue: 2)
  /// An end user of an app.
  public static let user = RouteAuth(rawValue: 4)
  /// An app's own server.
  public static let key = RouteAuth(rawValue: 8)
  /// A developer with an account on the platform.
  public static let account = RouteAuth(rawValue: 16)
  /// Whoever shows an app's public key.
  public static let publicKey = RouteAuth(rawValue: 32)

  /// Whether nobody is let in without a credential.
  var wantsCredential: Bool { isDisjoint(with: [.none, .optional]) }
}

/// How a route's body reaches its handler.
public enum RouteBody: UInt8, Sendable {
  /// Whole, after it has been read up to the limit.
  case buffered
  /// In pieces, pulled by the handler.
  case streamed
  /// There must be none.
  case none
}

/// The C function of a plugin that answers a request: shard, handler, request.
public typealias RequestFunction =
  @convention(c) (UInt64, UInt32, sluice_token_t) -> sluice_status_t

/// The C function of a plugin that hears of a request's early end: shard, handler, request.
public typealias CancelFunction = @convention(c) (UInt64, UInt32, sluice_token_t) -> Void

/// What a route leads to.
public enum RouteTarget: @unchecked Sendable {
  // @unchecked: C function pointers and tables of static lifetime, immutable on every thread.
  /// A handler of requests.
  case request(RequestFunction, cancelled: CancelFunction?, handler: UInt32)
  /// The opening of a WebSocket.
  case socket(UnsafePointer<sluice_websocket_handler_v1_t>, handler: UInt32)
}

/// The functions of a plugin that find the credential of a request which shows none in its head.
public enum FirstMessage: @unchecked Sendable {
  // @unchecked: tables of static lifetime, immutable on every thread.
  /// In the first message of a WebSocket that is opened before.
  case socket(UnsafePointer<sluice_websocket_credential_v1_t>)
  /// In the request's query or body.
  case request(UnsafePointer<sluice_request_credential_v1_t>)
}

/// A check of a request before its plugin is called; nil when the request is as declared.
///
/// Called on the loop's thread with the bytes of a body or of a decoded query value.
public typealias RouteCheck = @Sendable (UnsafeRawBufferPointer) -> [FieldProblem]

/// What is wrong with one part of a request.
public struct FieldProblem: Sendable, Equatable {
  /// An RFC 6901 pointer into the body, or `/query/name`.
  public let pointer: String
  /// What is wrong and what would be right.
  public let message: String

  /// Whether the whole could not be read, so that nothing was checked.
  public let isUnreadable: Bool

  /// - Parameter pointer: an RFC 6901 JSON pointer into what was checked.
  public init(pointer: String, message: String, isUnreadable: Bool = false) {
    self.pointer = pointer
    self.message = message
    self.isUnreadable = isUnreadable
  }
}

/// One query parameter that a route declares.
public struct RouteQuery: Sendable {
  /// As it stands in the query, decoded.
  public let name: String
  /// Whether a request without it is refused with 400.
  public let isRequired: Bool
  /// Given the decoded text of the parameter. [loop-thread]
  public let check: RouteCheck

  /// - Parameter check: called on every loop; must not block.
  public init(name: String, isRequired: Bool, check: @escaping RouteCheck) {
    self.name = name
    self.isRequired = isRequired
    self.check = check
  }
}

/// One route as a manifest declares it, ready to be served. Immutable, shared by all loops.
public struct Route: Sendable {
  /// `GET`, `POST`, …; a socket's route is `GET`.
  public var method: HTTPMethod
  /// `/v1/channels/{type}/{id}`.
  public var pattern: String
  /// The operation's id, for the access log and metrics.
  public var operation: String
  /// The plugin's place in its tenant's set.
  public var plugin: Int
  /// What is called when a request has passed.
  public var target: RouteTarget
  /// Whom it lets in.
  public var auth: RouteAuth
  /// All of these the principal must have.
  public var scopes: [String] = []
  /// How the body reaches the plugin.
  public var body = RouteBody.none
  /// Bytes.
  public var bodyLimit = 0
  /// Whether an empty body is refused with 400.
  public var requiresBody = false
  /// Lower case, without parameters; empty: any.
  public var contentTypes: [String] = []
  /// Given the whole body; nil takes any. Not asked for bodies that are streamed. [loop-thread]
  public var bodyCheck: RouteCheck?
  /// Parameters that are not declared here are left alone.
  public var query: [RouteQuery] = []
  /// Bytes of one message; for sockets.
  public var messageLimit = 65_536
  /// Whether `?token=` is a credential, for clients that can set no fields.
  public var takesTokenInQuery = false
  /// For sockets and requests whose credential may be what they say first.
  public var firstMessage: FirstMessage?
  /// Whether the route is the platform's only to lead to apps, and is served in those alone.
  public var isForeign = false
  /// For sockets.
  public var compression = CompressionPolicy()
  /// Names the server may select, in its order of preference; for sockets.
  public var subprotocols: [String] = []
  /// Whether a request may make the tenant's data more, so that it is refused where the plan lets it store no more.
  public var writes: Bool
  /// Whether a request may carry an `Idempotency-Key`. Not looked at where the body is streamed.
  public var takesIdempotencyKey = false
  /// The parts that plugins have in its requests, in the order in which they run.
  public var phases: [RequestPhase: [PhaseStep]] = [:]

  /// A route without scopes, body and query, which takes no message above 64 KiB.
  public init(
    method: HTTPMethod, pattern: String, operation: String, plugin: Int, target: RouteTarget,
    auth: RouteAuth
  ) {
    self.method = method
    writes = [.post, .put, .patch].contains(method)
    self.pattern = pattern
    self.operation = operation
    self.plugin = plugin
    self.target = target
    self.auth = auth
  }
}

/// The part of a route that every request reads: a plain value.
struct RouteFacts {
  let function: RequestFunction?
  let cancelled: CancelFunction?
  let socket: UnsafePointer<sluice_websocket_handler_v1_t>?
  let handler: UInt32
  let plugin: Int32
  let auth: RouteAuth
  let body: RouteBody
  let requiresBody: Bool
  let declaresQuery: Bool
  let needsScopes: Bool
  let takesTokenInQuery: Bool
  let takesIdempotencyKey: Bool
  let writes: Bool
  /// Whether it only leads to other tenants.
  let isForeign: Bool
  let bodyLimit: Int
  /// For sockets whose credential may come in the first message.
  let firstMessage: UnsafePointer<sluice_websocket_credential_v1_t>?
  /// For requests whose credential may stand in query or body.
  let requestCredential: UnsafePointer<sluice_request_credential_v1_t>?
  /// Whether a credential may stand elsewhere than in the head's usual places.
  let looksFurther: Bool
  /// The parts of plugins in the route's requests; nil when none has any. The table's to free.
  let phases: UnsafeMutablePointer<RoutePhases>?

  init(_ route: Route) {
    switch route.target {
    case .request(let function, let cancelled, let handler):
      self.function = function
      self.cancelled = cancelled
      self.handler = handler
      socket = nil
    case .socket(let table, let handler):
      self.handler = handler
      socket = table
      function = nil
      cancelled = nil
    }
    plugin = Int32(route.plugin)
    auth = route.auth
    body = route.body
    requiresBody = route.requiresBody
    takesTokenInQuery = route.takesTokenInQuery
    takesIdempotencyKey = route.takesIdempotencyKey && route.body != .streamed
    writes = route.writes
    declaresQuery = !route.query.isEmpty
    needsScopes = !route.scopes.isEmpty
    bodyLimit = route.bodyLimit
    switch route.firstMessage {
    case .socket(let table): (firstMessage, requestCredential) = (table, nil)
    case .request(let table): (firstMessage, requestCredential) = (nil, table)
    case nil: (firstMessage, requestCredential) = (nil, nil)
    }
    looksFurther = route.firstMessage != nil || socket == nil && route.takesTokenInQuery
    isForeign = route.isForeign
    phases = RoutePhases.allocate(route.phases)
  }
}
