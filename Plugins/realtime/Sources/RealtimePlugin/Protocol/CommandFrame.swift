internal import PluginKit

/// A message from a client: commands in JSON, one on a line.
enum CommandFrame {
  /// The most commands that one message holds.
  static let limit = 1_000

  /// The commands of a message, in their order.
  ///
  /// - Throws: `JSONError` when a line is no command, or there are none or too many.
  static func commands(in message: [UInt8]) throws -> [Command] {
    var commands: [Command] = []
    for line in message.split(separator: UInt8(ascii: "\n")) where !isBlank(line) {
      guard commands.count < limit else {
        throw JSONError(pointer: "", message: "more than \(limit) commands in one message")
      }
      // An answer to a ping is most of what comes.
      if line.elementsEqual("{}".utf8) {
        commands.append(Command(id: 0, request: .pong))
      } else {
        commands.append(try JSON.decode(Command.self, from: Array(line)))
      }
    }
    guard !commands.isEmpty else { throw JSONError(pointer: "", message: "an empty message") }
    return commands
  }

  /// The commands that open a connection over HTTP: a "connect" with an id comes first.
  ///
  /// - Parameter query: what `cf_connect` holds; nil where the body has them.
  /// - Throws: `JSONError` when they are none.
  static func opening(query: String?, _ body: [UInt8]) throws -> [Command] {
    let commands = try commands(in: query.map { Array($0.utf8) } ?? body)
    guard case .connect = commands[0].request, commands[0].id > 0 else {
      throw JSONError(pointer: "", message: "The first command is not \"connect\".")
    }
    return commands
  }

  private static func isBlank(_ line: ArraySlice<UInt8>) -> Bool {
    line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
  }
}
