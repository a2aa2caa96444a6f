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

  private static func isBlank(_ line: ArraySlice<UInt8>) -> Bool {
    line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
  }
}
