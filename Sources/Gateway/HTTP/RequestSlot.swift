public import CSluice
internal import Wire

typealias RequestPointer = UnsafeMutablePointer<RequestSlot>

/// One request from its head to the end of its answer. Pooled; confined to its loop.
///
/// While it is dealt with at once, its head and body lie in the loop's read buffer. When something must wait, both are
/// copied to memory of its own (`keep`), so that slices stay valid until the token dies.
struct RequestSlot {
  var token: UInt64 = 0
  var connection: ConnectionPointer?
  /// The stream that it came on, when the connection speaks HTTP/2.
  var http2: StreamPointer?
  /// The first byte of the head.
  var base: UnsafeRawPointer
  var fields: UnsafeMutablePointer<HeaderField>
  var headCount = 0
  var began: UInt64 = 0
  /// Bytes of the answer so far.
  var sent = 0
  /// Kept alive by the request only when that waits: until then the loop does nothing else.
  var tenant: Unmanaged<Tenant>?
  /// Kept alive by the count of its users.
  var generation: Unmanaged<Generation>?
  var principal: Unmanaged<Principal>?
  /// The request's own copy of head and fields.
  var kept: UnsafeMutableRawPointer?
  var body: UnsafeRawPointer?
  var bodyCount = 0
  /// Pieces of memory for decoded values, freed with the request.
  var arena = Arena()
  /// Header fields that the plugin adds to the answer.
  var added: ByteWriter?
  /// The way through the phases in which plugins have a part, if any has.
  var passage: UnsafeMutablePointer<PhasePassage>?
  /// What an `Idempotency-Key` has claimed, retained; a ``RequestClaim``.
  var claim: Unmanaged<AnyObject>?
  var rateRemaining = -1
  var rateReset = 0
  var route: Int32 = -1
  var status: UInt16 = 0
  var flags: RequestFlags = []
  var stage = RequestStage.tenant

  // What only some requests use lies behind, so that it is not touched by the others.

  var head = RequestHead()
  var parameters = InlineArray<8, ByteSpan>(repeating: .empty)
  var requestID = RequestID()
  /// The request's own memory for the body.
  var bodyMemory: UnsafeMutableRawPointer?
  var bodyCapacity = 0
  var chunks = ChunkedDecoder()
  /// Body bytes still to come on a connection, when their number is known; else -1.
  var bodyLeft: Int64 = 0
  var identityDigest: Digest?
  var stream = AnswerStream()
  /// The WebSocket that was accepted before its credential has come; nil but for such a handshake.
  var greeting: GreetingPointer?
  /// What the request's query or body has led to; nil where nobody has looked. Lies in the arena.
  var found: UnsafeMutablePointer<FoundCredential>?
  /// A plugin's outstanding wish for the next piece of a streamed body.
  var pull: Completion?
  /// The next slot that is not in use.
  var nextSpare: RequestPointer?

  init(base: UnsafeRawPointer, fields: UnsafeMutablePointer<HeaderField>) {
    self.base = base
    self.fields = fields
  }

  /// Puts back what a request leaves behind, its memory having been released.
  @inline(__always)
  mutating func reset() {
    connection = nil
    http2 = nil
    generation = nil
    sent = 0
    rateRemaining = -1
    route = -1
    status = 0
    flags = []
    // Whoever still holds the slot sees that the request is over.
    stage = .answered
    // The first is filled before any other.
    if parameters[0].length > 0 { parameters = InlineArray(repeating: .empty) }
    if head.hasBody {
      body = nil
      bodyCount = 0
      bodyCapacity = 0
      bodyLeft = 0
      chunks = ChunkedDecoder()
    }
    identityDigest = nil
    found = nil
    stream = AnswerStream()
    pull = nil
  }
}

/// How far a request has come. Each stage is entered once, in this order; `limit` and `body` again for each plugin that
/// the request has waited for there.
enum RequestStage: UInt8 {
  case tenant, open, route, identify, limit, body, handle
  // Those below wait for something outside.
  case opening, identifying, inPhase, receiving, greeting, claiming, handling
  // From here on the request has its answer.
  case responding, held, recording, streaming, answered

  /// Whether an answer may still be given.
  @inline(__always)
  var takesAnswer: Bool { rawValue < RequestStage.responding.rawValue }

  var isWaiting: Bool { rawValue >= Self.opening.rawValue && self != .answered }

