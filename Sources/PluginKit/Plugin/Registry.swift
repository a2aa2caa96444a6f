internal import CSluice

/// Where a shard type names its handlers, under the names that its manifest uses.
///
/// A name registered twice replaces the first. Handlers are either synchronous, called directly and
/// without a task, or `async`, run as a task on the shard's loop.
public struct Registry<Shard: PluginShard> {
  @usableFromInline var plan = HandlerPlan()

  @usableFromInline
  init() {}
}

// MARK: Routes

extension Registry {
  /// A synchronous handler of the routes whose `handler` is `name`: the fast path.
  @inlinable
  public mutating func route(
    _ name: String, _ handler: @escaping (Shard, Request) throws -> Response
  ) {
    plan.add(
      route: name,
      .synchronous { shard, request in
        try handler(unsafeDowncast(shard, to: Shard.self), request)
      })
  }

  /// A synchronous handler that is a method of the shard: `on.route("list", Notes.list)`.
  @inlinable
  public mutating func route(
    _ name: String, _ handler: @escaping (Shard) -> (Request) throws -> Response
  ) {
    route(name) { shard, request in try handler(shard)(request) }
  }

  /// A handler that may await; it runs on the shard's loop from its first line to its last.
  public mutating func route(
    _ name: String,
    _ handler: nonisolated(nonsending) @escaping (Shard, Request) async throws -> Response
  ) {
    plan.add(
      route: name,
      .asynchronous { shard, request in
        try await handler(unsafeDowncast(shard, to: Shard.self), request)
      })
  }

  /// A handler that may await and is a method of the shard: `on.route("create", Notes.create)`.
  public mutating func route(
    _ name: String,
    _ handler: @escaping (Shard) -> nonisolated(nonsending) (Request) async throws -> Response
  ) {
    plan.add(
      route: name,
      .asynchronous { shard, request in
        try await handler(unsafeDowncast(shard, to: Shard.self))(request)
      })
  }
}

// MARK: Phases

extension Registry {
  /// A part in the phase `authorize`: every request of the tenant, after the host has checked its
  /// credential. nil lets it go on; a `Response` answers it here, and so does a `Problem` thrown.
  public mutating func authorize(
    _ name: String, _ handler: @escaping (Shard, Request) throws -> Response?
  ) {
    add(SLUICE_PHASE_AUTHORIZE, name, handler)
  }

  /// As the other; it may await, and the request waits with it.
  public mutating func authorize(
    _ name: String,
    _ handler: nonisolated(nonsending) @escaping (Shard, Request) async throws -> Response?
  ) {
    add(SLUICE_PHASE_AUTHORIZE, name, handler)
  }

  /// A part in the phase `limit`: every request of the tenant, before its body is read. Results as in
  /// `authorize`.
  public mutating func limit(
    _ name: String, _ handler: @escaping (Shard, Request) throws -> Response?
  ) {
    add(SLUICE_PHASE_LIMIT, name, handler)
  }

  /// As the other; it may await, and the request waits with it.
  public mutating func limit(
    _ name: String,
    _ handler: nonisolated(nonsending) @escaping (Shard, Request) async throws -> Response?
  ) {
    add(SLUICE_PHASE_LIMIT, name, handler)
  }

  /// A part in the phase `respond`: an answer with this status is about to be sent; its body is not
  /// shown. `request.addHeader` adds to it. An error is logged, and the answer goes out.
  public mutating func respond(
    _ name: String, _ handler: @escaping (Shard, Request, _ status: Int) throws -> Void
  ) {
    plan.add(
      phase: SLUICE_PHASE_RESPOND, name,
      .spectator { shard, request in
        try handler(unsafeDowncast(shard, to: Shard.self), request, request.outcome.status)
      })
  }

  /// A part in the phase `observe`: a request has ended, however it did. An error is logged.
  public mutating func observe(
    _ name: String, _ handler: @escaping (Shard, Request, RequestOutcome) throws -> Void
  ) {
    plan.add(
      phase: SLUICE_PHASE_OBSERVE, name,
      .spectator { shard, request in
        try handler(unsafeDowncast(shard, to: Shard.self), request, request.outcome)
      })
  }

  private mutating func add(
    _ phase: UInt32, _ name: String, _ handler: @escaping (Shard, Request) throws -> Response?
  ) {
    plan.add(
      phase: phase, name,
      .synchronous { try handler(unsafeDowncast($0, to: Shard.self), $1) })
  }

  private mutating func add(
    _ phase: UInt32, _ name: String,
    _ handler: nonisolated(nonsending) @escaping (Shard, Request) async throws -> Response?
  ) {
    plan.add(
      phase: phase, name,
      .asynchronous { try await handler(unsafeDowncast($0, to: Shard.self), $1) })
  }
}

// MARK: Sockets

extension Registry {
  /// A WebSocket whose connections carry one number of the plugin's choosing.
  ///
  /// - Parameters:
  ///   - name: what the manifest calls it under `sockets`.
  ///   - open: a peer asks to connect. `request` is the handshake, readable until this returns. The
  ///     result comes back as `connection.context`. Throw a `Problem` to refuse.
  ///   - message: a whole message.
  ///   - closed: the connection has ended; the last call for it.
  public mutating func socket(
    _ name: String,
    open: @escaping (Shard, Request, Connection) throws -> UInt64,
    message: @escaping (Shard, Connection, Message) -> Void,
    closed: @escaping (Shard, Connection, CloseReason) -> Void
  ) {
    plan.add(
      socket: name,
      SocketHandler(
        open: { try open(unsafeDowncast($0, to: Shard.self), $1, $2) },
        message: { message(unsafeDowncast($0, to: Shard.self), $1, $2) },
        closed: { closed(unsafeDowncast($0, to: Shard.self), $1, $2) }))
  }

