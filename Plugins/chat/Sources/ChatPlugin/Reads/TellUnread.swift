internal import PluginKit

/// Whose counts are told together.
enum Told: Hashable {
  /// Of a channel's members, or of one of them.
  case channel(ChannelAddress, of: ExactText?)
  /// Of those who follow the thread that a message began, or of one of them.
  case thread(String, ChannelAddress, of: ExactText?)
  /// All that a user may have to do with, in a channel or in all.
  case user(ExactText, in: ChannelAddress?)

  /// Whether a count is told after something has happened.
  ///
  /// - Parameter author: who alone has done it, by writing.
  fileprivate func concerns(_ count: UnreadCount, writtenBy author: ExactText?) -> Bool {
    guard count.mayRead else {
      // He has just lost it; anybody else is not to know that there is something to read.
      if case .user(_, in: .some) = self { return true }
      return false
    }
    // A thread that its author comes to may have something unread to him.
    return count.key.user != author || (count.key.parentID != nil && count.unread > 0)
  }
}

/// What a task that tells counts knows. There is one for each `Told`, so that no older count is told after a newer one.
struct Telling {
  /// Whether something has happened since the counts were read.
  private(set) var isDue = false
  /// Whoever alone has done it by writing, so that his own count is as it was; nil for nobody.
  private(set) var author: ExactText?
  /// What was told, or is known to him who has written.
  var known: [UnreadCount.Key: UnreadCount]

  init(known: [UnreadCount.Key: UnreadCount] = [:]) { self.known = known }

  mutating func happened(by author: ExactText?) {
    self.author = isDue && self.author != author ? nil : author
    isDue = true
  }

  /// What happens from here on may be missing in what is read: it is told in another round.
  mutating func beginRound() { isDue = false }
}

/// Telling users on their own channels how much they have not read.
///
/// Other loops tell counts too, and what one of them has read earlier may be told later. So whoever has told something reads again, and
/// tells once more what is not so any more: what is told last is right, whoever was slow.
extension ChatShard {
  /// Members of a channel who are told how much they have not read; in larger channels nobody is.
  static let audience = 100

  /// How long it is waited between two rounds, in milliseconds: what happens meanwhile is told together.
  static let breath = 200

  /// How many channels and how many threads are looked at when much of a user's changes at once.
  static let reach = 1_000

  /// Tells a channel's members, at once or with all that happens in ``breath``, how much they have not read.
  ///
  /// - Parameter user: whose own count has not changed, since he has written it.
  func tellUnread(in address: ChannelAddress, but user: String) {
    tellSoon(.channel(address, of: nil), but: user)
  }

  /// Tells likewise who follows a thread.
  func tellUnread(inThreadOf parent: String, _ address: ChannelAddress, but user: String? = nil) {
    tellSoon(.thread(parent, address, of: nil), but: user)
  }

  /// Tells a user all of his counts that may have changed, in one channel or in all.
  func tellUnread(to user: String, in address: ChannelAddress? = nil) {
    tellSoon(.user(ExactText(user), in: address))
  }

  /// Tells a count that has just been read.
  func tell(_ count: UnreadCount, of told: Told) {
    publish(count)
    tellSoon(told, knowing: count)
  }

  private func tellSoon(_ told: Told, but user: String? = nil, knowing count: UnreadCount? = nil) {
    let isUnderWay = telling[told] != nil
    if let count, !isUnderWay {
      telling[told] = Telling(known: [count.key: count])
    } else {
      telling[told, default: Telling()].happened(by: user.map(ExactText.init))
    }
    guard !isUnderWay else { return }
    context.spawn { [self] in
      defer { telling[told] = nil }
      do {
        while context.isOpen, try await tellRound(told) {
          do {
            try await context.timers.sleep(milliseconds: Self.breath)
          } catch is HostError {
            // Too many wait already; then it is gone on with at once.
          }
        }
      } catch {
        if context.isOpen {
          context.log.warning(
            "users cannot be told what they have not read", ["error": "\(error)"])
        }
      }
    }
  }

