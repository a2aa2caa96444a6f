import PluginKit

/// A step as it comes to pass in a model: the request, and what it does.
struct Deed {
  let method: String
  let target: String
  let body: String
  let principal: Principal
  let status: Int
  /// What the answer says to be unread; nil where it says nothing of the kind.
  var answers: ((UnreadModel) -> Int?)?
  /// Nothing where it is refused.
  let effect: Effect

  typealias Effect = (inout UnreadModel) -> Void

  init(
    _ method: String, _ target: String, body: String = "", as principal: Principal = .key(),
    status: Int = 200, effect: @escaping Effect
  ) {
    self.method = method
    self.target = target
    self.body = body
    self.principal = principal
    self.status = status
    self.effect = effect
  }

  /// The same, which comes to nothing.
  func refused(_ status: Int) -> Deed {
    Deed(method, target, body: body, as: principal, status: status) { _ in }
  }
}

/// What the model's numbers are called by in one history.
struct Names {
  /// So that many histories go on in one app without knowing of each other.
  let history: Int

  func user(_ number: Int) -> String { "h\(history)-u\(number)" }
  func message(_ number: Int) -> String { "h\(history)-m\(number)" }
  func channel(_ number: Int) -> String {
    "\(number == 2 ? "messaging" : "private"):h\(history)-c\(number)"
  }
  func path(_ channel: Int) -> String {
    "/v1/channels/\(self.channel(channel).split(separator: ":").joined(separator: "/"))"
  }
}

extension UnreadModel {
  /// What a step comes to; nil where there is nothing that it could be done to.
  func deed(_ step: Step, _ names: Names) -> Deed? {
    switch step {
    case .send(let user, let channel, let isSilent):
      return posting(
        user % Self.users, channel % channels.count, names, #","silent":\#(isSilent)"#,
        isSilent: isSilent)
    case .reply(let user, let message, let isShown, let isSilent, let mention):
      return reply(
        user % Self.users, message, isShown, isSilent, mention.map { $0 % Self.users }, names)
    case .mention(let user, let message):
      let user = user % Self.users
      guard let message = live(message), !message.mentions.contains(user) else { return nil }
      return Deed(
        "PATCH", "/v1/messages/\(names.message(message.number))",
        body: #"{"mentions":["\#(names.user(user))"]}"#
      ) { $0.mention(user, in: message.number) }
    case .delete(let message, let isHard):
      guard let message = there(message), isHard || !message.isDeleted,
        !isHard || liveReplies(to: message.number).isEmpty
      else { return nil }
      return Deed(
        "DELETE", "/v1/messages/\(names.message(message.number))?hard=\(isHard)",
        status: 204
      ) { $0.delete(message.number, isHard: isHard) }
    case .read(let user, let message, let isUnread):
      return reading(user % Self.users, message, isUnread, names)
    case .readThread(let user, let message, let isUnread):
      return readingThread(user % Self.users, message, isUnread, names)
    case .erase(let user, let isAnonymous):
      return erasing(user % Self.users, isAnonymous, names)
    case .bring(let user, let channel, let message, let isReply):
      return bringing(user, channel % channels.count, message, isReply, names)
    case .together: return nil
    default: return change(step, names)
    }
  }

  /// One that is there, deleted or not, in a channel that is there.
  ///
  /// - Parameter user: whose own held messages are there too; nil for nobody's.
  func there(_ number: Int, to user: Int? = nil) -> Message? {
    guard !messages.isEmpty else { return nil }
    let message = messages[number % messages.count]
    guard !message.isHeld || message.author == user, !message.isPurged,
      !channels[message.channel].isDeleted
    else {
      return nil
    }
    return message
  }

  private func live(_ number: Int) -> Message? {
    there(number).flatMap { $0.isDeleted ? nil : $0 }
  }

  private func posting(
    _ user: Int, _ channel: Int, _ names: Names, _ more: String, root: Int? = nil,
    isShown: Bool = true, isSilent: Bool, mention: Int? = nil
  ) -> Deed {
    let isHeld = channels[channel].shadowed.contains(user)
    let deed = Deed(
      "POST", names.path(channel) + "/messages",
      body: #"{"text":"x","id":"\#(names.message(messages.count))"\#(more)}"#,
      as: .user(names.user(user)), status: 201
    ) {
      $0.post(
        by: user, in: channel, root: root, isShown: isShown, isSilent: isSilent, isHeld: isHeld,
        mention: mention)
    }
    guard mayRead(user, channel) else {
      return deed.refused(channels[channel].isDeleted ? 404 : 403)
    }
    if !isHeld, let root, messages[root].isDeleted { return deed.refused(400) }
    return deed
  }

