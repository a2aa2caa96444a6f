internal import PluginKit

/// What a message has to pass before it is written, in channels of a type.
struct MessageGate: Sendable, Equatable {
  /// How another plugin is asked (`sluice/services/message-filter.h`).
  struct Filter: Decodable, Sendable, Equatable {
    enum Fallback: String, Decodable { case refuse, pass }

    let timeout: Int
    /// What becomes of messages when there is no answer.
    let onFailure: Fallback

    private enum CodingKeys: String, CodingKey {
      case timeout = "timeout_ms"
      case onFailure = "on_failure"
    }

    init(from decoder: any Decoder) throws {
      let filter = try decoder.container(keyedBy: CodingKeys.self)
      timeout = try filter.decodeIfPresent(Int.self, forKey: .timeout) ?? 1_000
      onFailure = try filter.decodeIfPresent(Fallback.self, forKey: .onFailure) ?? .refuse
    }
  }

  /// nil where nobody is asked.
  var filter: Filter?
  /// By name.
  var lists: [(name: String, list: Blocklist)] = []

  static func == (one: MessageGate, other: MessageGate) -> Bool {
    one.filter == other.filter && one.lists.map(\.name) == other.lists.map(\.name)
  }

  /// Whether everything passes.
  var isOpen: Bool { filter == nil && lists.isEmpty }

  /// What a message is that has passed.
  struct Passed {
    var message: Message
    /// Whether it is to reach its author alone.
    var isHeld = false
    /// The lists that want it to be looked at.
    var flags: [String] = []
    /// What it links to and has not linked to before.
    var uploads: [LinkedUpload] = []
  }

  /// What the lists make of a message.
  ///
  /// - Throws: `Problem` 403 when one refuses it.
  func look(at message: Message) throws -> Passed {
    var passed = Passed(message: message)
    guard !lists.isEmpty else { return passed }
    let words = Blocklist.words(of: message.text)
    for (name, list) in lists where !list.words.isDisjoint(with: words) {
      switch list.action {
      case .block:
        throw Problem.forbidden("The message has a word of the blocklist \"\(name)\".")
      case .flag: passed.flags.append(name)
      case .shadow: passed.isHeld = true
      }
    }
    return passed
  }
}

/// The question to `sluice.message-filter/1`, method 1.
private struct FilterQuestion: Encodable {
  let action: String
  let message: Message
}

private struct FilterAnswer: Decodable, Sendable {
  enum Action: String, Decodable { case pass, rewrite, refuse }

  let action: Action
  let text: String?
  let custom: RawJSON?
  let reason: String?
}

extension ChatShard {
  /// What a user's message is before it is written: as another plugin has left it, and the app's lists allow it.
  ///
  /// - Throws: `Problem` 403 when it is refused; 503 when the plugin that is to look at it does not answer, and messages are not to pass then.
  func pass(
    _ message: Message, isEdit: Bool = false, in address: ChannelAddress, _ type: ChannelType,
    for actor: AppActor, who permission: Permission
  ) async throws -> MessageGate.Passed {
    let gate = type.gate
    guard actor.user != nil, !gate.isOpen else { return MessageGate.Passed(message: message) }
    var message = message
    if let filter = gate.filter {
      // Nobody else is asked about what is refused all the same.
      if !isEdit { try await admit(actor, to: address, type, for: permission) }
      message = try await filtered(message, isEdit: isEdit, filter)
      try type.check(text: message.text)
      try message.requireContent()
    }
    return try gate.look(at: message)
  }

  private func filtered(
    _ message: Message, isEdit: Bool, _ filter: MessageGate.Filter
  ) async throws -> Message {
    let question = FilterQuestion(action: isEdit ? "edit" : "send", message: message.published)
    let answer: FilterAnswer
    do {
      answer = try await ask(
        "sluice.message-filter/1", method: 1, question, within: filter.timeout)
    } catch {
      context.log.warning("a message cannot be looked at", ["error": "\(error)"])
      guard filter.onFailure == .pass else {
        throw Problem.unavailable("Messages cannot be looked at now. Try again later.")
      }
      return message
    }
    switch answer.action {
    case .pass: return message
    case .refuse: throw Problem.forbidden(answer.reason ?? "The message is refused.")
    case .rewrite:
      var rewritten = message
      rewritten.text = answer.text ?? message.text
      rewritten.custom = answer.custom ?? message.custom
      return rewritten
    }
  }
}
