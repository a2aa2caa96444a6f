internal import PluginKit

/// One connection of the protocol: its conversation, and the names by which others know it.
final class Client: WheelMember {
  let connection: Connection
  let user: String
  /// What it is called among the members of channels.
  let name: String
  /// What its token says of it, for those who see it; nil is nothing.
  let info: [UInt8]?
  let openedAt: Timestamp
  var conversation = Conversation<Channel>()
  var wheelSlot: UInt16 = 0
  var wheelIndex: Int32 = -1

  init(_ connection: Connection, user: String, name: String, info: [UInt8]?, at now: Timestamp) {
    self.connection = connection
    self.user = user
    self.name = name
    self.info = info
    openedAt = now
  }

  var isOpen: Bool { conversation.phase != .ended }

  func send(_ line: [UInt8]) { connection.send(line, as: .text) }

  /// Tells the client what came of a command.
  func reply(_ reply: Reply, to command: Command) { send(reply.line(command.id)) }

  /// Tells the client that a subscription has ended by the server's doing.
  func tell(_ code: UnsubscribeCode, of channel: String) {
    send(Push.unsubscribe(code, from: channel))
  }

  /// Asks whether the client is there.
  func ping() { connection.send("{}") }

  /// Says why, and closes; nothing is sent any more.
  func close(_ close: CloseCode) { connection.close(code: close.code, reason: close.reason) }

  func described(in channel: [UInt8]? = nil) -> ClientInfo {
    ClientInfo(user: user, client: name, connection: info, channel: channel)
  }
}
