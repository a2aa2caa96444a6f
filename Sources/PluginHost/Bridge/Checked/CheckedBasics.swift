internal import CSluice

extension WorkerBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_worker_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_worker_v1_t>.size), reserved: 0,
      submit: { host, job, completion, context in
        CallCheck.onLoop(host, "sluice.worker/1 submit")
          ?? plain.submit(host, job, completion, context)
      }))
}

extension LoopBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_loop_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_loop_v1_t>.size), reserved: 0,
      post: { host, function, context in
        CallCheck.anyThread(host, "sluice.loop/1 post") ?? plain.post(host, function, context)
      }))
}

extension TimerBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_timer_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_timer_v1_t>.size), reserved: 0,
      start: { host, delay, period, function, context in
        CallCheck.onLoop(host, "sluice.timer/1 start") == nil
          ? plain.start(host, delay, period, function, context) : 0
      },
      cancel: { host, timer in
        CallCheck.onLoop(host, "sluice.timer/1 cancel") ?? plain.cancel(host, timer)
      }))
}

extension RandomBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_random_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_random_v1_t>.size), reserved: 0,
      fill: { host, bytes, length in
        if CallCheck.anywhere(host, "sluice.random/1 fill") == nil {
          plain.fill(host, bytes, length)
        }
      }))
}

extension ClockBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_clock_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_clock_v1_t>.size), reserved: 0,
      unix_ms: { host in
        CallCheck.anywhere(host, "sluice.clock/1 unix_ms") == nil ? plain.unix_ms(host) : 0
      },
      monotonic_ns: { host in
        CallCheck.anywhere(host, "sluice.clock/1 monotonic_ns") == nil
          ? plain.monotonic_ns(host) : 0
      }))
}

extension LogBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_log_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_log_v1_t>.size), reserved: 0,
      write: { host, level, message, fields in
        if CallCheck.anywhere(host, "sluice.log/1 write") == nil {
          plain.write(host, level, message, fields)
        }
      }))
}

extension MetricsBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_metrics_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_metrics_v1_t>.size), reserved: 0,
      declare: { host, kind, name, help in
        CallCheck.anywhere(host, "sluice.metrics/1 declare", lastState: .active) == nil
          ? plain.declare(host, kind, name, help) : 0
      },
      add: { host, metric, amount in
        if CallCheck.anywhere(host, "sluice.metrics/1 add") == nil {
          plain.add(host, metric, amount)
        }
      }))
}

extension ThreadCheckBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_thread_check_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_thread_check_v1_t>.size), reserved: 0,
      is_loop_thread: { host in
        CallCheck.anywhere(host, "sluice.thread-check/1 is_loop_thread") == nil
          ? plain.is_loop_thread(host) : 0
      },
      is_control_thread: { host in
        CallCheck.anywhere(host, "sluice.thread-check/1 is_control_thread") == nil
          ? plain.is_control_thread(host) : 0
      }))
}

extension ConfigBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_config_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_config_v1_t>.size), reserved: 0,
      get: { host in
        CallCheck.anywhere(host, "sluice.config/1 get") == nil ? plain.get(host) : .absent
      },
      refuse: { host, pointer, message in
        if CallCheck.whileCreating(host, "sluice.config/1 refuse") == nil {
          plain.refuse(host, pointer, message)
        }
      }))
}
