internal import Bus
internal import CSluice
internal import Client
internal import EventLoop
internal import Gateway

/// What the host keeps for one loop.
///
/// `@unchecked Sendable`: confined to the loop's thread, but for `watch`; other threads only carry the reference.
final class LoopHost: @unchecked Sendable {
  let gateway: GatewayLoop
  let host: Host
  let watch: LoopWatch
  private var subscriptions = Subscriptions<(shard: Shard, context: UInt64)>()
  /// Leases on members of channels that this loop's shards hold.
  private var leases: Swift.Set<UInt64> = []
  private var calls: [UInt64: ServiceCall] = [:]
  private var lastCall: UInt64 = 0
  /// Memory that was handed to plugins as borrowed, until they have returned.
  private var scratch: [UnsafeMutableRawPointer] = []

  struct ServiceCall {
    /// Who was asked, and nobody else, replies.
    let provider: Shard
    /// nil: the plugin gave the reply already, or the host itself asked.
    let answer: (Int32, [UInt8]) -> Void
    /// Milliseconds of the loop's clock.
    let deadline: UInt64
  }

  /// What makes requests to others, from the first one on.
  private var requests: HTTPClient?

  init(_ gateway: GatewayLoop, host: Host) {
    self.gateway = gateway
    watch = LoopWatch(gateway.mark)
    self.host = host
  }

  /// Once a second: ends what has waited too long, and says that this loop's shards are alive.
  func sweep() {
    let used = gateway.takeUsedKeys()
    if !used.isEmpty { host.registry.note(used) }
    gateway.addUsage()
    let unixNow = Int64(gateway.eventLoop.unixMilliseconds)
    for lease in leases { host.presence.renew(lease, now: unixNow) }
    if gateway.index == 0 { host.presence.sweep(now: unixNow) }
    let now = gateway.eventLoop.now
    for (token, call) in calls where call.deadline <= now {
      calls[token] = nil
      call.answer(SLUICE_E_DEADLINE, Array("the provider did not answer in time".utf8))
    }
  }

  // MARK: - requests to others

  /// The loop's client. [loop-thread]
  func client() throws(ClientFailure) -> HTTPClient {
    if let requests { return requests }
    let made = try HTTPClient(
      loop: gateway.eventLoop, host.configuration.client, host.exchanges)
    requests = made
    return made
  }

  /// Closes connections to others, when the loop is about to stop. [loop-thread]
  func endClient() { requests?.close() }

  // MARK: - borrowed memory

