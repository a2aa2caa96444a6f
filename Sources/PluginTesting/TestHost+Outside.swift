internal import CSluice
public import PluginKit

// What the world outside the plugin does: time, other plugins, channels.

extension TestHost {
  /// Now, on the clock that only the test moves. It begins at 2026-01-01T00:00:00Z.
  public var now: Timestamp { Timestamp(unixMilliseconds: world.shared.now) }

  /// Moves the clock, calls the timers that are due and wakes the plugin, in order; then waits for what they began.
  public func advance(milliseconds: Int) async throws {
    let end = world.shared.now.addingClamped(Int64(milliseconds))
    while true {
      let isDone = try await onLoop { world in
        let next = world.timers.min { ($0.value.due, $0.key) < ($1.value.due, $1.key) }
        let alarm = world.wakeToken == 0 ? world.alarm?.tryAt ?? .max : .max
        if alarm <= end, alarm < next?.value.due ?? .max {
          world.shared.advance(to: alarm)
          world.wake()
          return false
        }
        guard let (token, timer) = next, timer.due <= end else {
          world.shared.advance(to: end)
          return true
        }
        world.shared.advance(to: timer.due)
        if timer.distance > 0 {
          world.timers[token]?.due = timer.due.addingClamped(timer.distance)
        } else {
          world.timers[token] = nil
        }
        timer.function(timer.context, SLUICE_OK, sluice_slice_t(bytes: nil, length: 0))
        return false
      }
      try await settle()
      if isDone { return }
    }
  }

  /// What `sluice.secrets/1` holds under a name; set it before or while the plugin runs.
  public func setSecret(_ name: String, _ value: [UInt8]?) async throws {
    try await onLoop { $0.secrets[name] = value }
  }

  /// Runs a statement on the plugin's own tables: for what an earlier version of the plugin, or a crash, has left there.
  ///
  /// - Returns: the rows, each value as text.
  /// - Throws: what the store does.
  @discardableResult
  public func execute(_ sql: String) async throws -> [[String]] {
    try await world.store.execute(sql)
  }

  /// The folder that `sluice.files/1` gives the plugin; it goes with the host.
  public var filesFolder: String { world.filesFolder }

  /// A sealed secret as the plugin left it; nil when there is none.
  public func secret(_ name: String) async throws -> [UInt8]? {
    try await onLoop { $0.secrets[name] }
  }

  /// Publishes an ephemeral event as another plugin would, and waits for what follows.
  public func publish(_ channel: String, type: String? = nil, data: RawJSON) async throws {
    try await onLoop { world in
      let publication = TestPublication(
        sequence: 0, offset: 0, time: world.shared.now, type: type, id: world.eventID(),
        channel: channel, epoch: nil, data: data)
      world.later { world.deliver(publication) }
    }
    try await settle()
  }

  /// What the plugin has published without history.
  public var published: [TestPublication] {
    get async throws { try await onLoop { $0.published } }
  }

  /// What has been committed, by the plugin's batches and by `deliver`.
  public var events: [TestPublication] {
    get async throws { try await onLoop { $0.events } }
  }

  /// What a channel's history holds now, oldest first, at most a thousand events of it.
  public func history(of channel: String) async throws -> [TestPublication] {
    try await world.store.history(of: channel).map { TestPublication($0) }
  }

  /// How often the plugin had the tenant's credentials asked for again (`forgetIdentities`).
  public var identitiesForgotten: Int {
    get async throws { try await onLoop { $0.forgotten } }
  }

  /// The channels that the plugin has subscribed to.
  public var subscriptions: [String] {
    get async throws { try await onLoop { $0.subscriptions.map(\.channel) } }
  }

