internal import CSluice

/// How a socket finds the credential in the first message of a peer that showed none in its handshake: for a socket with
/// `"credential": "first-message"` in the manifest.
///
/// Both functions belong to no shard and keep nothing: they may run on several loops at once, and must not block.
public struct FirstMessageCredential {
  let find: @Sendable (Message) throws -> String?
  let refuse: @Sendable (Message?, Status) -> SocketRefusal

  /// - Parameters:
  ///   - find: the credential in a first message; nil when there is none, so that the peer is nobody in particular. A
  ///     `Problem`, `HostError` or `JSONError` refuses the peer.
  ///   - refuse: what a peer is told that is not let in. The message is nil when none has come in time. The status says why:
  ///     `.unauthenticated`, `.expired`, `.denied`, `.notFound`, `.limited`, `.deadline`, `.unavailable`, or that of what
  ///     `find` or the socket's `open` threw.
  public init(
    find: @escaping @Sendable (Message) throws -> String?,
    refuse: @escaping @Sendable (Message?, Status) -> SocketRefusal
  ) {
    self.find = find
    self.refuse = refuse
  }
}

/// What a peer is told that is not let in.
public struct SocketRefusal: Sendable, Equatable {
  /// Sent as one text message before the close frame; nil sends none. Valid UTF-8.
  public let message: [UInt8]?
  /// 3000 to 4999 (RFC 6455 §7.4.2).
  public let code: Int
  /// At most 123 bytes of UTF-8, in the close frame.
  public let reason: String

  /// - Parameters: as the properties; see there for the bounds.
  public init(message: [UInt8]? = nil, code: Int, reason: StaticString) {
    self.message = message
    self.code = code
    self.reason = "\(reason)"
    text = reason
  }

  let text: StaticString

  public static func == (a: SocketRefusal, b: SocketRefusal) -> Bool {
    a.message == b.message && a.code == b.code && a.reason == b.reason
  }
}

extension Registry {
  /// Has a socket's credential looked for in the first message; see ``FirstMessageCredential``.
  ///
  /// - Parameter name: what the manifest calls the handler under `sockets`.
  public mutating func credential(ofSocket name: String, _ credential: FirstMessageCredential) {
    plan.add(credentialOf: name, credential)
  }
}

extension HandlerPlan {
  fileprivate func credential(_ handler: UInt32) -> FirstMessageCredential? {
    guard socketNames.indices.contains(Int(handler)) else { return nil }
    return credentials[socketNames[Int(handler)]]
  }
}

func credentialOf(
  _ handler: UInt32, _ kind: UInt32, _ message: sluice_slice_t, _ put: sluice_sink_fn,
  _ sink: UInt64
) -> sluice_status_t {
  guard let credential = PluginImage.current?.handlers.plan.credential(handler) else {
    return SLUICE_E_UNSUPPORTED
  }
  return statusOfSearch {
    if let found = try credential.find(Message(kind, message)) {
      found.withSlice { put(sink, $0) }
    }
  }
}

func refusalOf(
  _ handler: UInt32, _ kind: UInt32, _ message: sluice_slice_t, _ why: sluice_status_t,
  _ put: sluice_sink_fn, _ sink: UInt64, _ reason: UnsafeMutablePointer<sluice_slice_t>
) -> UInt32 {
  guard let credential = PluginImage.current?.handlers.plan.credential(handler) else { return 3500 }
  let first = message.bytes == nil ? nil : Message(kind, message)
  let refusal = credential.refuse(first, Status(rawValue: why))
  refusal.message?.withSlice { put(sink, $0) }
  reason.pointee = sluice_slice_t(refusal.text)
  return UInt32(clamping: refusal.code)
}
