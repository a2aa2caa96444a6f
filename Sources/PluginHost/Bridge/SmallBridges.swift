internal import CSluice
internal import EventLoop
internal import Gateway
internal import Store
internal import Wire

/// `sluice.worker/1` (ext/worker.h).
enum WorkerBridge {
  static let table = PermanentTable(
    sluice_worker_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_worker_v1_t>.size), reserved: 0,
      submit: { host, job, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard let pool = shard.loop.host.workers(of: shard.plugin) else {
          return SLUICE_E_UNAVAILABLE
        }
        // Else it might never be without one that runs.
        guard !shard.takesNoWork else { return SLUICE_E_CANCELLED }
        let ticket = WorkTicket(job, context)
        let promise = shard.promise(completion, context)
        let isTaken = pool.submit {
          let status = ticket.run()
          shard.keepLater(promise, status, nil)
        }
        guard isTaken else {
          shard.withdraw(promise)
          return SLUICE_E_OVERLOADED
        }
        shard.work[promise] = ticket
        return SLUICE_PENDING
      }))
}

/// `sluice.loop/1` (ext/loop.h).
enum LoopBridge {
  static let limit = 65_536

  static let table = PermanentTable(
    sluice_loop_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_loop_v1_t>.size), reserved: 0,
      post: { host, function, context in
        let shard = shard(host)
        guard shard.posted.enter(limit: limit) else { return SLUICE_E_OVERLOADED }
        let isTaken = shard.eventLoop.post {
          shard.posted.leave()
          shard.call("posted") {
            function(context, shard.isOpen ? SLUICE_OK : SLUICE_E_CANCELLED, .absent)
          }
        }
        guard isTaken else {
          shard.posted.leave()
          return SLUICE_E_CANCELLED
        }
        return SLUICE_OK
      }))
}

/// `sluice.timer/1` (ext/timer.h).
enum TimerBridge {
  static let table = PermanentTable(
    sluice_timer_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_timer_v1_t>.size), reserved: 0,
      start: { host, delay, period, function, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent, shard.timers.count < shard.plugin.manifest.limits.timers
        else { return 0 }
        return shard.startTimer(delay, period, function, context)
      },
      cancel: { host, timer in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard let found = shard.timers.removeValue(forKey: timer) else { return SLUICE_E_STALE }
        found.close()
        return SLUICE_OK
      }))
}

/// `sluice.random/1` (ext/random.h).
enum RandomBridge {
  static let table = PermanentTable(
    sluice_random_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_random_v1_t>.size), reserved: 0,
      fill: { _, bytes, length in
        Entropy.fill(UnsafeMutableRawBufferPointer(start: bytes, count: Int(length)))
      }))
}

/// `sluice.clock/1` (ext/clock.h).
enum ClockBridge {
  static let table = PermanentTable(
    sluice_clock_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_clock_v1_t>.size), reserved: 0,
      unix_ms: { _ in SystemClock.unixMilliseconds() },
      monotonic_ns: { _ in EventLoop.hrtime() }))
}

/// `sluice.log/1` (ext/log.h).
enum LogBridge {
  static let table = PermanentTable(
    sluice_log_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_log_v1_t>.size), reserved: 0,
      write: { host, level, message, fields in
        let instance = instance(host)
        let known: Log.Level =
          switch level {
          case SLUICE_LOG_DEBUG: .debug
          case SLUICE_LOG_INFO: .info
          case SLUICE_LOG_WARNING: .warning
          default: .error
          }
        var inside = ""
        if fields.bytes != nil {
          guard let root = (try? JSONDocument(fields.raw))?.root, root.kind == .object else {
            return
          }
          inside = String(String(decoding: root.rawBytes, as: UTF8.self).dropFirst().dropLast())
          if inside.allSatisfy(\.isWhitespace) { inside = "" }
        }
        instance.host.log.write(
          known, String(message),
          members: [
            .init("tenant", .string(instance.tenant)),
            .init("plugin", .string(instance.plugin.manifest.id)),
          ], raw: inside.isEmpty ? "" : "\"fields\":{\(inside)}")
      }))
}

/// `sluice.metrics/1` (ext/metrics.h).
enum MetricsBridge {
  static let table = PermanentTable(
    sluice_metrics_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_metrics_v1_t>.size), reserved: 0,
      declare: { host, kind, name, help in
        guard kind == SLUICE_METRIC_COUNTER || kind == SLUICE_METRIC_GAUGE else { return 0 }
        let instance = instance(host)
        return instance.host.metrics.declare(
          instance.plugin.manifest.id, String(name), help: String(help),
          isGauge: kind == SLUICE_METRIC_GAUGE)
      },
      add: { host, metric, amount in instance(host).host.metrics.add(metric, amount) }))
}

/// `sluice.thread-check/1` (ext/thread-check.h).
enum ThreadCheckBridge {
  static let table = PermanentTable(
    sluice_thread_check_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_thread_check_v1_t>.size), reserved: 0,
      is_loop_thread: { host in
        host.pointee.loop_index != SLUICE_NO_LOOP && shard(host).eventLoop.isCurrent ? 1 : 0
      },
      is_control_thread: { host in instance(host).host.control.isCurrent ? 1 : 0 }))
}

/// `sluice.config/1` (ext/config.h).
enum ConfigBridge {
  static let table = PermanentTable(
    sluice_config_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_config_v1_t>.size), reserved: 0,
      get: { host in instance(host).config.slice },
      refuse: { host, pointer, message in
        let instance = instance(host)
        guard instance.host.control.isCurrent, instance.refusal.count < 16 else { return }
        instance.refusal.append(SettingsProblem(pointer: String(pointer), message: String(message)))
      }))
}
