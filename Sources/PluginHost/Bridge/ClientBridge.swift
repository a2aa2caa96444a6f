internal import CSluice
internal import Client
internal import Wire

/// `sluice.client/1` (ext/client.h).
enum ClientBridge {
  static let table = PermanentTable(
    sluice_client_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_client_v1_t>.size), reserved: 0,
      send: { host, request, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard let asked = ClientRequest(request.pointee) else { return SLUICE_E_INVALID }
        guard shard.exchanges.count < shard.plugin.manifest.limits.clientRequests else {
          return SLUICE_E_OVERLOADED
        }
        return shard.send(asked, completion, context)
      }))

  private static let plain = table.pointer.pointee

  /// As ``table``; its function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_client_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_client_v1_t>.size), reserved: 0,
      send: { host, request, completion, context in
        CallCheck.onLoop(host, "sluice.client/1 send")
          ?? plain.send(host, request, completion, context)
      }))
}

extension Shard {
  /// Begins an exchange for the plugin, once its limits have let it.
  fileprivate func send(
    _ request: ClientRequest, _ completion: @escaping sluice_completion_fn, _ context: UInt64
  ) -> Int32 {
    let promise = promise(completion, context)
    do throws(ClientFailure) {
      let client = try loop.client()
      exchanges[promise] = try client.send(request) { [self] outcome in
        exchanges[promise] = nil
        switch outcome {
        case .success(let response): keep(promise, SLUICE_OK, response.bytes)
        case .failure(let failure): keep(promise, failure.status, Array(failure.description.utf8))
        }
      }
      return SLUICE_PENDING
    } catch {
      guard error.kind != .busy else {
        withdraw(promise)
        return SLUICE_E_OVERLOADED
      }
      keepLater(promise, error.status, Array(error.description.utf8))
      return SLUICE_PENDING
    }
  }

  /// Breaks off what is under way. [loop-thread]
  func cancelExchanges() {
    guard !exchanges.isEmpty, let client = try? loop.client() else { return }
    for exchange in exchanges.values { client.cancel(exchange) }
    exchanges = [:]
  }
}

extension ClientRequest {
  private static let mostContent: UInt64 = 64 << 20

  /// A copy of what a plugin asks for; nil when a number is out of its range.
  fileprivate init?(_ request: sluice_client_request_t) {
    guard request.struct_size >= MemoryLayout<sluice_client_request_t>.size,
      (1...600_000).contains(request.timeout_ms),
      (1...request.timeout_ms).contains(request.connect_timeout_ms),
      request.response_limit <= Self.mostContent,
      request.field_count <= 256, request.fields != nil || request.field_count == 0
    else { return nil }
    let fields = UnsafeBufferPointer(start: request.fields, count: Int(request.field_count))
    self.init(
      method: String(request.method), url: String(request.url),
      fields: fields.map { Field(String($0.name), String($0.value)) },
      body: Array(request.body.raw), timeoutMilliseconds: Int(request.timeout_ms),
      connectTimeoutMilliseconds: Int(request.connect_timeout_ms),
      responseLimit: Int(request.response_limit))
  }
}

extension ClientResponse {
  /// As ext/client.h lays it out.
  fileprivate var bytes: [UInt8] {
    var lines: [UInt8] = []
    for field in fields { lines += Array("\(field.name): \(field.value)\n".utf8) }
    let head = sluice_client_response_t(
      status: UInt32(clamping: status), flags: isTruncated ? SLUICE_CLIENT_TRUNCATED : 0,
      elapsed_ms: UInt32(clamping: elapsedMilliseconds), fields_length: UInt32(lines.count),
      body_length: UInt64(body.count))
    return withUnsafeBytes(of: head) { Array($0) } + lines + body
  }
}

extension ClientFailure {
  fileprivate var status: Int32 {
    switch kind {
    case .malformed: SLUICE_E_INVALID
    case .denied: SLUICE_E_DENIED
    case .unreachable: SLUICE_E_UNAVAILABLE
    case .timeout: SLUICE_E_DEADLINE
    case .tooLarge: SLUICE_E_TOO_LARGE
    case .busy: SLUICE_E_OVERLOADED
    }
  }
}
