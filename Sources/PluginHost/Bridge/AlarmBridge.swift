internal import CSluice
internal import EventLoop
internal import Gateway
internal import Store

/// `sluice.alarm/1` (ext/alarm.h).
enum AlarmBridge {
  static let table = PermanentTable(
    sluice_alarm_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_alarm_v1_t>.size), reserved: 0,
      set: { host, time, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard isTime(time) else { return SLUICE_E_INVALID }
        let promise = shard.promise(completion, context)
        let gateway = shard.instance.host
        let alarm = Alarm(tenant: shard.tenant, plugin: shard.plugin.manifest.id)
        let isStatic = gateway.registry.record(alarm.tenant)?.isStatic ?? false
        let alarms = gateway.alarms!
        Task {
          guard let error = await alarms.set(alarm, at: time, isStatic: isStatic) else {
            return shard.keepLater(promise, SLUICE_OK, nil)
          }
          gateway.trouble.failed(error, tenant: Store.controlTenant, plugin: alarm.plugin)
          shard.keepLater(promise, error.status, Array(error.text.utf8))
        }
        return SLUICE_PENDING
      },
      done: { host, wake, outcome, next in
        let shard = shard(host)
        guard outcome < 0 || next == SLUICE_ALARM_NONE || isTime(next) else {
          return SLUICE_E_INVALID
        }
        let ending: AlarmOutcome =
          outcome < 0
          ? .failed("the plugin says status \(outcome)")
          : .done(next == SLUICE_ALARM_NONE ? nil : next)
        guard shard.eventLoop.isCurrent else {
          let isTaken = shard.eventLoop.post { shard.endWake(wake, ending) }
          return isTaken ? SLUICE_OK : SLUICE_E_STALE
        }
        return shard.endWake(wake, ending) ? SLUICE_OK : SLUICE_E_STALE
      }))

  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_alarm_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_alarm_v1_t>.size), reserved: 0,
      set: { host, time, completion, context in
        CallCheck.onLoop(host, "sluice.alarm/1 set") ?? plain.set(host, time, completion, context)
      },
      done: { host, wake, outcome, next in
        CallCheck.anyThread(host, "sluice.alarm/1 done") ?? plain.done(host, wake, outcome, next)
      }))

  private static func isTime(_ time: Int64) -> Bool { (0...SLUICE_ALARM_LAST).contains(time) }
}

/// A wake-up in the plugin's hands.
struct ShardWake {
  let deadline: Timer
  let answer: (AlarmOutcome) -> Void
}

extension Shard {
  /// Wakes the plugin; `answer` is called once. [loop-thread]
  func wake(_ answer: @escaping (AlarmOutcome) -> Void) {
    guard isOpen, let table = plugin.alarm else { return answer(.cut) }
    let token = nextNumber()
    let seconds = plugin.manifest.limits.alarmSeconds
    let deadline = eventLoop.timer { [unowned self] in
      endWake(token, .failed("it has not ended within \(seconds) s"))
    }
    deadline.start(after: UInt64(seconds) * 1_000)
    wakes[token] = ShardWake(deadline: deadline, answer: answer)
    let status = call("wake") { table.pointee.wake(value, token) }
    if status < 0 {
      endWake(token, .failed("the plugin says status \(status)"))
    } else if status != SLUICE_PENDING {
      endWake(token, .done(nil))
    }
  }

  /// Ends a wake-up; false when it has ended before. [loop-thread]
  @discardableResult
  func endWake(_ token: UInt64, _ outcome: AlarmOutcome) -> Bool {
    guard let wake = wakes.removeValue(forKey: token) else { return false }
    wake.deadline.close()
    wake.answer(outcome)
    return true
  }

  /// Ends those in the plugin's hands, when the shard closes. [loop-thread]
  func cutWakes() { for token in wakes.keys.sorted() { endWake(token, .cut) } }
}
