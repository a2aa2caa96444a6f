internal import CSluice

extension Request {
  /// Begins an answer in pieces that are sent as things happen; the handler then returns `.streamed`.
  ///
  /// - Throws: `RequestGone`; `HostError`.
  public func push(status: Int = 200, contentType: String) throws -> PushStream {
    _ = try stream(status: status, contentType: contentType)
    let stream = PushStream(context, token)
    context.pushStreams[token] = stream
    return stream
  }
}

/// An answer without an end of its own: its owner sends pieces and never waits. Loop thread only.
///
/// The shard's context holds it until it has ended.
public final class PushStream {
  private let context: ShardContext
  /// The number by which the host knows the request; never used again for another.
  public let token: UInt64
  /// Called when a peer that was behind has caught up.
  public var onRoom: () -> Void = {}
  /// Called once when the peer has gone before `end`. Nothing can be sent any more.
  public var onGone: () -> Void = {}

  init(_ context: ShardContext, _ token: UInt64) {
    self.context = context
    self.token = token
  }

  /// Who asked for it, by the credential that was shown last; anonymous when it has ended.
  public var principal: Principal { Request(context: context, token: token).principal }

  /// Sends a piece; it is copied.
  ///
  /// - Returns: `.ok`; `.pending` when it is taken and the peer is behind: `onRoom` follows, and until then a piece is
  ///   `.overloaded` and not taken; `.stale` when the answer has ended.
  public func send(_ piece: [UInt8]) -> Status {
    guard let (http, host) = context.http else { return .stale }
    let reference = Unmanaged.passRetained(self)
    let status = piece.withSlice {
      http.pointee.write(
        host, token, $0,
        { stream, status, _ in
          guard let stream = Unmanaged<PushStream>.from(context: stream) else { return }
          stream.takeRetainedValue().hasRoom(status)
        }, UInt64(UInt(bitPattern: reference.toOpaque())))
    }
    // The completion comes only when it has to be waited for.
    if status != SLUICE_PENDING { reference.release() }
    return Status(rawValue: status)
  }

  /// Ends the answer; what has been sent goes out before.
  public func end() {
    guard context.pushStreams.removeValue(forKey: token) != nil,
      let (http, host) = context.http
    else { return }
    _ = http.pointee.end(host, token)
    forget()
  }

  func hasGone() {
    let onGone = onGone
    forget()
    onGone()
  }

  private func hasRoom(_ status: sluice_status_t) {
    guard status == SLUICE_OK, context.pushStreams[token] != nil else { return }
    context.executor.enter()
    onRoom()
    context.executor.leave()
  }

  /// Lets go of what the owner has given, which may hold the owner.
  private func forget() {
    onRoom = {}
    onGone = {}
  }
}
