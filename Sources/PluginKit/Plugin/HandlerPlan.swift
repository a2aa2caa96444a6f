/// The handlers of one plugin, in the order of their registration. Built at load, never changed after.
@usableFromInline
struct HandlerPlan {
  @usableFromInline
  struct Route {
    /// One of the two is there.
    let synchronous: ((AnyObject, Request) throws -> Response)?
    let asynchronous: ((AnyObject, Request) async throws -> Response)?

    @usableFromInline
    static func synchronous(
      _ function: @escaping (AnyObject, Request) throws -> Response
    ) -> Route {
      Route(synchronous: function, asynchronous: nil)
    }

    static func asynchronous(
      _ function: @escaping (AnyObject, Request) async throws -> Response
    ) -> Route {
      Route(synchronous: nil, asynchronous: function)
    }
  }

  struct PhasePart {
    enum Handler {
      /// In `authorize` and `limit`: nil goes on.
      case synchronous((AnyObject, Request) throws -> Response?)
      case asynchronous((AnyObject, Request) async throws -> Response?)
      /// In `respond` and `observe`.
      case spectator((AnyObject, Request) throws -> Void)
    }

    let name: String
    /// The contract's number.
    let phase: UInt32
    let handler: Handler
  }

  /// What replies to a call, with bytes.
  enum Responder<Call> {
    case synchronous((AnyObject, Call) throws -> [UInt8])
    case asynchronous((AnyObject, Call) async throws -> [UInt8])
  }

  typealias Service = Responder<ServiceCall>
  typealias MessageHandler = Responder<ClientMessage>

  enum Listener {
    case synchronous((AnyObject, Event) throws -> Hearing)
    case asynchronous((AnyObject, Event) async throws -> Hearing)
  }

  struct ServiceMethod {
    let service: String
    let method: UInt32
    let handler: Service
  }

  struct EventListener {
    let pattern: EventPattern
    let handler: Listener
  }

  private(set) var routeNames: [String] = []
  private(set) var routes: [Route] = []
  private(set) var socketNames: [String] = []
  private(set) var sockets: [SocketHandler] = []
  /// By the name of the socket's handler.
  private(set) var credentials: [String: FirstMessageCredential] = [:]
  /// By the name of the route's handler.
  private(set) var requestCredentials: [String: RequestCredential] = [:]
  private(set) var phases: [PhasePart] = []
  private(set) var messageNames: [String] = []
  private(set) var messages: [MessageHandler] = []
  private(set) var services: [ServiceMethod] = []
  private(set) var listeners: [EventListener] = []
  var alarm: ((AnyObject) async throws -> Timestamp?)?
  var publication: ((AnyObject, UInt64, borrowing Publication) -> Void)?

  @usableFromInline
  init() {}

  @usableFromInline
  mutating func add(route name: String, _ route: Route) {
    if let index = routeNames.firstIndex(of: name) {
      routes[index] = route
    } else {
      routeNames.append(name)
      routes.append(route)
    }
  }

  mutating func add(socket name: String, _ handler: SocketHandler) {
    if let index = socketNames.firstIndex(of: name) {
      sockets[index] = handler
    } else {
      socketNames.append(name)
      sockets.append(handler)
    }
  }

  mutating func add(credentialOf socket: String, _ credential: FirstMessageCredential) {
    credentials[socket] = credential
  }

  mutating func add(credentialOfRoute route: String, _ credential: RequestCredential) {
    requestCredentials[route] = credential
  }

  mutating func add(message name: String, _ handler: MessageHandler) {
    if let index = messageNames.firstIndex(of: name) {
      messages[index] = handler
    } else {
      messageNames.append(name)
      messages.append(handler)
    }
  }

  mutating func add(phase: UInt32, _ name: String, _ handler: PhasePart.Handler) {
    phases.removeAll { $0.phase == phase && $0.name == name }
    phases.append(PhasePart(name: name, phase: phase, handler: handler))
  }

  mutating func add(service: String, method: UInt32, _ handler: Service) {
    services.removeAll { $0.service == service && $0.method == method }
    services.append(ServiceMethod(service: service, method: method, handler: handler))
  }

  mutating func add(event pattern: String, _ handler: Listener) {
    let pattern = EventPattern(pattern)
    listeners.removeAll { $0.pattern == pattern }
    listeners.append(EventListener(pattern: pattern, handler: handler))
  }
}

/// The three callbacks of a socket.
struct SocketHandler {
  let open: (AnyObject, Request, Connection) throws -> UInt64
  let message: (AnyObject, Connection, Message) -> Void
  let closed: (AnyObject, Connection, CloseReason) -> Void
}

/// Which event types a listener takes, as under `listens` in the manifest: `*` stands for one word, and
/// as the last word for one or more.
struct EventPattern: Equatable {
  private let words: [Substring]

  init(_ pattern: String) {
    words = pattern.split(separator: ".", omittingEmptySubsequences: false)
  }

  func matches(_ type: String) -> Bool {
    let parts = type.split(separator: ".", omittingEmptySubsequences: false)
    guard words.last == "*" ? parts.count >= words.count : parts.count == words.count else {
      return false
    }
    return zip(words, parts).allSatisfy { $0 == "*" || $0 == $1 }
  }
}
