internal import CSluice
internal import PluginKit

// store, bus, events, services, secrets

let storeTable = Constant {
  sluice_store_v1_t(
    struct_size: $0, reserved: 0,
    commit: { host, batch, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.store/1 commit") else { return SLUICE_E_WRONG_THREAD }
      let batch = batch.pointee
      if let refusal = world.refusal(ofEvents: batch) {
        world.complete(completion, context, SLUICE_E_INVALID, Array(refusal.utf8))
        return SLUICE_PENDING
      }
      var sequence: Int64?
      if batch.delivery != 0 {
        guard let delivery = world.deliveries[batch.delivery] else { return SLUICE_E_STALE }
        sequence = delivery.sequence
      }
      return world.tracking { done in
        world.store.commit(
          batch, delivered: sequence, makeID: world.eventID
        ) { status, bytes in done { world.complete(completion, context, status, bytes) } }
      }
    },
    read: { host, statements, count, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.store/1 read") else { return SLUICE_E_WRONG_THREAD }
      return world.tracking { done in
        world.store.read(UnsafeBufferPointer(start: statements, count: Int(count))) {
          status, bytes in
          done { world.complete(completion, context, status, bytes) }
        }
      }
    },
    room: { host in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.store/1 room") else { return SLUICE_E_WRONG_THREAD }
      return world.hasRoom ? SLUICE_OK : SLUICE_E_LIMITED
    })
}

let busTable = Constant {
  sluice_bus_v1_t(
    struct_size: $0, reserved: 0,
    subscribe: { host, channel, context, subscription in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.bus/1 subscribe") else { return SLUICE_E_WRONG_THREAD }
      let name = channel.text
      guard TestWorld.isChannel(name) else { return SLUICE_E_INVALID }
      let token = world.token()
      world.subscriptions.append((token, name, context))
      subscription.pointee = token
      return SLUICE_OK
    },
    unsubscribe: { host, subscription in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.bus/1 unsubscribe") else { return SLUICE_E_WRONG_THREAD }
      guard let index = world.subscriptions.firstIndex(where: { $0.token == subscription }) else {
        return SLUICE_E_STALE
      }
      world.subscriptions.remove(at: index)
      return SLUICE_OK
    },
    publish: { host, channel, type, data in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.bus/1 publish") else { return SLUICE_E_WRONG_THREAD }
      let name = channel.text
      guard TestWorld.isChannel(name) else { return SLUICE_E_INVALID }
      let publication = TestPublication(
        sequence: 0, offset: 0, time: world.shared.now, type: type.bytes == nil ? nil : type.text,
        id: world.eventID(), channel: name, epoch: nil, data: RawJSON(unchecked: data.array))
      world.published.append(publication)
      world.later { world.deliver(publication) }
      return SLUICE_OK
    },
    history: { host, channel, since, limit, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.bus/1 history") else { return SLUICE_E_WRONG_THREAD }
      guard (1...1_000).contains(limit) else { return SLUICE_E_INVALID }
      return world.tracking { done in
        world.store.history(channel.text, since: since, limit: limit) { status, bytes in
          done { world.complete(completion, context, status, bytes) }
        }
      }
    })
}

let eventsTable = Constant {
  sluice_events_v1_t(
    struct_size: $0, reserved: 0,
    done: { host, delivery, outcome in
      let world = TestWorld.of(host)
      world.later { world.deliveries.removeValue(forKey: delivery)?.done(outcome) }
      return SLUICE_OK
    })
}

let servicesTable = Constant {
  sluice_services_v1_t(
    struct_size: $0, reserved: 0,
    call: { host, service, key, method, request, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.services/1 call") else { return SLUICE_E_WRONG_THREAD }
      let name = service.text
      let key = key.bytes == nil ? nil : key.text
      let offered = world.providers.filter { $0.service == name && $0.key == key }
      guard !offered.isEmpty else { return SLUICE_E_NOT_FOUND }
      guard let provider = offered.first(where: { $0.method == method }) else {
        world.complete(completion, context, SLUICE_E_UNSUPPORTED)
        return SLUICE_PENDING
      }
      return world.complete(completion, context) { try provider.answer(request.array) }
    },
    reply: { host, call, status, reply in
      let world = TestWorld.of(host)
      let bytes = reply.array
      world.later { world.calls.removeValue(forKey: call)?(status, bytes) }
      return SLUICE_OK
    })
}

