import PluginKit

/// What is done for the app's server while nobody waits.
extension UnreadModel {
  func erasing(_ user: Int, _ isAnonymous: Bool, _ names: Names) -> Deed {
    let mode = isAnonymous ? "anonymise" : "delete"
    return Deed(
      "POST", "/v1/erasures", body: #"{"user_id":"\#(names.user(user))","messages":"\#(mode)"}"#,
      status: 202
    ) { $0.erase(user, isAnonymous: isAnonymous) }
  }

  /// Wrong lines come to nothing, and the others do not care.
  func bringing(
    _ number: Int, _ channel: Int, _ named: Int, _ isReply: Bool, _ names: Names
  ) -> Deed {
    let users = (0..<3).map { (number + $0) % Self.users }
    let message = there(named).flatMap { $0.isHeld || $0.isDeleted ? nil : $0 }
    let root = isReply ? message.map { $0.root ?? $0.number } : nil
    let place = root.map { messages[$0].channel } ?? channel
    let isRight = root.map { !messages[$0].isDeleted && !messages[$0].isPurged } ?? true
    let new = names.message(messages.count)
    var lines = [
      #"{"type":"message","id":"\#(new)","channel":"\#(names.channel(place))","user_id":"\#(names.user(users[0]))","#
        + #""text":"x","created_at":"2025-01-01T00:00:00Z"\#(root.map { #","parent_id":"\#(names.message($0))""# } ?? "")}"#,
      #"{"type":"member","channel":"\#(names.channel(place))","user_id":"\#(names.user(users[1]))","#
        + #""created_at":"2100-01-01T00:00:00Z"}"#,
    ]
    if let message {
      lines.append(
        #"{"type":"read","channel":"\#(names.channel(message.channel))","user_id":"\#(names.user(users[2]))","#
          + #""message_id":"\#(names.message(message.number))"}"#)
    }
    return Deed(
      "POST", "/v1/imports?on_error=skip", body: lines.joined(separator: "\n"), status: 202
    ) { model in
      if !model.channels[place].isDeleted {
        if isRight {
          model.post(
            by: users[0], in: place, root: root, isShown: root == nil, isSilent: false,
            isHeld: false)
        }
        model.bring(users[1], to: place)
      }
      if let message { model.bring(users[2], readingTo: message) }
    }
  }

  // What happens.

  /// Nothing of a user's is left but what he has said, where that is from then on somebody's whom nobody knows.
  mutating func erase(_ user: Int, isAnonymous: Bool) {
    for channel in channels.indices {
      leave(user, channel)
      channels[channel].shadowed.remove(user)
    }
    pseudonyms += 1
    let pseudonym = -pseudonyms
    let answered = Set(messages.indices.filter { !liveReplies(to: $0).isEmpty })
    for number in messages.indices {
      messages[number].mentions.remove(user)
      guard messages[number].author == user else { continue }
      if isAnonymous && !messages[number].isHeld {
        messages[number].author = pseudonym
      } else {
        delete(number, isHard: !answered.contains(number))
      }
    }
    for root in threads.keys { threads[root]?[user] = nil }
    mutes[user] = nil
    for other in mutes.keys where mutes[other]?.remove(user) != nil && isAnonymous {
      mutes[other]?.insert(pseudonym)
    }
  }

  /// Whoever comes so has nothing unread of the channel from before.
  private mutating func bring(_ user: Int, to channel: Int) {
    guard !isMember(user, of: channel) else { return }
    let last = messages.last { $0.channel == channel && !$0.isHeld && !$0.isPurged }
    channels[channel].members[user] = Member(joined: last?.place ?? 0)
  }

  private mutating func bring(_ user: Int, readingTo message: Message) {
    if message.isListed {
      let mark = channels[message.channel].marks[user] ?? 0
      channels[message.channel].marks[user] = max(mark, message.place)
    }
    if let root = message.root {
      readThread(root, to: message.place, by: user, isUnread: false)
    }
  }
}
