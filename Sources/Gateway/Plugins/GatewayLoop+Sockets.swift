public import CSluice
internal import EventLoop
internal import Wire

/// What a plugin may do with its WebSockets and groups. [loop-thread]; `owner` as for requests.
extension GatewayLoop {
  private func socket(_ token: UInt64, _ owner: Generation) -> SocketPointer? {
    guard let memory = state.pointee.tokens.resolve(token, .socket) else { return nil }
    let socket = memory.assumingMemoryBound(to: SocketState.self)
    return socket.pointee.generation.toOpaque() == Unmanaged.passUnretained(owner).toOpaque()
      ? socket : nil
  }

  private func group(_ token: UInt64, _ owner: Generation) -> GroupPointer? {
    guard let group = state.group(token),
      group.pointee.owner == Unmanaged.passUnretained(owner).toOpaque()
    else {
      return nil
    }
    return group
  }

  private func opcode(_ kind: UInt32, _ message: UnsafeRawBufferPointer) -> Opcode? {
    switch kind {
    case SLUICE_MESSAGE_TEXT: UTF8Validator.isValid(message) ? .text : nil
    case SLUICE_MESSAGE_BINARY: .binary
    default: nil
    }
  }

  /// Queues one message.
  public func send(
    _ token: UInt64, _ kind: UInt32, _ message: UnsafeRawBufferPointer, of owner: Generation
  ) -> Int32 {
    guard let socket = socket(token, owner), socket.canSend else { return SLUICE_E_STALE }
    guard let opcode = opcode(kind, message) else { return SLUICE_E_INVALID }
    return socket.send(opcode, message) ? SLUICE_OK : SLUICE_E_OVERLOADED
  }

  /// Starts the closing handshake.
  public func close(
    _ token: UInt64, _ code: UInt32, _ reason: UnsafeRawBufferPointer, of owner: Generation
  ) -> Int32 {
    guard let socket = socket(token, owner), socket.canSend else { return SLUICE_E_STALE }
    guard code == 1000 || (3000...4999).contains(code), reason.count <= 123,
      UTF8Validator.isValid(reason)
    else {
      return SLUICE_E_INVALID
    }
    socket.close(UInt16(code), reason)
    return SLUICE_OK
  }

  /// Bytes queued; 0 when stale.
  public func queued(_ token: UInt64, of owner: Generation) -> Int {
    socket(token, owner)?.queuedBytes ?? 0
  }

  /// Who opened the connection; nil when stale.
  public func socketPrincipal(_ token: UInt64, of owner: Generation) -> sluice_principal_v1_t? {
    guard let socket = socket(token, owner) else { return nil }
    guard let principal = socket.pointee.principal else { return Principal.anonymous.contract }
    return principal._withUnsafeGuaranteedRef { $0.contract }
  }

  /// Who sends messages on a WebSocket, or on a request that is pending; nil when it is stale.
  public func sender(_ token: UInt64, of owner: Generation) -> Principal? {
    if let socket = socket(token, owner) {
      return socket.pointee.principal?.takeUnretainedValue() ?? .anonymous
    }
    guard let request = request(token, owner) else { return nil }
    return request.pointee.principal?.takeUnretainedValue() ?? .anonymous
  }

  /// Puts another principal in the place of a connection's; nothing when there is no such connection of the owner's.
  public func renew(_ token: UInt64, _ principal: Principal, of owner: Generation) {
    if let socket = socket(token, owner) {
      socket.pointee.principal?.release()
      socket.pointee.principal = .passRetained(principal)
    } else if let request = request(token, owner) {
      request.renew(principal)
    }
  }

  /// Counts messages of a client: on a WebSocket, beside those that the host has counted, and it is closed where the plan allows no
  /// more; or of one whose answer is a pending request.
  public func count(_ messages: UInt32, on token: UInt64, of owner: Generation) -> Int32 {
    if let socket = socket(token, owner) {
      guard socket.canSend else { return SLUICE_E_STALE }
      return socket.isOverQuota(by: Int(messages)) ? SLUICE_E_DENIED : SLUICE_OK
    }
    guard request(token, owner) != nil, let tenant = owner.tenant else { return SLUICE_E_STALE }
    return state.isOverQuota(tenant, messages: Int(messages)) ? SLUICE_E_DENIED : SLUICE_OK
  }

  /// Who has sent more than may be sent, of those whose rates a message counts for.
  public enum MessageExcess: Sendable {
    case user
    case app
  }

  /// Counts a message as a request of its sender and of the tenant, in the order in which a request is; nil when it is not one too
  /// many for either.
  public func takesMessage(of tenant: String, from principal: Principal) -> MessageExcess? {
    guard let tenant = state.pointee.directory.tenant(tenant) else { return nil }
    let now = EventLoop.hrtime()
    if let limiter = state.userLimiter(of: principal, tenant), !limiter.take(now: now).isAllowed {
      state.pointee.metrics.add(.usersRateLimited)
      return .user
    }
    guard tenant.limiter.take(now: now).isAllowed else {
      state.pointee.metrics.add(.rateLimited)
      return .app
    }
    return nil
  }

  /// What a tenant's plan lets it store and what it does, where that is used up, which is counted as a refusal; nil while there
  /// is room.
  public func storageUsedUp(by tenant: String) -> (limit: Int, used: Int)? {
    guard let tenant = state.pointee.directory.tenant(tenant),
      tenant.usage.exceededBits & Quota.storage.bit != 0
    else { return nil }
    state.pointee.metrics.add(.quotasExceeded)
    return tenant.usage.state(of: .storage)
  }

  /// A new group of the owner's; 0 when there are too many.
  public func makeGroup(of owner: Generation) -> UInt64 {
    let token = state.makeGroup()
    state.group(token)?.pointee.owner = Unmanaged.passUnretained(owner).toOpaque()
    return token
  }

  /// Forgets a group.
  public func destroyGroup(_ token: UInt64, of owner: Generation) -> Int32 {
    guard let group = group(token, owner) else { return SLUICE_E_STALE }
    state.destroy(group)
    return SLUICE_OK
  }

  /// Adds a connection to a group.
  public func join(_ token: UInt64, _ connection: UInt64, of owner: Generation) -> Int32 {
    guard let group = group(token, owner), let socket = socket(connection, owner) else {
      return SLUICE_E_STALE
    }
    state.join(group, socket)
    return SLUICE_OK
  }

  /// Removes a connection from a group.
  public func leave(_ token: UInt64, _ connection: UInt64, of owner: Generation) -> Int32 {
    guard let group = group(token, owner), let socket = socket(connection, owner) else {
      return SLUICE_E_STALE
    }
    return state.leave(group, socket: socket) ? SLUICE_OK : SLUICE_E_NOT_FOUND
  }

  /// Sends to every member.
  public func sendToGroup(
    _ token: UInt64, _ kind: UInt32, _ message: UnsafeRawBufferPointer, of owner: Generation
  )
    -> Int32
  {
    guard let group = group(token, owner) else { return SLUICE_E_STALE }
    guard let opcode = opcode(kind, message) else { return SLUICE_E_INVALID }
    state.send(group, opcode, message)
    return SLUICE_OK
  }

  /// How many members there are.
  public func count(ofGroup token: UInt64, of owner: Generation) -> Int {
    group(token, owner)?.pointee.members.count ?? 0
  }
}
