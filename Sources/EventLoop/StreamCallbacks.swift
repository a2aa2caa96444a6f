public import CUV

/// What the owner of streams does about their events: a table of global functions.
///
/// Each function runs on the loop's thread. The stream is valid until its `onClosed` has returned. Any of
/// them may close the stream.
public struct StreamCallbacks: Sendable {
  /// Bytes have come. They lie in the loop's one read buffer: valid, and the callback's to change, until it returns.
  public var onRead:
    @convention(c) @Sendable (
      _ stream: TCPStream, _ bytes: UnsafeMutableRawPointer, _ count: Int
    ) -> Void

  /// The peer will send no more; it may still read. The owner answers what it has, then closes the stream.
  public var onEOF: @convention(c) @Sendable (_ stream: TCPStream) -> Void

  /// Reading or a queued write failed with a negative error code: see ``SystemError/text(_:)``. The stream closes
  /// itself when this returns.
  public var onError: @convention(c) @Sendable (_ stream: TCPStream, _ code: Int32) -> Void

  /// Everything that had been queued is written: the owner may go on.
  public var onDrained: @convention(c) @Sendable (_ stream: TCPStream) -> Void

  /// The stream is closed, for whatever reason; called once, last. Its memory goes when this returns.
  public var onClosed: @convention(c) @Sendable (_ stream: TCPStream) -> Void

  /// Functions without context: what belongs to a stream lies in its own memory.
  public init(
    onRead:
      @escaping @convention(c) @Sendable (TCPStream, UnsafeMutableRawPointer, Int) -> Void,
    onEOF: @escaping @convention(c) @Sendable (TCPStream) -> Void,
    onError: @escaping @convention(c) @Sendable (TCPStream, Int32) -> Void,
    onDrained: @escaping @convention(c) @Sendable (TCPStream) -> Void,
    onClosed: @escaping @convention(c) @Sendable (TCPStream) -> Void
  ) {
    self.onRead = onRead
    self.onEOF = onEOF
    self.onError = onError
    self.onDrained = onDrained
    self.onClosed = onClosed
  }

  /// Copies the table to memory that is never freed, where streams find it; once per kind of stream.
  public func makeTable() -> StreamCallbackTable {
    let table = UnsafeMutablePointer<StreamCallbacks>.allocate(capacity: 1)
    table.initialize(to: self)
    return StreamCallbackTable(pointer: UnsafePointer(table))
  }
}

/// A table of callbacks in immortal memory; [any-thread], because nothing ever changes it.
///
/// `@unchecked Sendable`: immutable after `makeTable`.
public struct StreamCallbackTable: @unchecked Sendable {
  let pointer: UnsafePointer<StreamCallbacks>
}
