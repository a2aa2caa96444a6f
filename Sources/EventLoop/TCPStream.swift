public import CUV
internal import Glibc

/// One TCP connection: a pointer to the libuv handle, its accounting, and the owner's memory behind it.
///
/// There is no object, no closure and no reference count per connection. All of it is [loop-thread], and valid
/// until the stream's `onClosed` has returned. An idle stream owns no buffers.
public typealias TCPStream = CUV.TCPStream

@usableFromInline
struct StreamStorage {
  /// First, so that libuv's pointer to its handle is the pointer to this; `data` is the ``LoopCore``.
  @usableFromInline var tcp: uv_tcp_t
  var callbacks: UnsafePointer<StreamCallbacks>
  /// What waits to be written; nil whenever nothing does.
  var outbound: UnsafeMutablePointer<Outbound>?
  @usableFromInline var peer: PeerAddress
  @usableFromInline var flags: StreamFlags
  /// The socket, which libuv owns.
  let descriptor: Int32
}

@usableFromInline
struct StreamFlags: OptionSet {
  @usableFromInline var rawValue: UInt8
  @usableFromInline init(rawValue: UInt8) { self.rawValue = rawValue }

  @usableFromInline static var isReading: StreamFlags { StreamFlags(rawValue: 1) }
  /// The peer has sent its FIN.
  @usableFromInline static var hasEnded: StreamFlags { StreamFlags(rawValue: 2) }
  /// `shutdownThenClose` has been called: no callback but `onClosed` any more.
  @usableFromInline static var isFinishing: StreamFlags { StreamFlags(rawValue: 4) }
  /// Our FIN is out.
  @usableFromInline static var isShutDown: StreamFlags { StreamFlags(rawValue: 8) }
  /// Closed, or about to be.
  @usableFromInline static var isClosing: StreamFlags { StreamFlags(rawValue: 16) }
}

extension TCPStream {
  /// Bytes between a stream and the memory of its owner: a multiple of 16.
  @inlinable
  public static var userOffset: Int { 288 }

  /// The stream that the owner's memory belongs to: the inverse of ``user(as:)``.
  @inlinable
  public init(userMemory: UnsafeMutableRawPointer) {
    self.init(storage: userMemory - Self.userOffset)
  }

  /// The owner's memory, 16-aligned, all zero at first; the owner sets it up and tears it down.
  @inlinable
  public func user<T: BitwiseCopyable>(as type: T.Type) -> UnsafeMutablePointer<T> {
    (storage + Self.userOffset).assumingMemoryBound(to: type)
  }

  /// As ``user(as:)`` for types that hold references, which the owner must then initialize and deinitialize.
  @inlinable
  public var userMemory: UnsafeMutableRawPointer { storage + Self.userOffset }

  /// The loop that the stream lives on.
  public var loop: EventLoop { core.pointee.owner.takeUnretainedValue() }

  /// The loop's ``EventLoop/context``, without counting references.
  public var loopContext: UnsafeMutableRawPointer? { core.pointee.context }

  /// Who is at the other end, as it was when the connection was accepted.
  @inlinable
  public var peer: PeerAddress { state.pointee.peer }

  /// Hands the stream to other callbacks, from the next event on: for a connection that changes protocol.
  public func setCallbacks(_ table: StreamCallbackTable) { state.pointee.callbacks = table.pointer }

  /// The descriptor; -1 when closed. It stays the stream's: nobody else reads, writes or closes.
  public var descriptor: Int32 {
    var descriptor: Int32 = -1
    return uv_fileno(handle, &descriptor) == 0 ? descriptor : -1
  }

  // MARK: - Inside the room

  @usableFromInline
  var state: UnsafeMutablePointer<StreamStorage> {
    @inlinable @inline(__always) get { storage.assumingMemoryBound(to: StreamStorage.self) }
  }

  var uv: UnsafeMutablePointer<uv_stream_t> {
    @inline(__always) get { storage.assumingMemoryBound(to: uv_stream_t.self) }
  }

  var tcp: UnsafeMutablePointer<uv_tcp_t> {
    @inline(__always) get { storage.assumingMemoryBound(to: uv_tcp_t.self) }
  }

  var handle: UnsafeMutablePointer<uv_handle_t> {
    @inline(__always) get { storage.assumingMemoryBound(to: uv_handle_t.self) }
  }

  var core: CorePointer {
    @inline(__always) get { loopCore(of: state.pointee.tcp.data) }
  }

  /// Makes a stream of a connected socket, which it owns from here on, even on failure.
  ///
  /// - Returns: nil when libuv refuses the socket, which is then closed.
  static func open(
    _ descriptor: Int32, peer: PeerAddress, core: CorePointer,
    callbacks: UnsafePointer<StreamCallbacks>, userSize: Int
  ) -> TCPStream? {
    let size = userOffset + userSize
    let memory = calloc(1, size)!
    let stream = TCPStream(storage: memory)
    let state = memory.bindMemory(to: StreamStorage.self, capacity: 1)
    state.initialize(
      to: StreamStorage(
        tcp: uv_tcp_t(), callbacks: callbacks, outbound: nil, peer: peer, flags: [],
        descriptor: descriptor))
    uv_tcp_init(core.pointee.uv, stream.tcp)
    state.pointee.tcp.data = UnsafeMutableRawPointer(core)
    let status = uv_tcp_open(stream.tcp, descriptor)
    guard status == 0 else {
      Glibc.close(descriptor)
      uv_close(stream.handle) { free($0) }
      return nil
    }
    core.pointee.openStreams += 1
    return stream
  }
}
