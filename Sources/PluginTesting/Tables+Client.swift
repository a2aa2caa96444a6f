internal import CSluice
public import PluginKit

extension TestHost {
  /// Stands for all servers that the plugin makes requests of: called on the plugin's loop, in the order of the requests. Until it is
  /// set none is reached (`.unavailable`).
  ///
  /// - Parameter answer: an answer, of which the request's `responseLimit` is kept; or throws `HostError` as the plugin is to see it.
  public func setServer(
    _ answer: @escaping @Sendable (Client.Request) throws -> Client.Response
  ) async throws {
    try await onLoop { $0.server = answer }
  }
}

let clientTable = Constant {
  sluice_client_v1_t(
    struct_size: $0, reserved: 0,
    send: { host, request, completion, context in
      let world = TestWorld.of(host)
      guard world.isOnLoop("sluice.client/1 send") else { return SLUICE_E_WRONG_THREAD }
      let wanted = request.pointee
      guard (1...600_000).contains(wanted.timeout_ms),
        (1...wanted.timeout_ms).contains(wanted.connect_timeout_ms),
        wanted.response_limit <= 64 << 20
      else { return SLUICE_E_INVALID }
      return world.complete(completion, context) {
        guard let server = world.server else {
          throw HostError(.unavailable, "The test has set no server.")
        }
        return try server(Client.Request(wanted)).bytes(limit: Int(wanted.response_limit))
      }
    })
}

extension Client.Request {
  fileprivate init(_ request: sluice_client_request_t) {
    self.init(request.method.text, request.url.text)
    let given = UnsafeBufferPointer(start: request.fields, count: Int(request.field_count))
    fields = given.map { ($0.name.text, $0.value.text) }
    body = request.body.array
    responseLimit = Int(request.response_limit)
    timeout = Int(request.timeout_ms)
    connectTimeout = Int(request.connect_timeout_ms)
  }
}

extension Client.Response {
  /// As ext/client.h lays it out.
  fileprivate func bytes(limit: Int) -> [UInt8] {
    var lines: [UInt8] = []
    for field in fields { lines += Array("\(field.name.lowercased()): \(field.value)\n".utf8) }
    let kept = body.prefix(limit)
    let head = sluice_client_response_t(
      status: UInt32(clamping: status),
      flags: isTruncated || kept.count < body.count ? SLUICE_CLIENT_TRUNCATED : 0,
      elapsed_ms: UInt32(clamping: elapsedMilliseconds), fields_length: UInt32(lines.count),
      body_length: UInt64(kept.count))
    return withUnsafeBytes(of: head) { Array($0) } + lines + kept
  }
}
