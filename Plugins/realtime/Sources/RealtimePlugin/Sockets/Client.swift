internal import PluginKit

/// How a connection speaks.
enum Dialect {
  /// Centrifugo's client protocol, JSON.
  case commands
  /// Plain JSON, as at `/ws`.
  case plain
}

/// One connection that asks and is answered: its conversation, and the names by which others know it.
final class Client: WheelMember {
  let connection: Transport
  let dialect: Dialect
  /// What writes what the client is told.
  let writer: EventWriter
  let user: String
  /// What it is called among the members of channels.
  let name: String
  /// What its token says of it, for those who see it; nil is nothing.
  let info: [UInt8]?
  let openedAt: Timestamp
  /// By what its commands are known that come beside its connection; nil where none do.
  let session: String?
  /// Commands that came behind "connect" and wait for its answer, and how many bytes of messages they came in.
  var held: [Command] = []
  var heldBytes = 0
  /// How many bytes of replies go out together.
  static let repliesBytes = 16_384
  /// Replies of this turn of the loop, joined by line feeds, that go out at its end.
  private var replies: [UInt8] = []
  var conversation: Conversation<Channel>
  /// Whether it has said anything.
  var hasSpoken = false
  /// Whether it knows that its token is about to run out.
  var isWarned = false
  var wheelSlot: UInt16 = 0
  var wheelIndex: Int32 = -1

  init(
    _ connection: Transport, _ dialect: Dialect, _ writer: EventWriter, user: String, name: String,
    info: [UInt8]?, session: String? = nil, at now: Timestamp
  ) {
    self.connection = connection
    self.dialect = dialect
    self.writer = writer
    self.user = user
    self.name = name
    self.info = info
    self.session = session
    openedAt = now
    conversation = Conversation(phase: dialect == .plain ? .connected : .fresh)
  }

  /// What it is called where an app's server asks.
  var transport: String {
    switch connection {
    case .socket: dialect == .plain ? "ws" : "websocket"
    case .stream(let stream): stream.format.rawValue
    }
  }

  var isOpen: Bool { conversation.phase != .ended }

  func send(_ line: [UInt8]) {
    guard !replies.isEmpty else { return connection.send(line) }
    hold(line)
    flush()
  }

  /// Keeps a reply for the next message, in which it stands on a line of its own.
  private func hold(_ line: [UInt8]) {
    if !replies.isEmpty { replies.append(UInt8(ascii: "\n")) }
    replies += line
  }

  /// Sends the replies that have been kept.
  func flush() {
    guard !replies.isEmpty else { return }
    let message = replies
    replies = []
    connection.send(message)
  }

  /// Keeps a reply that others may follow at once; false where it is to be sent alone.
  func keeps(_ reply: Reply, to command: Command) -> Bool {
    guard dialect == .commands, conversation.awaitsAnswers || !replies.isEmpty else { return false }
    hold(reply.line(command.id))
    if replies.count > Self.repliesBytes { flush() }
    return true
  }

  /// Tells the client what came of a command.
  func reply(_ reply: Reply, to command: Command) {
    switch dialect {
    case .commands: send(reply.line(command.id))
    case .plain:
      if let message = PlainMessage.reply(reply, to: command, writer) { send(message) }
      // What was missed comes as it would have come.
      guard case .subscribe(let result) = reply, let channel = command.request.channel else {
        return
      }
      for event in result.publications { send(writer.named(event, in: channel)) }
    }
  }

  /// Tells the client that a subscription has ended by the server's doing.
  func tell(_ code: UnsubscribeCode, of channel: String) {
    switch dialect {
    case .commands: send(Push.unsubscribe(code, from: channel))
    case .plain: send(PlainMessage.unsubscribed(code, from: channel))
    }
  }

  /// Asks whether the client is there.
  func ping() {
    switch dialect {
    case .commands: send(Array("{}".utf8))
    case .plain: send(PlainMessage.ping)
    }
  }

  /// Says why, and closes; nothing is sent any more.
  ///
  /// - Parameter why: what a client without an SDK is told, where the code alone says too little.
  func close(_ close: CloseCode, saying why: [UInt8]? = nil) {
    flush()
    if dialect == .plain { send(why ?? PlainMessage.closing(close)) }
    connection.close(close)
  }

  func described(in channel: [UInt8]? = nil) -> ClientInfo {
    ClientInfo(user: user, client: name, connection: info, channel: channel)
  }
}
