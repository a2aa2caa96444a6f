internal import CSluice
internal import PluginKit

let httpTable = Constant {
  sluice_http_v1_t(
    struct_size: $0, reserved: 0,
    method: { read($0, $1) { $0.method } },
    path: { read($0, $1) { $0.path } },
    path_parameter: { host, request, index in
      read(host, request) {
        $0.parameters.indices.contains(Int(index)) ? $0.parameters[Int(index)] : nil
      }
    },
    query: { host, request, name in
      let name = name.text
      return read(host, request) { $0.query.first { $0.name == name }?.value }
    },
    header: { host, request, name in
      let name = name.text.lowercased()
      guard name != "authorization" else { return absent }
      return read(host, request) { $0.headers.first { $0.name == name }?.value }
    },
    body: { read($0, $1) { $0.body } },
    request_id: { read($0, $1) { $0.id } },
    peer: { read($0, $1) { $0.peer } },
    principal: { host, request, principal in
      let world = TestWorld.of(host)
      principal.pointee = TestPrincipal.anonymous
      guard world.isOnLoop("sluice.http/1 principal") else { return SLUICE_E_WRONG_THREAD }
      guard let exchange = world.exchanges[request] else { return SLUICE_E_STALE }
      principal.pointee = exchange.principal.value
      return SLUICE_OK
    },
    set_header: { host, request, name, value in
      onExchange(host, request, "sluice.http/1 set_header") {
        $0.phase?.part == .observe ? SLUICE_E_WRONG_STATE : $0.setHeader(name.text, value.text)
      }
    },
    respond: { host, request, status, contentType, body in
      guard (200...599).contains(status) else { return SLUICE_E_INVALID }
      let type = contentType.bytes == nil ? nil : contentType.text
      let bytes = body.array
      return answer(host, request) { $0.answer(Int(status), type, bytes) }
    },
    problem: { host, request, status, code, detail, errors in
      guard (200...599).contains(status) else { return SLUICE_E_INVALID }
      var problem = TestProblem(
        status: Int(status), code: code.text, detail: detail.text, errors: nil)
      if errors.bytes != nil {
        guard let faults = try? JSON.decode([TestProblem.Fault].self, from: errors.array) else {
          return SLUICE_E_INVALID
        }
        problem.errors = faults
      }
      let document = problem
      return answer(host, request) {
        $0.answer(
          document.status, "application/problem+json", (try? JSON.encode(document)) ?? [])
      }
    },
    begin: { host, request, status, contentType, length in
      let type = contentType.bytes == nil ? nil : contentType.text
      if length < 0, !TestWorld.of(host).hasConnectionRoom {
        let document = TestProblem(
          status: 403, code: "quota_exceeded", detail: "The plan allows no more connections.",
          errors: nil)
        let status = answer(host, request) {
          $0.answer(403, "application/problem+json", (try? JSON.encode(document)) ?? [])
        }
        return status == SLUICE_OK ? SLUICE_E_LIMITED : status
      }
      return onExchange(host, request, "sluice.http/1 begin") {
        $0.phase == nil ? $0.begin(Int(status), type) : SLUICE_E_WRONG_STATE
      }
    },
    write: { host, request, piece, completion, context in
      onExchange(host, request, "sluice.http/1 write") {
        $0.write(piece.array, completion, context)
      }
    },
    end: { host, request in
      let status = onExchange(host, request, "sluice.http/1 end") { $0.end() }
      if status >= 0 { TestWorld.of(host).retire(request) }
      return status
    },
    read: { host, request, completion, context in
      onExchange(host, request, "sluice.http/1 read") { exchange in
        TestWorld.of(host).complete(completion, context, SLUICE_OK, exchange.nextPiece())
        return SLUICE_PENDING
      }
    },
    keep: { host, request in
      // What an exchange holds stays where it is for its whole life.
      onExchange(host, request, "sluice.http/1 keep") { _ in SLUICE_OK }
    },
    ending: { host in
      let world = TestWorld.of(host)
      return world.isOnLoop("sluice.http/1 ending") ? world.ending : SLUICE_ENDING_NOT
    })
}

let clientCertificateTable = Constant {
  sluice_client_certificate_v1_t(
    struct_size: $0, reserved: 0, subject: { read($0, $1) { $0.clientCertificate } })
}

private var absent: sluice_slice_t { sluice_slice_t(bytes: nil, length: 0) }

func read(
  _ host: TestHostPointer, _ request: UInt64, _ member: (TestExchange) -> TestMemory?
) -> sluice_slice_t {
  let world = TestWorld.of(host)
  guard world.isOnLoop("a getter of sluice.http/1"), let exchange = world.exchanges[request]
  else { return absent }
  return member(exchange)?.slice ?? absent
}

func onExchange(
  _ host: TestHostPointer, _ request: UInt64, _ function: StaticString,
  _ body: (TestExchange) -> sluice_status_t
) -> sluice_status_t {
  let world = TestWorld.of(host)
  guard world.isOnLoop(function) else { return SLUICE_E_WRONG_THREAD }
  guard let exchange = world.exchanges[request] else { return SLUICE_E_STALE }
  return body(exchange)
}

/// Gives the whole answer, from any thread.
private func answer(
  _ host: TestHostPointer, _ request: UInt64, _ body: @escaping @Sendable (TestExchange) -> Void
) -> sluice_status_t {
  let world = TestWorld.of(host)
  guard world.loop.isCurrent else {
    world.later {
      if let exchange = world.exchanges[request] {
        body(exchange)
        world.retire(request)
      }
    }
    return SLUICE_OK
  }
  guard let exchange = world.exchanges[request] else { return SLUICE_E_STALE }
  guard exchange.phase?.takesAnswer ?? true else { return SLUICE_E_WRONG_STATE }
  body(exchange)
  world.retire(request)
  return SLUICE_OK
}

extension TestWorld {
  /// The token dies now, its memory when the plugin has returned.
  func retire(_ request: UInt64) {
    guard let exchange = exchanges.removeValue(forKey: request) else { return }
    if let call = exchange.takeWaiting() {
      complete(call.function, call.context, SLUICE_OK, nil)
    }
    let dying = TestRetired(exchange)
    later { dying.drop() }
  }

  /// The peer of a request that the plugin has in hand goes away.
  func cancel(_ request: UInt64, _ exchange: TestExchange) {
    let waiting = exchange.takeWaiting()
    retire(request)
    defer {
      if let waiting { complete(waiting.function, waiting.context, SLUICE_E_CANCELLED, nil) }
    }
    let cancelled =
      exchange.phase == nil
      ? handlers.http?.pointee.cancelled : handlers.phases?.pointee.cancelled
    cancelled?(shard, exchange.handler, request)
  }
}

/// Keeps an exchange until the loop comes round.
private final class TestRetired: @unchecked Sendable {
  // The loop's thread alone.
  private var exchange: TestExchange?

  init(_ exchange: TestExchange) { self.exchange = exchange }

  func drop() { exchange = nil }
}
