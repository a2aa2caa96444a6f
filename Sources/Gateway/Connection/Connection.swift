internal import EventLoop
internal import Wire

typealias ConnectionPointer = UnsafeMutablePointer<Connection>

/// What a TCP connection is to the gateway. Lives in its stream's memory; confined to its loop.
///
/// An idle connection owns no buffers: what has come and is not consumed lies in the loop's read buffer (`view`)
/// while a callback runs, and is copied to `input` only when something must wait.
struct Connection {
  /// First, so that a deadline's address is the connection's.
  var deadline = DeadlineNode()
  let stream: TCPStream
  /// Bytes that have come and are not consumed; nil when there are none.
  var view: UnsafeMutableRawPointer?
  /// The connection's own memory, if `view` points into it.
  var input: UnsafeMutableRawPointer?
  var viewCount: UInt32 = 0
  var inputCapacity: UInt32 = 0
  /// The request that is being read or answered.
  var request: RequestPointer?
  /// The WebSocket that the connection has become.
  var socket: SocketPointer?
  /// What it has while it speaks HTTP/2.
  var http2: HTTP2Pointer?
  /// Its TLS; nil when it has none.
  var secure: UnsafeMutablePointer<SecureState>?
  var progress = HeadProgress()
  var flags: ConnectionFlags = []
  var timeout = Timeout.none
  /// What waited for the peer when its time to take some began, in pieces of 16 KiB; capped.
  var waitingPieces: UInt16 = 0

  let loop: LoopPointer

  init(stream: TCPStream, loop: LoopPointer) {
    self.stream = stream
    self.loop = loop
  }
}

struct ConnectionFlags: OptionSet {
  let rawValue: UInt8
  /// `process` runs on it further up the stack.
  static let isProcessing = ConnectionFlags(rawValue: 1)
  /// The last answer is on its way; what still comes is not read.
  static let isFinishing = ConnectionFlags(rawValue: 2)
  /// The peer has sent all it will send.
  static let hasEnded = ConnectionFlags(rawValue: 4)
  /// Reading is stopped until the peer has taken what is queued.
  static let isHeldBack = ConnectionFlags(rawValue: 8)
  /// Counted as one of those that may be open from its address.
  static let isCounted = ConnectionFlags(rawValue: 16)
  /// A request of HTTP/1 has come on it.
  static let hasBegun = ConnectionFlags(rawValue: 32)
  /// It goes on when the plugin that is being called has returned.
  static let awaitsPlugin = ConnectionFlags(rawValue: 64)
  /// It came while its loop shed new connections.
  static let isShed = ConnectionFlags(rawValue: 128)
}

/// Which time limit a connection is under.
enum Timeout: UInt8 {
  case none
  /// The TLS handshake is incomplete.
  case handshake
  /// Nothing of the next request has come.
  case idle
  /// A request's head is incomplete.
  case head
  /// A request's body is incomplete.
  case body
  /// A plugin has a request in hand.
  case request
  /// The peer does not take what is queued.
  case write
  /// An answer is complete before its request is: a stream's alone.
  case linger
  /// A WebSocket's protocol ping is due, or its answer.
  case ping
  /// The first message of a WebSocket that is still nobody's has not come.
  case greeting
}

extension UnsafeMutablePointer where Pointee == Connection {
  var loop: LoopPointer { pointee.loop }

  /// Consumes bytes from the front of the view.
  @inline(__always)
  func consume(_ count: Int) {
    pointee.view = pointee.view.unsafelyUnwrapped + count
    pointee.viewCount -= UInt32(count)
  }

  /// Appends what has come to what waits. The whole is the view afterwards.
  func stash(_ bytes: UnsafeRawPointer, _ count: Int) {
    let waiting = Int(pointee.viewCount)
    let needed = waiting + count
    if let input = pointee.input, let view = pointee.view {
      if Int(bitPattern: view) - Int(bitPattern: input) + needed <= Int(pointee.inputCapacity) {
        (view + waiting).copyMemory(from: bytes, byteCount: count)
        pointee.viewCount = UInt32(needed)
        return
      }
    }
    let capacity = Swift.max(needed, 1024).nextPowerOfTwo
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    if let view = pointee.view, waiting > 0 { fresh.copyMemory(from: view, byteCount: waiting) }
    (fresh + waiting).copyMemory(from: bytes, byteCount: count)
    pointee.input?.deallocate()
    pointee.input = fresh
    pointee.inputCapacity = UInt32(capacity)
    pointee.view = fresh
    pointee.viewCount = UInt32(needed)
  }

  /// Ends a callback: what is not consumed moves to the connection's own memory, which is freed if nothing is left.
  func settle() {
    let left = Int(pointee.viewCount)
    guard left > 0, let view = pointee.view else { return dropInput() }
    if let input = pointee.input, view >= input, view <= input + Int(pointee.inputCapacity) {
      return
    }
    pointee.view = nil
    pointee.viewCount = 0
    stash(view, left)
  }

  func dropInput() {
    pointee.input?.deallocate()
    pointee.input = nil
    pointee.inputCapacity = 0
    pointee.view = nil
    pointee.viewCount = 0
  }
}