  private func reply(
    _ user: Int, _ number: Int, _ isShown: Bool, _ isSilent: Bool, _ mention: Int?, _ names: Names
  ) -> Deed? {
    guard let message = there(number) else { return nil }
    let root = message.root ?? message.number
    guard !messages[root].isPurged else { return nil }
    let mentions = mention.map { #","mentions":["\#(names.user($0))"]"# } ?? ""
    return posting(
      user, message.channel, names,
      #","parent_id":"\#(names.message(root))","show_in_channel":\#(isShown),"silent":\#(isSilent)\#(mentions)"#,
      root: root, isShown: isShown, isSilent: isSilent, mention: mention)
  }

  private func reading(_ user: Int, _ number: Int, _ isUnread: Bool, _ names: Names) -> Deed? {
    guard let message = there(number, to: user), message.isListed || message.isHeld else {
      return nil
    }
    var deed = Deed(
      "POST", names.path(message.channel) + "/read",
      body: #"{"message_id":"\#(names.message(message.number))","unread":\#(isUnread)}"#,
      as: .user(names.user(user))
    ) { $0.read(message.number, by: user, isUnread: isUnread) }
    guard mayRead(user, message.channel) else { return deed.refused(403) }
    deed.answers = {
      $0.isMember(user, of: message.channel) ? $0.unread(of: message.channel, by: user) : nil
    }
    return deed
  }

  private func readingThread(
    _ user: Int, _ number: Int, _ isUnread: Bool, _ names: Names
  ) -> Deed? {
    guard let message = there(number, to: user) else { return nil }
    let root = message.root ?? message.number
    guard !messages[root].isPurged, !messages[root].isHeld else { return nil }
    let live = liveReplies(to: root).map(\.place)
    let place = message.root != nil ? message.place : isUnread ? live.first : live.last
    let named = message.root == nil ? "" : #","message_id":"\#(names.message(message.number))""#
    var deed = Deed(
      "POST", "/v1/messages/\(names.message(root))/thread/read",
      body: #"{"unread":\#(isUnread)\#(named)}"#, as: .user(names.user(user))
    ) {
      if let place { $0.readThread(root, to: place, by: user, isUnread: isUnread) }
    }
    guard mayRead(user, message.channel) else { return deed.refused(404) }
    deed.answers = { $0.unread(ofThread: root, by: user) }
    return deed
  }

  /// What happens to channels and those who are in them.
  private func change(_ step: Step, _ names: Names) -> Deed? {
    switch step {
    case .mute(let user, let other, let isOn):
      let (user, other) = (user % Self.users, other % Self.users)
      guard user != other else { return nil }
      return Deed(
        isOn ? "PUT" : "DELETE", "/v1/mutes/\(names.user(other))",
        as: .user(names.user(user)), status: isOn ? 200 : 204
      ) {
        if isOn { $0.mutes[user, default: []].insert(other) } else { $0.mutes[user]?.remove(other) }
      }
    case .deleteChannel(let channel, let isHard):
      let channel = channel % channels.count
      guard isHard ? !channels[channel].isPurged : !channels[channel].isDeleted else { return nil }
      return Deed(
        "DELETE", names.path(channel) + "?hard=\(isHard)", status: 204
      ) {
        $0.channels[channel].isDeleted = true
        $0.channels[channel].isPurged = isHard
      }
    case .shadow(let user, let channel, let isOn):
      return change(
        user, channel, names, isOn ? "PUT" : "DELETE", "/bans/{user}", #"{"shadow":true}"#,
        isOn ? 200 : 204
      ) {
        if isOn { $0.channels[$2].shadowed.insert($1) } else { $0.channels[$2].shadowed.remove($1) }
      }
    case .join(let user, let channel):
      guard !isMember(user % Self.users, of: channel % channels.count) else { return nil }
      return change(user, channel, names, "POST", "/members", #"{"members":["{user}"]}"#, 200) {
        $0.join($1, $2)
      }
    case .leave(let user, let channel):
      guard isMember(user % Self.users, of: channel % channels.count) else { return nil }
      return change(user, channel, names, "DELETE", "/members?user_id={user}", "", 204) {
        $0.leave($1, $2)
      }
    case .give(let user, let channel, let isOutsider):
      guard isMember(user % Self.users, of: channel % channels.count) else { return nil }
      let role = isOutsider ? "outsider" : "member"
      return change(user, channel, names, "PATCH", "/members/{user}", #"{"role":"\#(role)"}"#, 200)
      {
        $0.channels[$2].members[$1]?.isOutsider = isOutsider
      }
    case .hide(let user, let channel):
      guard isMember(user % Self.users, of: channel % channels.count) else { return nil }
      return change(
        user, channel, names, "PATCH", "/membership", #"{"hidden":true,"user_id":"{user}"}"#, 200
      ) {
        let last = $0.channels[$2].last
        $0.channels[$2].members[$1]?.hidden = last
      }
    default: return nil
    }
  }

  /// A change by the app's server of what a user is in a channel, if that is there.
  private func change(
    _ user: Int, _ channel: Int, _ names: Names, _ method: String, _ target: String,
    _ body: String, _ status: Int, _ effect: @escaping (inout UnreadModel, Int, Int) -> Void
  ) -> Deed? {
    let (user, channel) = (user % Self.users, channel % channels.count)
    guard !channels[channel].isDeleted else { return nil }
    let fill = { (text: String) in text.replacing("{user}", with: names.user(user)) }
    return Deed(
      method, names.path(channel) + fill(target),
      body: method == "DELETE" ? "" : fill(body), status: status
    ) { effect(&$0, user, channel) }
  }
}
