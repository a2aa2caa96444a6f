/// The handlers of one plugin, in the order of their registration. Built at load, never changed after.
@usableFromInline
struct HandlerPlan {
  @usableFromInline
  enum Route {
    case synchronous((AnyObject, Request) throws -> Response)
    case asynchronous((AnyObject, Request) async throws -> Response)
  }

  enum Service {
    case synchronous((AnyObject, ServiceCall) throws -> [UInt8])
    case asynchronous((AnyObject, ServiceCall) async throws -> [UInt8])
  }

  enum Listener {
    case synchronous((AnyObject, Event) throws -> Void)
    case asynchronous((AnyObject, Event) async throws -> Void)
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
  private(set) var services: [ServiceMethod] = []
  private(set) var listeners: [EventListener] = []
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

/// Which event types a listener takes: one type, or all that begin with what stands before a final `*`.
struct EventPattern: Equatable {
  private let prefix: String
  private let isPrefix: Bool

  init(_ pattern: String) {
    isPrefix = pattern.hasSuffix("*")
    prefix = isPrefix ? String(pattern.dropLast()) : pattern
  }

  func matches(_ type: String) -> Bool {
    isPrefix ? type.hasPrefix(prefix) : type == prefix
  }
}
