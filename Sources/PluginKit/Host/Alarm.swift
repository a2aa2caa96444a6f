internal import CSluice

/// `sluice.alarm/1`: being woken at a time, whatever happens until then. Loop thread only.
///
/// The plugin has one alarm for each tenant. What it does when woken stands in ``Registry/alarm(_:)``.
public struct Alarm {
  unowned(unsafe) let context: ShardContext

  /// Commits a batch whose rows want the plugin woken at a time: the alarm is set before it, since a crash may come between, and again
  /// behind it, since a wake-up may have that did not see the rows.
  ///
  /// - Throws: as ``set(_:)`` and `Store.commit`. When the batch is committed and the alarm cannot be set again that is logged, and not thrown.
  @discardableResult
  public func commit(_ batch: Batch, wakingAt time: Timestamp) async throws -> Commit {
    try await set(time)
    let commit = try await context.store.commit(batch)
    do {
      try await set(time)
    } catch {
      if context.isOpen { context.log.error("an alarm cannot be set", ["error": "\(error)"]) }
    }
    return commit
  }

  /// Has the plugin woken at a time, or earlier where that is set already; returns when it is durable.
  ///
  /// Rows that need it are committed by ``commit(_:wakingAt:)``.
  ///
  /// - Throws: `HostError`: `.invalid` for a time before 1970 or after 9999, or what a batch that cannot be written has;
  ///   `ExtensionUnavailable`.
  public func set(_ time: Timestamp) async throws {
    let (alarm, host) = try context.link.require("sluice.alarm/1", sluice_alarm_v1_t.self)
    try await context.callForStatus {
      alarm.pointee.set(host, time.unixMilliseconds, $0, $1)
    }
  }
}

extension Registry {
  /// What is due when the plugin is woken. It returns when it is to be woken next, or nil; a time that is past brings it
  /// back a moment later, for work done in slices. Throwing has it woken again after a pause.
  ///
  /// It is called at least once for an alarm, and may be called when nothing is due. One call at a time: where the gateway does not wait for
  /// one any longer and wakes again, the next begins when it has ended.
  public mutating func alarm(
    _ handler: nonisolated(nonsending) @escaping (Shard) async throws -> Timestamp?
  ) {
    plan.alarm = { try await handler(unsafeDowncast($0, to: Shard.self)) }
  }

  /// A handler that is a method of the shard: `on.alarm(Notes.remind)`.
  public mutating func alarm(
    _ handler: @escaping (Shard) -> nonisolated(nonsending) () async throws -> Timestamp?
  ) {
    plan.alarm = { try await handler(unsafeDowncast($0, to: Shard.self))() }
  }
}

extension ShardContext {
  /// The alarm's time has come: `sluice.alarm-handler/1`.
  func wake(_ token: sluice_token_t) -> sluice_status_t {
    guard let function = handlers.plan.alarm, let shard else { return SLUICE_E_UNAVAILABLE }
    guard let (alarm, host) = link.find("sluice.alarm/1", sluice_alarm_v1_t.self) else {
      log.error("\(ExtensionUnavailable("sluice.alarm/1"))")
      return SLUICE_E_DENIED
    }
    guard !isBeingWoken else {
      // For the host the last one's time is over; its handler goes on, and this one comes behind it.
      nextWake = token
      return SLUICE_PENDING
    }
    isBeingWoken = true
    executor.enter()
    defer { executor.leave() }
    keep { [self] in
      var wake: sluice_token_t? = token
      while let token = wake, isOpen {
        let (status, next) = await outcome(of: function, shard)
        if isOpen { _ = alarm.pointee.done(host, token, status, next) }
        (wake, nextWake) = (nextWake, nil)
      }
      isBeingWoken = false
    }
    return SLUICE_PENDING
  }

  /// What the plugin says when it has been woken: a status, and the next time.
  private func outcome(
    of function: (AnyObject) async throws -> Timestamp?, _ shard: AnyObject
  ) async -> (sluice_status_t, Int64) {
    do {
      guard let time = try await function(shard)?.unixMilliseconds else {
        return (SLUICE_OK, SLUICE_ALARM_NONE)
      }
      return (SLUICE_OK, min(max(time, 0), SLUICE_ALARM_LAST))
    } catch {
      let answer = ErrorAnswer(error)
      if case .unexpected(let error) = answer, isOpen {
        log.error("the plugin failed when it was woken", ["error": "\(error)"])
      }
      return (answer.status, SLUICE_ALARM_NONE)
    }
  }
}