  /// Reads the counts and tells all of them where something has happened, else those that are not as they were told.
  ///
  /// - Returns: whether another round is needed.
  private func tellRound(_ told: Told) async throws -> Bool {
    guard let round = telling[told] else { return false }
    telling[told]?.beginRound()
    guard let counts = try await self.counts(of: told) else { return false }
    let there = Set(counts.map(\.key))
    // Who has left meanwhile has nothing unread any more.
    let gone = round.known.values.filter { $0.unread > 0 && !there.contains($0.key) }
    var new = gone.map { UnreadCount(key: $0.key, unread: 0) }
    new += counts.filter {
      round.isDue ? told.concerns($0, writtenBy: round.author) : round.known[$0.key] != $0
    }
    for count in new { publish(count) }
    telling[told]?.known = Dictionary(
      counts.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    return !new.isEmpty || telling[told]?.isDue == true
  }

  /// nil where they are too many to be told.
  private func counts(of told: Told) async throws -> [UnreadCount]? {
    switch told {
    case .channel(let address, let user):
      if user == nil, try await !hasAudience(address) { return nil }
      return try counts(
        in: try await context.store.read(
          """
          \(raw: UnreadSQL.members) AND m.type = \(address.type) AND m.channel = \(address.id)
            AND (\(user == nil) = 1 OR m.user_id = \(user?.text)) LIMIT \(Self.audience)
          """))
    case .thread(let parent, _, let user):
      let followers = try counts(
        in: try await context.store.read(
          """
          \(raw: UnreadSQL.followers) AND t.parent = \(parent)
            AND (\(user == nil) = 1 OR t.user_id = \(user?.text)) LIMIT \(Self.audience + 1)
          """))
      return followers.count > Self.audience ? nil : followers
    case .user(let user, let address):
      return try await counts(of: user.text, in: address)
    }
  }

  /// Asked before they are counted, which would cost much more for so many.
  private func hasAudience(_ address: ChannelAddress) async throws -> Bool {
    let members =
      try await context.store.read(
        """
        SELECT count(*) AS members FROM (
          SELECT 1 FROM chat_members WHERE type = \(address.type) AND channel = \(address.id)
          LIMIT \(Self.audience + 1)) AS some
        """
      ).first?["members", Int.self] ?? 0
    return members <= Self.audience
  }

  /// The counts of a user's that may have changed, of so many as are looked at.
  private func counts(
    of user: String, in address: ChannelAddress?
  ) async throws -> [UnreadCount] {
    let channel: Fragment =
      if let address {
        "m.type = \(address.type) AND m.channel = \(address.id)"
      } else {
        "\(raw: UnreadSQL.isBehind)"
      }
    let threads: Fragment =
      if let address {
        "p.type = \(address.type) AND p.channel = \(address.id)"
      } else {
        "1 = 1"
      }
    let results = try await context.store.read([
      """
      \(raw: UnreadSQL.members) AND m.user_id = \(user) AND \(channel) LIMIT \(Self.reach)
      """,
      """
      \(raw: UnreadSQL.followers) AND t.user_id = \(user) AND \(threads)
        AND \(raw: UnreadSQL.isBehindInThread) ORDER BY t.since DESC, t.parent DESC LIMIT \(Self.reach)
      """,
    ])
    var channels = try counts(in: results[0])
    if let address, channels.isEmpty {
      channels.append(
        UnreadCount(
          key: UnreadCount.Key(user: ExactText(user), channel: "\(address)", parentID: nil),
          unread: 0))
    }
    return channels + (try counts(in: results[1]))
  }

  private func publish(_ count: UnreadCount) {
    let key = count.key
    if let parent = key.parentID {
      tell(
        "chat.thread.unread",
        UnreadThread(parentID: parent, channel: key.channel, unread: count.unread),
        to: key.user.text)
    } else {
      tell(
        "chat.unread",
        UnreadChannel(channel: key.channel, unread: count.unread, messageID: count.messageID),
        to: key.user.text)
    }
  }
}
