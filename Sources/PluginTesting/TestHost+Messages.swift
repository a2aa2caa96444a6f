internal import CSluice
@_spi(PluginTesting) public import PluginKit

extension TestHost {
  /// Sends the plugin a message of a client, as whoever owns the sockets would. Neither scopes nor schema are checked.
  ///
  /// - Parameter handler: as the manifest calls it under `messages`.
  /// - Returns: the reply.
  /// - Throws: `TestMessageRefused` with what the sender is told; `TestFailure` when the plugin has no such handler, or has
  ///   not replied within 10 s.
  public func say(
    _ handler: String, _ data: RawJSON, type: String = "test.message", as principal: Principal
  ) async throws -> RawJSON {
    let number = try await resolving { handlers in
      handlers.messages.flatMap { TestHost.number(handler, $0.pointee.resolve) }
    }
    guard let number else { throw TestFailure("the plugin takes no messages as \"\(handler)\"") }
    let answer = TestPromise<(status: Int32, bytes: [UInt8])>()
    try await onLoop { world in
      let token = world.token()
      world.calls[token] = { answer.fulfil(($0, $1)) }
      world.later {
        let sender = TestPrincipal(principal)
        var who = sender.value
        let status = world.handlers.messages?.pointee.message(
          world.shard, number, &who, world.lend(Array(type.utf8)), world.lend(data.bytes), token)
        if let status, status < 0 {
          world.calls[token] = nil
          answer.fulfil((status, []))
        }
      }
    }
    let (status, reply) = try await answer.value("the message has not been answered after 10 s")
    guard status >= 0 else {
      throw TestMessageRefused(status: Status(rawValue: status), document: reply)
    }
    return RawJSON(unchecked: reply)
  }

  /// Takes the messages of a type that the plugin dispatches, as another plugin would.
  ///
  /// Throw `HostError` from `answer` to refuse with its status.
  public func take<Reply: Encodable & SendableMetatype>(
    _ type: String, _ answer: @escaping @Sendable (ClientMessage) throws -> Reply
  ) async throws {
    try await onLoop { $0.messageTakers[type] = { try JSON.encode(try answer($0)) } }
  }
}

/// A message that the plugin refused.
public struct TestMessageRefused: Error, Sendable {
  /// Why.
  public let status: Status
  /// What the sender is told: an object as ext/messages.h has it, or nothing.
  public let document: [UInt8]
}

/// Hands messages to what the test takes; nothing is checked against a schema.
let messagesTable = Constant {
  sluice_messages_v1_t(
    struct_size: $0, reserved: 0,
    dispatch: { host, sender, type, data, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.messages/1 dispatch") else { return SLUICE_E_WRONG_THREAD }
      guard
        let principal = world.connections[sender]?.principal.principal
          ?? world.exchanges[sender]?.principal.principal
      else { return SLUICE_E_STALE }
      guard let take = world.messageTakers[type.text] else { return SLUICE_E_NOT_FOUND }
      let bytes = data.bytes == nil ? Array("{}".utf8) : data.array
      let message = ClientMessage(
        type: type.text, principal: principal, data: RawJSON(unchecked: bytes))
      return world.complete(completion, context) { try take(message) }
    },
    reply: { host, message, status, reply in
      let world = TestWorld.of(host)
      let bytes = reply.array
      world.later { world.calls.removeValue(forKey: message)?(status, bytes) }
      return SLUICE_OK
    },
    admit: { host, sender in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.messages/1 admit") else { return SLUICE_E_WRONG_THREAD }
      guard world.admissible > 0 else { return SLUICE_E_LIMITED }
      world.admissible -= 1
      return SLUICE_OK
    },
    count: { host, connection, messages in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.messages/1 count") else { return SLUICE_E_WRONG_THREAD }
      world.countedMessages += Int(messages)
      return SLUICE_OK
    })
}

extension TestHost {
  /// How much more clients may ask the plugin itself for over sockets, before it is `rate_limited`; as much as they like until it is set.
  public func setAdmissible(_ count: Int) async throws {
    try await onLoop { $0.admissible = count }
  }

  /// Messages of clients that the plugin has counted.
  public var countedMessages: Int {
    get async throws { try await onLoop { $0.countedMessages } }
  }
}

extension TestHost {
  /// What events of a type are called on sockets, as their owner's manifest would say.
  public func call(eventsOf type: String, _ name: String) async throws {
    try await onLoop { $0.socketNames[type] = TestMemory(Array(name.utf8)) }
  }

  /// What the manifests of the tenant's plugins would say of their events: an array as ext/event-types.h has it.
  ///
  /// What a plugin was lent before stays what it was for as long as the host is there.
  public func setEventTypes(_ list: RawJSON) async throws {
    try await onLoop { world in
      world.formerEventTypes.append(world.eventTypes)
      world.eventTypes = TestMemory(list.bytes)
    }
  }
}

let eventTypesTable = Constant {
  sluice_event_types_v1_t(
    struct_size: $0, reserved: 0,
    list: { host in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.event-types/1 list") else {
        return sluice_slice_t(bytes: nil, length: 0)
      }
      return world.eventTypes.slice
    })
}

let eventNamesTable = Constant {
  sluice_event_names_v1_t(
    struct_size: $0, reserved: 0,
    socket_name: { host, type, target in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.event-names/1 socket_name") else { return SLUICE_E_WRONG_THREAD }
      guard let name = world.socketNames[type.text] else { return SLUICE_E_NOT_FOUND }
      target.pointee = name.slice
      return SLUICE_OK
    })
}
