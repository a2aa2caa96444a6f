internal import CSluice
internal import PluginKit

// config, clock, random, log, metrics, thread-check, loop, timer, worker

let configTable = Constant {
  sluice_config_v1_t(
    struct_size: $0, reserved: 0,
    get: { TestWorld.of($0).config.slice },
    refuse: { host, pointer, message in
      TestWorld.of(host).refusal.set(pointer.text, message.text)
    })
}

let clockTable = Constant {
  sluice_clock_v1_t(
    struct_size: $0, reserved: 0, unix_ms: { TestWorld.of($0).shared.now },
    monotonic_ns: { TestWorld.of($0).shared.monotonic })
}

let randomTable = Constant {
  sluice_random_v1_t(
    struct_size: $0, reserved: 0,
    fill: { host, bytes, length in
      let random = TestWorld.of(host).shared.random(Int(length))
      bytes.update(from: random, count: random.count)
    })
}

let logTable = Constant {
  sluice_log_v1_t(
    struct_size: $0, reserved: 0,
    write: { host, level, message, fields in
      let fields = fields.bytes == nil ? nil : RawJSON(unchecked: fields.array)
      TestWorld.of(host).shared.log(
        TestLogLine(
          level: TestLogLine.Level(rawValue: level) ?? .error, message: message.text,
          fields: fields))
    })
}

let metricsTable = Constant {
  sluice_metrics_v1_t(
    struct_size: $0, reserved: 0,
    declare: { host, kind, name, _ in
      let name = name.text
      let isLegal = name.utf8.enumerated().allSatisfy { index, byte in
        (0x61...0x7A).contains(byte)
          || index > 0 && ((0x30...0x39).contains(byte) || byte == 0x5F)
      }
      guard isLegal && !name.isEmpty else { return 0 }
      return TestWorld.of(host).shared.declare(name, kind)
    },
    add: { host, metric, amount in TestWorld.of(host).shared.add(metric, amount) })
}

let threadCheckTable = Constant {
  sluice_thread_check_v1_t(
    struct_size: $0, reserved: 0,
    is_loop_thread: { host in
      host.pointee.loop_index != SLUICE_NO_LOOP && TestWorld.of(host).loop.isCurrent ? 1 : 0
    },
    is_control_thread: { TestWorld.of($0).control.isCurrent ? 1 : 0 })
}

let loopTable = Constant {
  sluice_loop_v1_t(
    struct_size: $0, reserved: 0,
    post: { host, function, context in
      TestWorld.of(host).complete(function, context, SLUICE_OK)
      return SLUICE_OK
    })
}

let timerTable = Constant {
  sluice_timer_v1_t(
    struct_size: $0, reserved: 0,
    start: { host, delay, distance, function, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.timer/1 start") else { return 0 }
      let token = world.token()
      world.timers[token] = TestTimer(
        due: world.shared.now.addingClamped(Int64(clamping: delay)),
        distance: Int64(clamping: distance), function: function, context: context)
      return token
    },
    cancel: { host, timer in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.timer/1 cancel") else { return SLUICE_E_WRONG_THREAD }
      return world.timers.removeValue(forKey: timer) == nil ? SLUICE_E_STALE : SLUICE_OK
    })
}

let workerTable = Constant {
  sluice_worker_v1_t(
    struct_size: $0, reserved: 0,
    submit: { host, job, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.worker/1 submit") else { return SLUICE_E_WRONG_THREAD }
      guard world.waitingJobs.load(ordering: .relaxed) < world.manifest.workerJobs else {
        return SLUICE_E_OVERLOADED
      }
      world.waitingJobs.add(1, ordering: .relaxed)
      world.shared.begin()
      world.workers.post {
        world.waitingJobs.subtract(1, ordering: .relaxed)
        let status = job(context)
        world.complete(completion, context, status)
        world.loop.post { world.end() }
      }
      return SLUICE_PENDING
    })
}

extension Int64 {
  func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
