internal import CSluice
public import PluginKit

/// When the plugin is woken.
struct TestAlarm {
  var time: Int64
  /// Later than `time` after a wake-up that failed, or that wants another at once.
  var tryAt: Int64
}

extension TestHost {
  /// When the plugin is to be woken; nil when it has set no alarm. `advance(milliseconds:)` wakes it.
  public var alarm: Timestamp? {
    get async throws { try await onLoop { $0.alarm.map { Timestamp(unixMilliseconds: $0.time) } } }
  }

  /// Wakes the plugin now, as a gateway may do that was killed before it heard that the last wake-up had ended.
  public func wake() async throws {
    try await onLoop { world in
      guard world.handlers.alarm != nil else {
        throw TestFailure("the plugin does nothing when it is woken")
      }
      world.wake()
    }
    try await settle()
  }

  /// Wakes the plugin, and once more before it has ended that, as a gateway does when the time for it is over.
  public func wakeTwice() async throws {
    try await onLoop { world in
      guard world.handlers.alarm != nil else {
        throw TestFailure("the plugin does nothing when it is woken")
      }
      world.wake()
      _ = world.endWake(world.wakeToken, SLUICE_E_DEADLINE, SLUICE_ALARM_NONE)
      world.wake()
    }
    try await settle()
  }
}

extension TestWorld {
  /// Calls the plugin, unless it is being woken. Loop thread.
  func wake() {
    guard wakeToken == 0, let handler = handlers.alarm else { return }
    let token = self.token()
    (wakeToken, askedMeanwhile) = (token, nil)
    shared.begin()
    let status = handler.pointee.wake(shard, token)
    guard status != SLUICE_PENDING else { return }
    _ = endWake(token, status, SLUICE_ALARM_NONE)
  }

  func setAlarm(_ time: Int64) {
    if wakeToken != 0 { askedMeanwhile = min(askedMeanwhile ?? time, time) }
    guard time < alarm?.time ?? .max else { return }
    alarm = TestAlarm(time: time, tryAt: time)
  }

  func endWake(_ token: UInt64, _ outcome: sluice_status_t, _ next: Int64) -> Bool {
    guard token != 0, token == wakeToken else { return false }
    wakeToken = 0
    if outcome < 0 {
      let time = alarm?.time ?? shared.now
      alarm = TestAlarm(time: time, tryAt: shared.now.addingClamped(1_000))
    } else {
      let times = [next == SLUICE_ALARM_NONE ? nil : next, askedMeanwhile].compactMap(\.self)
      alarm = times.min().map {
        TestAlarm(time: $0, tryAt: max($0, shared.now.addingClamped(100)))
      }
    }
    end()
    return true
  }
}

let alarmTable = Constant {
  sluice_alarm_v1_t(
    struct_size: $0, reserved: 0,
    set: { host, time, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.alarm/1 set") else { return SLUICE_E_WRONG_THREAD }
      guard (0...SLUICE_ALARM_LAST).contains(time) else { return SLUICE_E_INVALID }
      world.setAlarm(time)
      world.complete(completion, context, SLUICE_OK)
      return SLUICE_PENDING
    },
    done: { host, wake, outcome, next in
      let world = TestWorld.of(host)
      guard outcome < 0 || next == SLUICE_ALARM_NONE || (0...SLUICE_ALARM_LAST).contains(next)
      else { return SLUICE_E_INVALID }
      guard world.loop.isCurrent else {
        world.loop.post { _ = world.endWake(wake, outcome, next) }
        return SLUICE_OK
      }
      return world.endWake(wake, outcome, next) ? SLUICE_OK : SLUICE_E_STALE
    })
}
