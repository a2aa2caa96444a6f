internal import CSluice
internal import PluginKit

let websocketTable = Constant {
  sluice_websocket_v1_t(
    struct_size: $0, reserved: 0,
    send: { host, connection, kind, message in
      let world = TestWorld.of(host)
      let bytes = message.array
      guard kind != SLUICE_MESSAGE_TEXT || String(validating: bytes, as: UTF8.self) != nil else {
        return SLUICE_E_INVALID
      }
      guard world.loop.isCurrent else {
        world.later { _ = world.send(kind, bytes, to: connection) }
        return SLUICE_OK
      }
      return world.send(kind, bytes, to: connection)
    },
    close: { host, connection, code, reason in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.websocket/1 close") else { return SLUICE_E_WRONG_THREAD }
      guard code == 1000 || (3000...4999).contains(code), reason.length <= 123 else {
        return SLUICE_E_INVALID
      }
      guard let peer = world.connections[connection], peer.closing == nil else {
        return SLUICE_E_STALE
      }
      let why = CloseReason(code: Int(code), text: reason.text)
      peer.closing = why
      // The peer answers the closing handshake with the same code.
      world.later { world.end(connection, why) }
      return SLUICE_OK
    },
    queued: { host, connection in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.websocket/1 queued") else { return 0 }
      return UInt64(world.connections[connection]?.queued ?? 0)
    },
    principal: { host, connection, principal in
      let world = TestWorld.of(host)
      principal.pointee = TestPrincipal.anonymous
      guard world.isOnLoop("sluice.websocket/1 principal") else { return SLUICE_E_WRONG_THREAD }
      guard let peer = world.connections[connection] else { return SLUICE_E_STALE }
      principal.pointee = peer.principal.value
      return SLUICE_OK
    })
}

let groupsTable = Constant {
  sluice_groups_v1_t(
    struct_size: $0, reserved: 0,
    create: { host in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.groups/1 create"), world.groups.count < 65_536 else { return 0 }
      let token = world.token()
      world.groups[token] = []
      return token
    },
    destroy: { host, group in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.groups/1 destroy") else { return SLUICE_E_WRONG_THREAD }
      return world.groups.removeValue(forKey: group) == nil ? SLUICE_E_STALE : SLUICE_OK
    },
    add: { host, group, connection in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.groups/1 add") else { return SLUICE_E_WRONG_THREAD }
      guard world.groups[group] != nil, world.connections[connection] != nil else {
        return SLUICE_E_STALE
      }
      world.groups[group]?.insert(connection)
      return SLUICE_OK
    },
    remove: { host, group, connection in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.groups/1 remove") else { return SLUICE_E_WRONG_THREAD }
      guard world.groups[group] != nil else { return SLUICE_E_STALE }
      return world.groups[group]?.remove(connection) == nil ? SLUICE_E_NOT_FOUND : SLUICE_OK
    },
    send: { host, group, kind, message in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.groups/1 send") else { return SLUICE_E_WRONG_THREAD }
      guard let members = world.groups[group] else { return SLUICE_E_STALE }
      let bytes = message.array
      for member in members { _ = world.send(kind, bytes, to: member) }
      return SLUICE_OK
    },
    count: { host, group in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.groups/1 count") else { return 0 }
      return UInt64(world.groups[group]?.count ?? 0)
    })
}

/// The other end of a WebSocket. Loop thread.
final class TestPeer {
  let principal: TestPrincipal
  let handler: UInt32
  var context: UInt64 = 0
  var received: [TestMessage] = []
  var closing: CloseReason?
  /// What a slow peer has not taken; set by the test.
  var isReading = true
  var queued = 0
  var waiters: [(count: Int, resume: @Sendable ([TestMessage]) -> Void)] = []
  let ended: @Sendable (CloseReason) -> Void

  init(
    _ principal: Principal, handler: UInt32, ended: @escaping @Sendable (CloseReason) -> Void
  ) {
    self.principal = TestPrincipal(principal)
    self.handler = handler
    self.ended = ended
  }
}

extension TestWorld {
  /// What a peer that does not read may have queued before it is closed as slow.
  static let queueBound = 1 << 20

  func send(_ kind: UInt32, _ bytes: [UInt8], to connection: UInt64) -> sluice_status_t {
    guard let peer = connections[connection], peer.closing == nil else { return SLUICE_E_STALE }
    if !peer.isReading {
      peer.queued += bytes.count
      if peer.queued > TestWorld.queueBound {
        let why = CloseReason(code: 3008, text: "slow")
        peer.closing = why
        later { self.end(connection, why) }
        return SLUICE_E_OVERLOADED
      }
    }
    peer.received.append(
      TestMessage(isText: kind == SLUICE_MESSAGE_TEXT, bytes: bytes))
    let ready = peer.waiters.filter { $0.count <= peer.received.count }
    peer.waiters.removeAll { $0.count <= peer.received.count }
    for waiter in ready { waiter.resume(peer.received) }
    return SLUICE_OK
  }

  /// The connection has ended.
  func end(_ connection: UInt64, _ reason: CloseReason) {
    guard let peer = connections[connection] else { return }
    handlers.websocket?.pointee.closed(
      shard, peer.handler, peer.context, connection, UInt32(reason.code),
      lend(Array(reason.text.utf8)))
    connections[connection] = nil
    for group in groups.keys { groups[group]?.remove(connection) }
    for waiter in peer.waiters { waiter.resume(peer.received) }
    peer.ended(reason)
  }
}
