internal import CSluice
internal import Gateway

extension PhasesBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_phases_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_phases_v1_t>.size), reserved: 0,
      proceed: { host, request in
        CallCheck.anyThread(host, "sluice.phases/1 proceed") ?? plain.proceed(host, request)
      },
      operation: { host, request in
        CallCheck.onLoop(host, "sluice.phases/1 operation") == nil
          ? plain.operation(host, request) : .absent
      },
      owner: { host, request in
        CallCheck.onLoop(host, "sluice.phases/1 owner") == nil
          ? plain.owner(host, request) : .absent
      },
      status: { host, request in
        CallCheck.onLoop(host, "sluice.phases/1 status") == nil ? plain.status(host, request) : 0
      },
      bytes_sent: { host, request in
        CallCheck.onLoop(host, "sluice.phases/1 bytes_sent") == nil
          ? plain.bytes_sent(host, request) : 0
      },
      duration_ns: { host, request in
        CallCheck.onLoop(host, "sluice.phases/1 duration_ns") == nil
          ? plain.duration_ns(host, request) : 0
      }))
}
