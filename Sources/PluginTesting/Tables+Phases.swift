internal import CSluice

let phasesTable = Constant {
  sluice_phases_v1_t(
    struct_size: $0, reserved: 0,
    proceed: { host, request in
      let world = TestWorld.of(host)
      guard world.loop.isCurrent else {
        world.later { world.proceed(request) }
        return SLUICE_OK
      }
      guard let exchange = world.exchanges[request] else { return SLUICE_E_STALE }
      guard exchange.phase?.takesAnswer == true else { return SLUICE_E_WRONG_STATE }
      world.proceed(request)
      return SLUICE_OK
    },
    operation: { read($0, $1) { $0.phase?.operation } },
    owner: { read($0, $1) { $0.phase?.owner } },
    status: { host, request in
      UInt32(number(host, request) { $0.outcome.status })
    },
    bytes_sent: { host, request in
      UInt64(number(host, request) { $0.outcome.bytesSent })
    },
    duration_ns: { host, request in
      UInt64(number(host, request) { Int($0.outcome.duration / .nanoseconds(1)) })
    })
}

private func number(
  _ host: TestHostPointer, _ request: UInt64, _ member: (TestPhaseState) -> Int
) -> Int {
  let world = TestWorld.of(host)
  guard world.isOnLoop("a getter of sluice.phases/1"),
    let phase = world.exchanges[request]?.phase
  else { return 0 }
  return member(phase)
}

extension TestWorld {
  /// Ends a request's time in a phase: it goes on. Loop thread.
  func proceed(_ request: UInt64) {
    guard let exchange = exchanges[request], let phase = exchange.phase else { return }
    phase.passed(exchange.fields)
    retire(request)
  }
}
