/// What the owner of an endpoint does about its events: a table of global functions.
///
/// `owner` is the word that the endpoint was made with, `stream` what `onRequest` returned. They are called from inside
/// ``HTTP2Endpoint/receive(_:now:)`` and ``HTTP2Endpoint/produce(now:)`` on the endpoint's thread, and may call whatever
/// the endpoint offers but these two and `destroy`.
public struct HTTP2Events: Sendable {
  /// A request has come: ``HTTP2Endpoint/section`` holds its head, or the error that it is refused for, until this
  /// returns. The owner returns its own memory for the stream, which stays valid until `onClosed`.
  public var onRequest:
    @convention(c) @Sendable (
      _ owner: UnsafeMutableRawPointer, _ id: Int32, _ endsStream: Bool
    ) -> UnsafeMutableRawPointer

  /// Body bytes have come: valid, and the callback's to change, until it returns. They count against the windows
  /// until ``HTTP2Endpoint/consume(_:on:)``.
  public var onData:
    @convention(c) @Sendable (
      _ owner: UnsafeMutableRawPointer, _ stream: UnsafeMutableRawPointer,
      _ bytes: UnsafeMutableRawPointer, _ count: Int
    ) -> Void

  /// The peer will send no more on the stream.
  public var onEnd:
    @convention(c) @Sendable (_ owner: UnsafeMutableRawPointer, _ stream: UnsafeMutableRawPointer)
      -> Void

  /// All of the answer is sent, and the peer has more to send, which is of no use any more: the owner resets the stream
  /// with the error NO_ERROR when it will wait no longer (RFC 9113 §8.1).
  public var onAnswered:
    @convention(c) @Sendable (_ owner: UnsafeMutableRawPointer, _ stream: UnsafeMutableRawPointer)
      -> Void

  /// The stream is gone, for whatever reason: an ``HTTP2ErrorCode``'s number. Called once, last.
  public var onClosed:
    @convention(c) @Sendable (
      _ owner: UnsafeMutableRawPointer, _ stream: UnsafeMutableRawPointer, _ code: UInt32
    ) -> Void

  /// How much of its body an answer can send now, at most `room` bytes: an ``HTTP2Pull``'s number.
  public var onPull:
    @convention(c) @Sendable (
      _ owner: UnsafeMutableRawPointer, _ stream: UnsafeMutableRawPointer, _ room: Int
    ) -> Int

  /// Sends so many bytes of the stream's body, as was promised in `onPull`.
  public var onSend:
    @convention(c) @Sendable (
      _ owner: UnsafeMutableRawPointer, _ stream: UnsafeMutableRawPointer, _ count: Int
    ) -> Void

  /// Sends bytes of the endpoint's own.
  public var onWrite:
    @convention(c) @Sendable (
      _ owner: UnsafeMutableRawPointer, _ bytes: UnsafeRawPointer, _ count: Int
    ) -> Void

  /// The peer has answered ``HTTP2Endpoint/announceEnd()``.
  public var onEndHeard: @convention(c) @Sendable (_ owner: UnsafeMutableRawPointer) -> Void

  /// The peer went over a limit: an ``HTTP2Breach``'s number. For counting; the endpoint does the rest.
  public var onBreach:
    @convention(c) @Sendable (_ owner: UnsafeMutableRawPointer, _ breach: Int32) -> Void

  /// Functions without context: `owner` is what the endpoint was made with.
  public init(
    onRequest:
      @escaping @convention(c) @Sendable (UnsafeMutableRawPointer, Int32, Bool)
      -> UnsafeMutableRawPointer,
    onData:
      @escaping @convention(c) @Sendable (
        UnsafeMutableRawPointer, UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int
      ) -> Void,
    onEnd:
      @escaping @convention(c) @Sendable (UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Void,
    onAnswered:
      @escaping @convention(c) @Sendable (UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Void,
    onClosed:
      @escaping @convention(c) @Sendable (UnsafeMutableRawPointer, UnsafeMutableRawPointer, UInt32)
      -> Void,
    onPull:
      @escaping @convention(c) @Sendable (UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int) ->
      Int,
    onSend:
      @escaping @convention(c) @Sendable (UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int)
      -> Void,
    onWrite:
      @escaping @convention(c) @Sendable (UnsafeMutableRawPointer, UnsafeRawPointer, Int) -> Void,
    onEndHeard: @escaping @convention(c) @Sendable (UnsafeMutableRawPointer) -> Void,
    onBreach: @escaping @convention(c) @Sendable (UnsafeMutableRawPointer, Int32) -> Void
  ) {
    self.onRequest = onRequest
    self.onData = onData
    self.onEnd = onEnd
    self.onAnswered = onAnswered
    self.onClosed = onClosed
    self.onPull = onPull
    self.onSend = onSend
    self.onWrite = onWrite
    self.onEndHeard = onEndHeard
    self.onBreach = onBreach
  }

  /// Copies the table to memory that is never freed, where endpoints find it; once per kind of owner.
  public func makeTable() -> HTTP2EventTable {
    let table = UnsafeMutablePointer<HTTP2Events>.allocate(capacity: 1)
    table.initialize(to: self)
    return HTTP2EventTable(pointer: UnsafePointer(table))
  }
}

/// A table of events in immortal memory; [any-thread], because nothing ever changes it.
///
/// `@unchecked Sendable`: immutable after `makeTable`.
public struct HTTP2EventTable: @unchecked Sendable {
  let pointer: UnsafePointer<HTTP2Events>
}

/// What a stream has to send of its body.
public struct HTTP2Pull: RawRepresentable, Equatable, Sendable {
  public let rawValue: Int

  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Nothing until ``HTTP2Endpoint/resume(_:)``.
  public static let deferred = HTTP2Pull(rawValue: -1)
  /// Nothing of any stream until the next ``HTTP2Endpoint/produce(now:)``: the connection is behind.
  public static let paused = HTTP2Pull(rawValue: -2)
  /// Nothing any more: the stream ends with the error PROTOCOL_ERROR.
  public static let malformed = HTTP2Pull(rawValue: -3)

  /// So many bytes; the last ones if `isLast`.
  public static func bytes(_ count: Int, isLast: Bool) -> HTTP2Pull {
    HTTP2Pull(rawValue: count << 1 | (isLast ? 1 : 0))
  }
}