  /// Whether it waits for somebody here, and not for its peer.
  var awaitsAnswer: Bool {
    switch self {
    case .opening, .identifying, .inPhase, .claiming, .handling: true
    default: false
    }
  }
}

struct RequestFlags: OptionSet {
  let rawValue: UInt32
  /// `advance` runs on it further up the stack.
  static let isAdvancing = RequestFlags(rawValue: 1 << 0)
  static let isHead = RequestFlags(rawValue: 1 << 1)
  /// The connection ends with this answer.
  static let mustClose = RequestFlags(rawValue: 1 << 2)
  static let isChunkedAnswer = RequestFlags(rawValue: 1 << 3)
  /// The plugin has it, so it wants to hear of its end.
  static let isWithPlugin = RequestFlags(rawValue: 1 << 4)
  /// The tenant is retained.
  static let holdsTenant = RequestFlags(rawValue: 1 << 5)
  /// All of the body has been read.
  static let bodyIsComplete = RequestFlags(rawValue: 1 << 6)
  static let continueSent = RequestFlags(rawValue: 1 << 7)
  /// A credential was shown that leads to no tenant.
  static let isUnknown = RequestFlags(rawValue: 1 << 8)
  /// An extended CONNECT: whatever else is at its path, it asks for a WebSocket (RFC 8441 §4).
  static let isTunnel = RequestFlags(rawValue: 1 << 9)
  /// Its credential comes in the first message of the WebSocket that it asks for.
  static let awaitsGreeting = RequestFlags(rawValue: 1 << 10)
  /// The plugin waits for a piece of the body, or for room in its answer, or has waited.
  static let hasWaited = RequestFlags(rawValue: 1 << 11)
  /// Its credential is looked for in its query and body.
  static let awaitsCredential = RequestFlags(rawValue: 1 << 12)
  /// That has been done.
  static let hasFound = RequestFlags(rawValue: 1 << 13)
  /// The credential of its handshake is not let in, which the WebSocket is accepted to be told.
  static let isTurnedAway = RequestFlags(rawValue: 1 << 14)
  /// That credential was good once.
  static let hasExpired = RequestFlags(rawValue: 1 << 15)
  /// A browser's question what a page of another origin may send.
  static let isPreflight = RequestFlags(rawValue: 1 << 16)

  /// Its credential is a key with a checksum that is not its own.
  static let isMistyped = RequestFlags(rawValue: 1 << 17)
  /// Its answer has no length and is one of the tenant's connections.
  static let isConnection = RequestFlags(rawValue: 1 << 18)
  /// It is one of the tenant's requests: somebody has shown a credential for it.
  static let isCounted = RequestFlags(rawValue: 1 << 21)

  /// An app is named that there is not, and nothing else names any: the request is at the platform, to be refused there.
  static let namesNoApp = RequestFlags(rawValue: 1 << 19)
  /// ``isUnknown``, and `?app=` alone names the app: the credential must be good on every route, so that the answer is the same
  /// for an app that there is not.
  static let isUnproven = RequestFlags(rawValue: 1 << 20)

  /// A token that nobody has looked at yet has led to the tenant.
  static let isClaimed = RequestFlags(rawValue: 1 << 22)

  /// Those with which a request does not simply go on where its route is known.
  static let leadsElsewhere: RequestFlags = [.hasFound, .namesNoApp, .isUnproven]

  /// Each of them once.
  static let all: [RequestFlags] = [
    .isAdvancing, .isHead, .mustClose, .isChunkedAnswer, .isWithPlugin, .holdsTenant,
    .bodyIsComplete, .continueSent, .isUnknown, .isTunnel, .awaitsGreeting, .hasWaited,
    .awaitsCredential, .hasFound, .isTurnedAway, .hasExpired, .isPreflight,
    .isMistyped, .isConnection, .namesNoApp, .isUnproven, .isCounted, .isClaimed,
  ]
}

/// A plugin's completion function with its context, kept until its moment.
public struct Completion {
  /// The plugin's; called once, on the shard's loop.
  public let function: sluice_completion_fn
  /// The plugin's number, handed back unread.
  public let context: UInt64

  /// - Parameter context: handed back unread.
  public init(_ function: @escaping sluice_completion_fn, _ context: UInt64) {
    self.function = function
    self.context = context
  }
}

/// The state of an answer that is sent in pieces.
struct AnswerStream {
  /// Bytes that are still owed of a fixed length; -1 when chunked.
  var left: Int64 = -1
  /// What to call when the peer has caught up: filled while the plugin waits.
  var resume: Completion?
}
