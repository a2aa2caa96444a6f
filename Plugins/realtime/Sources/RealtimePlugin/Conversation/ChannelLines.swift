internal import PluginKit

/// Keeps the commands of one connection that are about one channel in their order, as far as it matters: what changes the
/// subscription waits for all before it, and all behind it wait for that. Commands that change nothing go together.
/// A pure value; empty while no command is under way.
struct ChannelLines {
  private struct Line {
    let channel: String
    /// Commands that are being carried out.
    var underWay: UInt16 = 0
    /// Whether the one that is being carried out changes the subscription.
    var isChanging = false
    var waiting: [Command] = []
  }

  private var lines: [Line] = []

  private func index(_ channel: String?) -> Int? {
    guard !lines.isEmpty, let channel, !channel.isEmpty else { return nil }
    return lines.firstIndex { $0.channel.isExactly(channel) }
  }

  /// Whether a command that has come must wait for others of its channel.
  func mustWait(_ command: Command) -> Bool {
    guard let index = index(command.request.channel) else { return false }
    return !lines[index].waiting.isEmpty || isBlocked(command, lines[index])
  }

  private func isBlocked(_ command: Command, _ line: Line) -> Bool {
    line.isChanging || line.underWay > 0 && command.request.changesSubscription
  }

  /// Has a command wait that must.
  mutating func wait(_ command: Command) {
    if let index = index(command.request.channel) { lines[index].waiting.append(command) }
  }

  /// A command is being carried out that is not done at once.
  mutating func enter(_ command: Command) {
    guard let channel = command.request.channel, !channel.isEmpty else { return }
    if index(channel) == nil { lines.append(Line(channel: channel)) }
    guard let index = index(channel) else { return }
    lines[index].underWay += 1
    lines[index].isChanging = command.request.changesSubscription
  }

  /// A command that has entered is done.
  mutating func leave(_ command: Command) {
    guard let index = index(command.request.channel), lines[index].underWay > 0 else { return }
    lines[index].underWay -= 1
    lines[index].isChanging = false
    dropIfEmpty(index)
  }

  /// The first command of those that wait, if it need not any more. It is to enter, or to be done at once.
  mutating func next(in channel: String) -> Command? {
    guard let index = index(channel), let command = lines[index].waiting.first,
      !isBlocked(command, lines[index])
    else { return nil }
    lines[index].waiting.removeFirst()
    dropIfEmpty(index)
    return command
  }

  private mutating func dropIfEmpty(_ index: Int) {
    guard lines[index].underWay == 0, lines[index].waiting.isEmpty else { return }
    lines.remove(at: index)
    // Idle connections keep no memory for it.
    if lines.isEmpty { lines = [] }
  }
}

extension Command.Request {
  /// Whether what comes behind it about its channel depends on what becomes of it.
  var changesSubscription: Bool {
    switch self {
    case .subscribe, .unsubscribe: true
    default: false
    }
  }
}