  /// A WebSocket with an object for each connection, which `open` makes and which is released after
  /// `closed`.
  public mutating func socket<Peer: AnyObject>(
    _ name: String, peer: Peer.Type = Peer.self,
    open: @escaping (Shard, Request, Connection) throws -> Peer,
    message: @escaping (Shard, Peer, Connection, Message) -> Void,
    closed: @escaping (Shard, Peer, Connection, CloseReason) -> Void
  ) {
    socket(
      name,
      open: { shard, request, connection in
        let peer = try open(shard, request, connection)
        return UInt64(UInt(bitPattern: Unmanaged.passRetained(peer).toOpaque()))
      },
      message: { shard, connection, text in
        guard let peer = Unmanaged<Peer>.from(context: connection.context) else { return }
        message(shard, peer.takeUnretainedValue(), connection, text)
      },
      closed: { shard, connection, reason in
        guard let peer = Unmanaged<Peer>.from(context: connection.context) else { return }
        closed(shard, peer.takeRetainedValue(), connection, reason)
      })
  }
}

// MARK: Services, channels, events

extension Registry {
  /// A method of a service that the manifest provides, answered at once.
  public mutating func service<Query: Decodable, Reply: Encodable>(
    _ service: String, method: UInt32,
    _ handler: @escaping (Shard, Query) throws -> Reply
  ) {
    plan.add(
      service: service, method: method,
      .synchronous { shard, call in
        try JSON.encode(
          try handler(unsafeDowncast(shard, to: Shard.self), try call.decode(Query.self)))
      })
  }

  /// A method of a service that the manifest provides, which may await.
  public mutating func service<Query: Decodable, Reply: Encodable>(
    _ service: String, method: UInt32,
    _ handler: nonisolated(nonsending) @escaping (Shard, Query) async throws -> Reply
  ) {
    plan.add(
      service: service, method: method,
      .asynchronous { shard, call in
        let query = try call.decode(Query.self)
        return try JSON.encode(
          try await handler(unsafeDowncast(shard, to: Shard.self), query))
      })
  }

  /// A method of a service with its payload as bytes, and the key under which it was called.
  public mutating func service(
    _ service: String, method: UInt32,
    bytes handler: nonisolated(nonsending) @escaping (Shard, ServiceCall) async throws -> [UInt8]
  ) {
    plan.add(
      service: service, method: method,
      .asynchronous { shard, call in
        try await handler(unsafeDowncast(shard, to: Shard.self), call)
      })
  }

  /// What is published in the channels that the shard has subscribed to through `Bus.subscribe`.
  ///
  /// - Parameter handler: the shard, the number given to `subscribe`, and the publication, which is
  ///   borrowed until the handler returns.
  public mutating func publication(
    _ handler: @escaping (Shard, UInt64, borrowing Publication) -> Void
  ) {
    plan.publication = { handler(unsafeDowncast($0, to: Shard.self), $1, $2) }
  }

  /// Events of one type, or of all types with a prefix ("notes.item.*"), that `listens` names.
  ///
  /// Returning means that the event is dealt with; throwing has it delivered again later. A reaction
  /// that writes names the event in its batch (`Batch(settling: event)`) and so happens exactly once.
  public mutating func event(
    _ pattern: String,
    _ handler: nonisolated(nonsending) @escaping (Shard, Event) async throws -> Void
  ) {
    event(mayPassOver: pattern) { (shard, event) async throws -> Hearing in
      try await handler(shard, event)
      return .settled
    }
  }

  /// As the other, with a handler that says whether anything came of the event.
  public mutating func event(
    mayPassOver pattern: String,
    _ handler: nonisolated(nonsending) @escaping (Shard, Event) async throws -> Hearing
  ) {
    plan.add(
      event: pattern,
      .asynchronous { try await handler(unsafeDowncast($0, to: Shard.self), $1) })
  }

  /// As the other, without a task.
  public mutating func event(
    _ pattern: String, _ handler: @escaping (Shard, Event) throws -> Void
  ) {
    plan.add(
      event: pattern,
      .synchronous {
        try handler(unsafeDowncast($0, to: Shard.self), $1)
        return .settled
      })
  }
}

/// What a listener has made of an event.
public enum Hearing: Sendable {
  /// It is dealt with, which is written down before the next one comes.
  case settled
  /// Nothing came of it. That is written down by and by, at no cost for each event; after a crash it may come again.
  case passedOver

  /// As the contract has it.
  var outcome: sluice_status_t {
    switch self {
    case .settled: SLUICE_OK
    case .passedOver: SLUICE_EVENT_PASSED_OVER
    }
  }
}

extension Unmanaged {
  /// The object whose address stands in a 64-bit context; nil for 0.
  static func from(context: UInt64) -> Unmanaged? {
    UnsafeRawPointer(bitPattern: UInt(context)).map { Unmanaged.fromOpaque($0) }
  }
}
