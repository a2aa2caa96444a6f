/// What the owner of an endpoint does about its events: a table of global functions.
///
/// `owner` is the word that the endpoint was made with, `stream` what `onRequest` returned. They are called from inside
/// ``HTTP2Endpoint/receive(_:now:)`` and ``HTTP2Endpoint/produce(now:)`` on the endpoint's thread, and may call whatever
/// the endpoint offers but these two and `destroy`.
public struct HTTP2Events: Sendable {
  /// The word that the endpoint was made with.
  public typealias Owner = UnsafeMutableRawPointer
  /// What `onRequest` returned: the owner's memory for a stream.
  public typealias Stream = UnsafeMutableRawPointer
  /// The form of `onRequest`; `endsStream` says that nothing follows the head.
  public typealias OnRequest =
    @convention(c) @Sendable (_ owner: Owner, _ id: Int32, _ endsStream: Bool) -> Stream
  /// The form of `onData`.
  public typealias OnData =
    @convention(c) @Sendable (
      _ owner: Owner, _ stream: Stream, _ bytes: UnsafeMutableRawPointer, _ count: Int
    ) -> Void
  /// The form of events that say nothing but on which stream they happened.
  public typealias OnStream = @convention(c) @Sendable (_ owner: Owner, _ stream: Stream) -> Void
  /// The form of `onClosed`.
  public typealias OnClosed =
    @convention(c) @Sendable (_ owner: Owner, _ stream: Stream, _ code: UInt32) -> Void
  /// The form of `onPull`; `room` is in bytes.
  public typealias OnPull =
    @convention(c) @Sendable (_ owner: Owner, _ stream: Stream, _ room: Int) -> Int
  /// The form of `onSend`; `count` is in bytes.
  public typealias OnSend =
    @convention(c) @Sendable (_ owner: Owner, _ stream: Stream, _ count: Int) -> Void
  /// The form of `onWrite`: the bytes are borrowed until it returns.
  public typealias OnWrite =
    @convention(c) @Sendable (_ owner: Owner, _ bytes: UnsafeRawPointer, _ count: Int) -> Void
  /// The form of events of the whole connection.
  public typealias OnOwner = @convention(c) @Sendable (_ owner: Owner) -> Void
  /// The form of `onBreach`.
  public typealias OnBreach = @convention(c) @Sendable (_ owner: Owner, _ breach: Int32) -> Void

  /// A request has come: ``HTTP2Endpoint/section`` holds its head, or the error that it is refused for, until this
  /// returns. The owner returns its own memory for the stream, which stays valid until `onClosed`.
  public var onRequest: OnRequest

  /// Body bytes have come: valid, and the callback's to change, until it returns. They count against the windows
  /// until ``HTTP2Endpoint/consume(_:on:)``.
  public var onData: OnData

  /// The peer will send no more on the stream.
  public var onEnd: OnStream

  /// All of the answer is sent, and the peer has more to send, which is of no use any more: the owner resets the stream
  /// with the error NO_ERROR when it will wait no longer (RFC 9113 §8.1).
  public var onAnswered: OnStream

  /// The stream is gone, for whatever reason: an ``HTTP2ErrorCode``'s number. Called once, last.
  public var onClosed: OnClosed

  /// How much of its body an answer can send now, at most `room` bytes: an ``HTTP2Pull``'s number.
  public var onPull: OnPull

  /// Sends so many bytes of the stream's body, as was promised in `onPull`.
  public var onSend: OnSend

  /// Sends bytes of the endpoint's own.
  public var onWrite: OnWrite

  /// The peer has answered ``HTTP2Endpoint/announceEnd()``.
  public var onEndHeard: OnOwner

  /// The peer went over a limit: an ``HTTP2Breach``'s number. For counting; the endpoint does the rest.
  public var onBreach: OnBreach

  /// Functions without context: `owner` is what the endpoint was made with.
  public init(
    onRequest: @escaping OnRequest, onData: @escaping OnData, onEnd: @escaping OnStream,
    onAnswered: @escaping OnStream, onClosed: @escaping OnClosed, onPull: @escaping OnPull,
    onSend: @escaping OnSend, onWrite: @escaping OnWrite, onEndHeard: @escaping OnOwner,
    onBreach: @escaping OnBreach
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