  /// Commits an event as another plugin would and hands it to the plugin's listener.
  ///
  /// - Returns: how the listener ended it; negative has it come again later in a gateway.
  @discardableResult
  public func deliver(
    _ type: String, channel: String? = nil, data: RawJSON
  ) async throws -> Status {
    let id = "evt_\(world.shared.random(6).map { String($0, radix: 16) }.joined())"
    _ = try await world.store.emit(type: type, channel: channel, data: data.bytes, id: id)
    try await settle()
    let outcome = TestPromise<Status>()
    try await onLoop { world in
      guard world.handlers.listener != nil else {
        throw TestFailure("the plugin listens to nothing")
      }
      guard let event = world.events.first(where: { $0.id == id }) else {
        throw TestFailure("the event was not committed")
      }
      let token = world.token()
      world.deliveries[token] = (
        Int64(event.sequence), { outcome.fulfil(Status(rawValue: $0)) }
      )
      world.later {
        var value = world.event(event)
        let status = world.handlers.listener?.pointee.event(world.shard, &value, token)
        if let status, status != SLUICE_PENDING {
          world.deliveries[token] = nil
          outcome.fulfil(Status(rawValue: status))
        }
      }
    }
    return try await outcome.value("the listener has not ended the delivery after 10 s")
  }

  /// Provides a method of a service that the plugin calls.
  ///
  /// Throw `HostError` from `answer` to answer with its status.
  public func provide<Query: Decodable & SendableMetatype, Reply: Encodable & SendableMetatype>(
    _ service: String, key: String? = nil, method: UInt32,
    _ answer: @escaping @Sendable (Query) throws -> Reply
  ) async throws {
    try await onLoop { world in
      world.providers.append(
        TestProvider(service: service, key: key, method: method) { bytes in
          try JSON.encode(try answer(try JSON.decode(Query.self, from: bytes)))
        })
    }
  }

  /// Calls a method of a service that the plugin provides.
  ///
  /// - Throws: `HostError` with the plugin's status and words.
  public func call<Query: Encodable, Reply: Decodable>(
    _ service: String, key: String? = nil, method: UInt32, _ query: Query,
    as reply: Reply.Type = Reply.self
  ) async throws -> Reply {
    try JSON.decode(
      reply,
      from: try await call(service, key: key, method: method, bytes: try JSON.encode(query)))
  }

  /// As the other, with bytes both ways.
  public func call(
    _ service: String, key: String? = nil, method: UInt32, bytes: [UInt8]
  ) async throws -> [UInt8] {
    let answer = TestPromise<(status: Int32, bytes: [UInt8])>()
    try await onLoop { world in
      guard world.handlers.provider != nil else {
        throw TestFailure("the plugin provides no service")
      }
      let token = world.token()
      world.calls[token] = { answer.fulfil(($0, $1)) }
      world.later {
        let status = world.handlers.provider?.pointee.call(
          world.shard, world.lend(Array(service.utf8)),
          key.map { world.lend(Array($0.utf8)) } ?? sluice_slice_t(bytes: nil, length: 0),
          method, world.lend(bytes), token)
        if let status, status < 0 {
          world.calls[token] = nil
          answer.fulfil((status, []))
        }
      }
    }
    let (status, reply) = try await answer.value("the service has not answered after 10 s")
    guard status >= 0 else {
      throw HostError(Status(rawValue: status), String(decoding: reply, as: UTF8.self))
    }
    return reply
  }

  /// The tenants that the plugin has made through `sluice.tenants/1`.
  public var tenants: TestTenants {
    get async throws { try await onLoop { $0.tenants } }
  }

  /// Whether the tenant's plan lets it store more, as `store.checkRoom()` is told.
  public func setRoom(_ hasRoom: Bool) async throws {
    try await onLoop { $0.hasRoom = hasRoom }
  }

  /// Whether the tenant's plan lets another connection be open: an answer without a length is else 403 `quota_exceeded`.
  public func setConnectionRoom(_ hasRoom: Bool) async throws {
    try await onLoop { $0.hasConnectionRoom = hasRoom }
  }

  /// What `sluice.tenants/1` answers as installed, and the tenants there are.
  public func setTenants(_ tenants: TestTenants) async throws {
    try await onLoop { $0.tenants = tenants }
  }
}