  /// A copy of bytes that lives until the plugin returns from its outermost callback.
  func lend(_ bytes: UnsafeRawBufferPointer) -> sluice_slice_t {
    if !gateway.mark.pointee.isInside { releaseScratch() }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 16)
    if let base = bytes.baseAddress { memory.copyMemory(from: base, byteCount: bytes.count) }
    if scratch.isEmpty {
      gateway.eventLoop.post { [self] in releaseScratch() }
    }
    scratch.append(memory)
    return sluice_slice_t(UnsafeRawBufferPointer(start: memory, count: bytes.count))
  }

  private func releaseScratch() {
    for memory in scratch { memory.deallocate() }
    scratch = []
  }

  // MARK: - channels

  static let subscriptionLimit = 1_000_000

  func subscribe(_ shard: Shard, _ channel: String, _ context: UInt64) -> UInt64? {
    guard shard.subscriptions.count < Self.subscriptionLimit else { return nil }
    let key = ChannelKey(tenant: shard.tenant, channel: channel)
    let (token, isFirst) = subscriptions.add(key, (shard, context))
    shard.subscriptions.insert(token)
    if isFirst { host.bus.add(loop: gateway.index, to: key) }
    return token
  }

  func unsubscribe(_ token: UInt64) {
    guard let key = subscriptions.remove(token) else { return }
    host.bus.remove(loop: gateway.index, from: key)
  }

  /// Publishes to this and all other loops that want the channel.
  func publish(_ publication: Publication) { host.bus.publish([publication]) }

  /// Publications have come for this loop.
  func deliver(_ publications: [Publication]) {
    for publication in publications {
      let key = ChannelKey(tenant: publication.tenant, channel: publication.channel)
      let tokens = subscriptions.tokens(of: key)
      guard !tokens.isEmpty else { continue }
      publication.withEvent { event in
        for token in tokens {
          guard let (shard, context) = subscriptions[token], let table = shard.plugin.subscriber
          else { continue }
          shard.call("publication") { table.pointee.publication(shard.value, context, event) }
        }
      }
    }
  }

  // MARK: - presence

  func beginLease(tenant: String, at now: Int64) -> UInt64 {
    let lease = host.presence.open(tenant: tenant, now: now)
    leases.insert(lease)
    return lease
  }

  func end(_ lease: UInt64) {
    leases.remove(lease)
    host.presence.close(lease)
  }

  // MARK: - service calls

  static let callTimeout: UInt64 = 10_000

  /// Calls a provider; `answer` comes later on this loop, exactly once.
  func callService(
    _ provider: Shard, _ service: String, key: String?, method: UInt32,
    request: UnsafeRawBufferPointer,
    answer: @escaping (Int32, [UInt8]) -> Void
  ) {
    call(provider, "call", answer: answer) { token in
      guard let table = provider.plugin.provider else { return SLUICE_E_UNSUPPORTED }
      return withSlice(of: service) { service in
        guard let key else {
          return table.pointee.call(
            provider.value, service, .absent, method, sluice_slice_t(request), token)
        }
        return withSlice(of: key) { key in
          table.pointee.call(provider.value, service, key, method, sluice_slice_t(request), token)
        }
      }
    }
  }

  /// Calls a function of a plugin that replies; `answer` comes later on this loop, exactly once.
  ///
  /// - Parameter body: makes the call, with the token under which the reply comes.
  func call(
    _ provider: Shard, _ function: StaticString, answer: @escaping (Int32, [UInt8]) -> Void,
    _ body: (UInt64) -> Int32
  ) {
    lastCall += 1
    // The loop's number makes the token name its loop, for replies from elsewhere.
    let token = lastCall << 8 | UInt64(gateway.index)
    calls[token] = ServiceCall(
      provider: provider, answer: answer, deadline: gateway.eventLoop.now + Self.callTimeout)
    let status = provider.call(function) { body(token) }
    if status < 0 { reply(token, status, []) }
    if status == SLUICE_OK, calls[token] != nil, !repliesUnderWay.contains(token) {
      reply(token, SLUICE_E_INTERNAL, Array("the provider returned without a reply".utf8))
    }
  }

  private var repliesUnderWay: Swift.Set<UInt64> = []

  /// Takes a provider's reply: as ``reply(_:_:_:)``, and false also when it was another that was asked.
  func reply(_ token: UInt64, _ status: Int32, _ bytes: [UInt8], from provider: Shard) -> Bool {
    calls[token]?.provider === provider && reply(token, status, bytes)
  }

  /// Takes a reply; it is handed on later, never from inside the provider's call. False when it is stale.
  @discardableResult
  private func reply(_ token: UInt64, _ status: Int32, _ reply: [UInt8]) -> Bool {
    guard calls[token] != nil, repliesUnderWay.insert(token).inserted else { return false }
    gateway.eventLoop.post { [self] in
      repliesUnderWay.remove(token)
      calls.removeValue(forKey: token)?.answer(status, reply)
    }
    return true
  }
}

/// Calls `body` with the text as a slice.
func withSlice<T>(of text: String, _ body: (sluice_slice_t) -> T) -> T {
  var text = text
  return text.withUTF8 { body(sluice_slice_t(UnsafeRawBufferPointer($0))) }
}

extension Publication {
  /// Calls `body` with the publication as the contract shows it.
  func withEvent(_ body: (UnsafePointer<sluice_event_v1_t>) -> Void) {
    withSlice(of: type) { type in
      withSlice(of: id) { id in
        withSlice(of: channel) { channel in
          withSlice(of: epoch) { epoch in
            data.withUnsafeBytes { data in
              var event = sluice_event_v1_t(
                sequence: UInt64(sequence), offset: UInt64(offset), time_ms: time, type: type,
                id: id,
                channel: channel.length == 0 ? .absent : channel,
                epoch: epoch.length == 0 ? .absent : epoch,
                data: sluice_slice_t(data))
              body(&event)
            }
          }
        }
      }
    }
  }
}
