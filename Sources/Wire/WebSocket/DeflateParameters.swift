/// On what conditions a server takes permessage-deflate.
public struct DeflateTerms: Equatable, Sendable {
  /// Whether either side may remember its earlier messages, which costs the server memory for each connection.
  public var allowsContextTakeover: Bool
  /// The largest window, 9 to 15, of a side that remembers.
  public var contextWindowBits: UInt8

  /// - Precondition: a window of 9 to 15.
  public init(allowsContextTakeover: Bool = false, contextWindowBits: UInt8 = 15) {
    precondition((9...15).contains(contextWindowBits))
    self.allowsContextTakeover = allowsContextTakeover
    self.contextWindowBits = contextWindowBits
  }
}

/// What both sides have agreed on for permessage-deflate, RFC 7692 §7.
public struct DeflateParameters: Equatable, Sendable {
  /// Whether the server compresses each message by itself.
  public var serverNoContextTakeover: Bool
  /// Whether the client compresses each message by itself.
  public var clientNoContextTakeover: Bool
  /// The largest window that the server may use, 9 to 15.
  public var serverMaxWindowBits: UInt8
  /// The largest window that the client uses, 8 to 15.
  public var clientMaxWindowBits: UInt8
  /// Whether the answer names the windows, because the offer did or they are smaller than without a word.
  var namesServerWindow: Bool
  var namesClientWindow: Bool

  /// What `terms` make of an offer, or nil when it is declined.
  ///
  /// An offer of `server_max_window_bits=8` is declined: zlib has no raw deflate with a window of 256 bytes. Both
  /// `…_no_context_takeover` may be answered though they were not offered (§7.1.1.1, §7.1.1.2), and so may
  /// `server_max_window_bits` (§7.1.2.1); `client_max_window_bits` may not (§7.1.2.2).
  public init?(_ offer: DeflateOffer, _ terms: DeflateTerms) {
    let offeredServer = offer.serverMaxWindowBits ?? 15
    guard offeredServer > 8 else { return nil }
    let offeredClient = offer.clientMaxWindowBits ?? 15
    serverNoContextTakeover = offer.serverNoContextTakeover || !terms.allowsContextTakeover
    clientNoContextTakeover = offer.clientNoContextTakeover || !terms.allowsContextTakeover
    serverMaxWindowBits =
      serverNoContextTakeover ? offeredServer : min(offeredServer, terms.contextWindowBits)
    clientMaxWindowBits =
      clientNoContextTakeover || offer.clientMaxWindowBits == nil
      ? offeredClient : min(offeredClient, terms.contextWindowBits)
    namesServerWindow = offer.serverMaxWindowBits != nil || serverMaxWindowBits < 15
    namesClientWindow = clientMaxWindowBits < 15
  }

  /// The first offer that the terms accept, or nil: then nothing is answered and nothing compressed. For heads that
  /// `WebSocketHandshake.check` accepted.
  public static func negotiate(
    _ head: RequestHead, _ fields: UnsafeMutableBufferPointer<HeaderField>,
    in base: UnsafeRawPointer, terms: DeflateTerms
  ) -> DeflateParameters? {
    var offers = ExtensionOffers(head, fields)
    while true {
      switch offers.next(in: base) {
      case .deflate(let offer):
        if let agreed = DeflateParameters(offer, terms) { return agreed }
      case .declined: continue
      case .malformed, .end: return nil
      }
    }
  }

  /// The most that ``appendAnswer(to:)`` writes.
  public static var answerBytes: Int { 128 }

  /// Appends the value of the answer's `Sec-WebSocket-Extensions`.
  public func appendAnswer(to output: inout ByteWriter) {
    output.append(DeflateOffer.name)
    if serverNoContextTakeover { append(DeflateOffer.serverNoContextTakeover, to: &output) }
    if clientNoContextTakeover { append(DeflateOffer.clientNoContextTakeover, to: &output) }
    if namesServerWindow {
      append(DeflateOffer.serverMaxWindowBits, serverMaxWindowBits, to: &output)
    }
    if namesClientWindow {
      append(DeflateOffer.clientMaxWindowBits, clientMaxWindowBits, to: &output)
    }
  }

  private func append(_ name: StaticString, _ value: UInt8? = nil, to output: inout ByteWriter) {
    output.append("; ")
    output.append(name)
    guard let value else { return }
    output.append(0x3d)
    if value > 9 { output.append(0x31) }
    output.append(0x30 + value % 10)
  }
}