/// Asks what the test provides as `sluice.authenticator/1`.
let identifyTable = Constant {
  sluice_identify_v1_t(
    struct_size: $0, reserved: 0,
    identify: { host, purpose, credential, connection, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.identify/1 identify") else { return SLUICE_E_WRONG_THREAD }
      let kinds = [
        SLUICE_CREDENTIAL_BEARER: "bearer", SLUICE_CREDENTIAL_SUBSCRIPTION: "subscription",
      ]
      guard let kind = kinds[purpose] else { return SLUICE_E_INVALID }
      let provider = world.providers.first {
        $0.service == SLUICE_SERVICE_AUTHENTICATOR && $0.method == SLUICE_AUTHENTICATOR_IDENTIFY
      }
      guard let provider else { return SLUICE_E_UNAVAILABLE }
      return world.complete(completion, context) {
        let reply = try provider.answer(
          try JSON.encode(["kind": kind, "credential": credential.text]))
        if connection != 0 { try world.checkRenewal(of: connection, reply) }
        return reply
      }
    },
    forget: { host, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.identify/1 forget") else { return SLUICE_E_WRONG_THREAD }
      world.forgotten += 1
      world.complete(completion, context, SLUICE_OK)
      return SLUICE_PENDING
    })
}

let filesTable = Constant {
  sluice_files_v1_t(
    struct_size: $0, reserved: 0,
    folder: { host in
      let world = TestWorld.of(host)
      guard host.pointee.loop_index == SLUICE_NO_LOOP, world.control.isCurrent else {
        world.shared.violate("sluice.files/1 folder was called off the control thread")
        return sluice_slice_t(bytes: nil, length: 0)
      }
      return world.files.slice
    })
}

let secretsTable = Constant {
  sluice_secrets_v1_t(
    struct_size: $0, reserved: 0,
    get: { host, name in
      let world = TestWorld.of(host)
      guard world.loop.isCurrent || world.control.isCurrent else {
        _ = world.isOnLoop("sluice.secrets/1 get")
        return sluice_slice_t(bytes: nil, length: 0)
      }
      return world.secret(name.text)
    },
    put: { host, name, value, onlyIfAbsent, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.secrets/1 put") else { return SLUICE_E_WRONG_THREAD }
      let name = name.text
      guard name.hasPrefix(world.manifest.id + ".") else { return SLUICE_E_DENIED }
      guard value.length <= 65_536 else { return SLUICE_E_TOO_LARGE }
      let isTaken = onlyIfAbsent != 0 && world.secrets[name] != nil
      if !isTaken { world.secrets[name] = value.bytes == nil ? nil : value.array }
      world.complete(completion, context, isTaken ? SLUICE_E_CONFLICT : SLUICE_OK)
      return SLUICE_PENDING
    })
}

extension TestWorld {
  /// Counts a call to the store until its completion has been posted; `done` runs on any thread.
  func tracking(
    _ call: (@escaping @Sendable (() -> Void) -> Void) -> sluice_status_t
  ) -> sluice_status_t {
    shared.begin()
    let status = call { complete in
      complete()
      self.loop.post { self.end() }
    }
    if status < 0 { loop.post { self.end() } }
    return status
  }

  /// "evt_…", the same in every run.
  func eventID() -> String {
    "evt_" + String(shared.random(13).map { String($0 & 15, radix: 16) }.joined())
  }

  /// A name of 1 to 255 bytes without control characters.
  static func isChannel(_ name: String) -> Bool {
    (1...255).contains(name.utf8.count) && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }

  /// The text before the first colon, without a leading "$"; "" without a colon or behind a "#".
  static func namespace(of channel: String) -> String {
    let rest = channel.hasPrefix("$") ? channel.dropFirst() : channel[...]
    guard !rest.hasPrefix("#") else { return "" }
    return rest.firstIndex(of: ":").map { String(rest[..<$0]) } ?? ""
  }

  /// Why a batch's events are refused, if they are.
  fileprivate func refusal(ofEvents batch: sluice_batch_v1_t) -> String? {
    guard let emits = manifest.emits else { return nil }
    for event in UnsafeBufferPointer(start: batch.events, count: Int(batch.event_count)) {
      let type = event.type.text
      if !emits.contains(type) { return "\(type) does not stand under \"emits\" in the manifest" }
    }
    return nil
  }

  fileprivate func secret(_ name: String) -> sluice_slice_t {
    guard let value = secrets[name] else { return sluice_slice_t(bytes: nil, length: 0) }
    return lend(value)
  }
}

extension TestWorld {
  /// Only whoever has opened a connection goes on with it by another credential.
  fileprivate func checkRenewal(of connection: UInt64, _ reply: [UInt8]) throws {
    struct Somebody: Decodable {
      let kind: Principal.Kind
      let id: String
    }
    let principal =
      connections[connection]?.principal.principal ?? exchanges[connection]?.principal.principal
    guard let principal else { throw HostError(.stale, "identify") }
    let found = try JSON.decode(Somebody.self, from: reply)
    guard found.kind == principal.kind, found.id == principal.id else {
      throw HostError(.denied, "identify")
    }
  }
}
