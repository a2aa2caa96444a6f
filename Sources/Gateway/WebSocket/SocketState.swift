public import CSluice
internal import Wire

typealias SocketPointer = UnsafeMutablePointer<SocketState>

/// One WebSocket. An idle one owns nothing else: no buffer, no task. Confined to its loop.
struct SocketState {
  let connection: ConnectionPointer
  var table: UnsafePointer<sluice_websocket_handler_v1_t>
  var generation: Unmanaged<Generation>
  var token: UInt64 = 0
  /// The plugin's own word for this connection; while it is nobody's, the address of its handshake's request.
  var context: UInt64 = 0
  var principal: Unmanaged<Principal>?
  var decoder = FrameDecoder()
  /// A message that comes in pieces, until it is whole.
  var message = MessageMemory()
  var messageLimit: UInt32
  var plugin: Int32
  var handler: UInt32
  var deflate = SocketDeflate()
  var flags: SocketFlags = []
  var closeCode: UInt16 = 1006
  /// Owned while messages are compressed or inflated.
  var codecs: UnsafeMutablePointer<SocketCodecs>?
  var memberships: UnsafeMutablePointer<Membership>?
  var membershipCount: UInt32 = 0
  var membershipCapacity: UInt32 = 0
  /// Neighbours among the sockets of the generation.
  var previous: SocketPointer?
  var next: SocketPointer?

  /// The plugin's own word for its shard.
  var shard: UInt64 { generation._withUnsafeGuaranteedRef { $0.shards[Int(plugin)] } }
}

struct SocketFlags: OptionSet {
  let rawValue: UInt8
  /// The plugin has not accepted it yet: what it sends waits behind the answer to the handshake.
  static let isOpening = SocketFlags(rawValue: 1)
  /// The connection's bytes come to the socket.
  static let isTakenOver = SocketFlags(rawValue: 2)
  static let closeSent = SocketFlags(rawValue: 4)
  /// The peer has closed, or a violation was found: nothing it sends is looked at.
  static let isDeaf = SocketFlags(rawValue: 8)
  /// The plugin has been told of the end.
  static let hasEnded = SocketFlags(rawValue: 16)
  static let awaitsPong = SocketFlags(rawValue: 32)
  /// It lies on a stream of its connection.
  static let isOverHTTP2 = SocketFlags(rawValue: 64)
  /// It is nobody's: its credential comes in the first message.
  static let isGreeting = SocketFlags(rawValue: 128)
}

/// Close codes of the host's own (docs: 3000–3499 and 4000–4499 ask the client to come back, 3500–3999 and
/// 4500–4999 not to).
enum HostCloseCode {
  /// The gateway is going away or has a new generation of the plugin: come back and resume.
  static let shutdown: UInt16 = 3001
  /// The client does not keep up: come back and resume.
  static let slow: UInt16 = 3008
  /// The first message's credential is none, and the plugin does not say otherwise.
  static let refused: UInt16 = 3500
  /// The plugin has been switched off for the app.
  static let disabled: UInt16 = 3503
}

extension UnsafeMutablePointer where Pointee == SocketState {
  var loop: LoopPointer { pointee.connection.loop }

  /// Calls the plugin, which may do anything meanwhile, also close this socket.
  func call(_ function: StaticString, _ body: (borrowing sluice_websocket_handler_v1_t) -> Void) {
    let mark = loop.pointee.mark
    let plugin = Int(pointee.plugin)
    let table = pointee.table
    mark.pointee.enter(
      pointee.generation._withUnsafeGuaranteedRef { $0.instanceWords[plugin] }, function)
    body(table.pointee)
    mark.pointee.leave()
  }

  /// Tells the plugin of the end, once.
  func end(code: UInt16, reason: UnsafeRawBufferPointer) {
    guard !pointee.flags.contains(.hasEnded) else { return }
    pointee.flags.insert(.hasEnded)
    let loop = loop
    loop.pointee.tokens.remove(pointee.token)
    loop.leaveGroups(self)
    loop.pointee.metrics.add(.webSocketsOpen, -1)
    if pointee.flags.contains(.isGreeting) { return }
    let (shard, handler, context, token) = (
      pointee.shard, pointee.handler, pointee.context, pointee.token
    )
    call("closed") { table in
      table.closed(shard, handler, context, token, UInt32(code), sluice_slice_t(reason))
    }
  }

  /// Frees everything. The connection is closed.
  func destroy() {
    let generation = pointee.generation
    destroyCodecs()
    pointee.message.release()
    pointee.memberships?.deallocate()
    pointee.principal?.release()
    if !pointee.flags.contains(.isGreeting) {
      generation._withUnsafeGuaranteedRef { $0.tenant?.usage.leave() }
    }
    generation._withUnsafeGuaranteedRef { $0.remove(self) }
    deinitialize(count: 1)
    deallocate()
    generation._withUnsafeGuaranteedRef { $0.leave() }
    generation.release()
  }
}

extension sluice_slice_t {
  /// The bytes as the contract shows them, borrowed.
  @inlinable
  public init(_ bytes: UnsafeRawBufferPointer) {
    self.init(
      bytes: bytes.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) },
      length: UInt64(bytes.count))
  }

  /// The bytes, borrowed as the slice is.
  @inlinable
  public var raw: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: bytes, count: Int(length))
  }
}
