internal import CNghttp2

/// One field of an answer, borrowed for the call that it is handed to.
public struct HTTP2Field {
  /// In lower case (RFC 9113 §8.2).
  public var name: UnsafeRawBufferPointer
  /// Without leading and trailing space (RFC 9113 §8.2.1).
  public var value: UnsafeRawBufferPointer
  /// Whether the peer's decoder should remember it: not for what is different each time, nor for secrets.
  public var isIndexed: Bool

  /// - Parameter name: borrowed, as `value` is: both must outlive the call that the field is handed to.
  public init(
    _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, isIndexed: Bool = true
  ) {
    (self.name, self.value, self.isIndexed) = (name, value, isIndexed)
  }

  /// - Parameter name: a literal in lower case.
  public init(_ name: StaticString, _ value: UnsafeRawBufferPointer, isIndexed: Bool = true) {
    self.init(
      UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), value,
      isIndexed: isIndexed)
  }
}

extension HTTP2Endpoint {
  /// Lays out the head of an answer, `:status` first.
  ///
  /// - Parameters:
  ///   - stream: the owner's memory, when a body follows that `onPull` is asked for; nil ends the stream.
  /// - Returns: false when the stream is gone.
  @discardableResult
  public func respond(
    _ id: Int32, _ fields: UnsafeBufferPointer<HTTP2Field>, body stream: UnsafeMutableRawPointer?
  ) -> Bool {
    withPairs(fields) { pairs in
      guard let stream else {
        return nghttp2_submit_response(core.library, id, pairs.baseAddress, pairs.count, nil) == 0
      }
      var provider = nghttp2_data_provider()
      provider.source.ptr = stream
      provider.read_callback = readBody
      return nghttp2_submit_response(core.library, id, pairs.baseAddress, pairs.count, &provider)
        == 0
    }
  }

  /// Lays out the head of an interim answer (RFC 9110 §15.2).
  public func inform(_ id: Int32, _ fields: UnsafeBufferPointer<HTTP2Field>) {
    withPairs(fields) { pairs in
      _ = nghttp2_submit_headers(
        core.library, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, nil, pairs.baseAddress, pairs.count,
        nil)
    }
  }

  private func withPairs<T>(
    _ fields: UnsafeBufferPointer<HTTP2Field>, _ body: (UnsafeBufferPointer<nghttp2_nv>) -> T
  ) -> T {
    withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: max(fields.count, 1)) { pairs in
      for (index, field) in fields.enumerated() {
        let flags = field.isIndexed ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX
        func bytes(_ text: UnsafeRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
          UnsafeMutableRawPointer(mutating: text.baseAddress)?.assumingMemoryBound(to: UInt8.self)
        }
        pairs.initializeElement(
          at: index,
          to: nghttp2_nv(
            name: bytes(field.name), value: bytes(field.value), namelen: field.name.count,
            valuelen: field.value.count, flags: UInt8(flags.rawValue)))
      }
      return body(UnsafeBufferPointer(rebasing: pairs[..<fields.count]))
    }
  }

  /// The stream has something to send again.
  public func resume(_ id: Int32) { nghttp2_session_resume_data(core.library, id) }

  /// Gives the peer room for as many bytes of body as were taken.
  public func consume(_ count: Int, on id: Int32) {
    guard count > 0 else { return }
    nghttp2_session_consume(core.library, id, count)
  }

  /// As ``consume(_:on:)`` for a stream that is over.
  public func consumeLeft(_ count: Int) {
    guard count > 0 else { return }
    nghttp2_session_consume_connection(core.library, count)
  }

  /// Ends a stream for a reason of ours.
  public func reset(_ id: Int32, _ code: HTTP2ErrorCode) {
    nghttp2_submit_rst_stream(core.library, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code.rawValue)
  }

  /// Ends a stream whose message is malformed (RFC 9113 §8.1.1).
  public func resetMalformed(_ id: Int32) { core.resetForFault(id, .protocolError) }

  /// Counts work that was begun for a stream and is of no use any more.
  public func countAbandonedWork() {
    core.fail(core.pointee.gauge.reset(now: core.pointee.now))
  }

  // MARK: - the end

  /// Tells the peer that no stream will be taken soon, and has it say when it has heard so (RFC 9113 §6.8).
  public func announceEnd() {
    core.pointee.isAnnouncingEnd = true
    nghttp2_submit_shutdown_notice(core.library)
  }

  /// Tells the peer which stream is the last; the endpoint is finished when those that are open have ended.
  public func end() {
    nghttp2_submit_goaway(
      core.library, UInt8(NGHTTP2_FLAG_NONE.rawValue), core.pointee.lastStream,
      HTTP2ErrorCode.noError.rawValue, nil, 0)
  }
}
