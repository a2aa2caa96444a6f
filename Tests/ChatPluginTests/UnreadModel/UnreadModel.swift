/// What users have not read, counted anew from all that has happened whenever it is asked for: slow, and right at a glance.
struct UnreadModel {
  struct Message {
    let number: Int
    let channel: Int
    /// Below 0 when nobody knows him any more.
    var author: Int
    /// Among the messages of its channel.
    let place: Int
    /// Of a reply: the message that began the thread.
    let root: Int?
    let isListed: Bool
    let isSilent: Bool
    /// For its author alone.
    let isHeld: Bool
    var mentions: Set<Int> = []
    var isDeleted = false
    /// Nothing of it is left.
    var isPurged = false

    /// Whether it can be unread at all.
    var counts: Bool { !isSilent && !isHeld && !isDeleted && !isPurged }
  }

  struct Member {
    var isOutsider = false
    /// The channel's last place when he came.
    let joined: Int
    /// The channel's last place when he hid it.
    var hidden: Int?
  }

  struct Channel {
    let isOpen: Bool
    var isDeleted = false
    /// Nothing of what was said is left.
    var isPurged = false
    var last = 0
    var members: [Int: Member] = [:]
    /// The last place that a user has read.
    var marks: [Int: Int] = [:]
    var shadowed: Set<Int> = []
  }

  struct Follower {
    /// The last place of the channel up to which he has read the thread.
    var seen: Int
    var follows: Bool
  }

  static let users = 3

  var channels = [
    Channel(
      isOpen: false, members: [0: Member(joined: 0), 1: Member(joined: 0), 2: Member(joined: 0)]),
    Channel(isOpen: false, members: [0: Member(joined: 0), 1: Member(joined: 0)]),
    Channel(isOpen: true, members: [0: Member(joined: 0)]),
  ]
  var messages: [Message] = []
  /// By the message that began the thread, and user.
  var threads: [Int: [Int: Follower]] = [:]
  /// Whom a user does not hear of.
  var mutes: [Int: Set<Int>] = [:]
  /// How many users have been erased whose messages stay.
  var pseudonyms = 0

  // What there is to know.

  func isMember(_ user: Int, of channel: Int) -> Bool { channels[channel].members[user] != nil }

  /// Also whether he may write, unless he is shadowed.
  func mayRead(_ user: Int, _ channel: Int) -> Bool {
    guard !channels[channel].isDeleted else { return false }
    return channels[channel].members[user].map { !$0.isOutsider } ?? channels[channel].isOpen
  }

  /// What a member has not read of a channel.
  func unread(of channel: Int, by user: Int) -> Int {
    guard mayRead(user, channel), let member = channels[channel].members[user] else { return 0 }
    let mark = channels[channel].marks[user] ?? member.joined
    return messages.filter {
      $0.channel == channel && $0.isListed && $0.place > mark && isNews($0, to: user)
    }.count
  }

  /// What a user has not read of a thread, whether or not he follows it.
  func unread(ofThread root: Int, by user: Int) -> Int {
    guard !messages[root].isDeleted, let follower = threads[root]?[user] else { return 0 }
    return messages.filter {
      $0.root == root && $0.place > follower.seen && isNews($0, to: user)
    }.count
  }

  /// The threads that a user's list has.
  func threads(of user: Int) -> [Int] {
    threads.keys.filter { root in
      threads[root]?[user]?.follows == true && !messages[root].isDeleted
        && !liveReplies(to: root).isEmpty && mayRead(user, messages[root].channel)
    }.sorted()
  }

  /// Replies that can be seen by others than their authors, in order.
  func liveReplies(to root: Int) -> [Message] {
    messages.filter { $0.root == root && !$0.isHeld && !$0.isDeleted && !$0.isPurged }
  }

  func isHidden(_ channel: Int, from user: Int) -> Bool {
    guard let hidden = channels[channel].members[user]?.hidden else { return false }
    return !messages.contains {
      $0.channel == channel && $0.place > hidden && (!$0.isHeld || $0.author == user)
    }
  }

  /// The message that a member's mark stands at: the last that the channel showed up to there.
  func marked(_ channel: Int, by user: Int) -> Int? {
    guard let mark = channels[channel].marks[user] else { return nil }
    return messages.last {
      $0.channel == channel && $0.place <= mark && $0.isListed && !$0.isPurged && !$0.isHeld
    }?.number
  }

  /// Whether somebody has said something there that nobody else knows of.
  func hasHeld(_ channel: Int, by user: Int) -> Bool {
    messages.contains { $0.channel == channel && $0.isHeld && $0.author == user }
  }

  private func isNews(_ message: Message, to user: Int) -> Bool {
    message.counts && message.author != user && mutes[user]?.contains(message.author) != true
  }

  // What happens.

  mutating func post(
    by user: Int, in channel: Int, root: Int? = nil, isShown: Bool = true, isSilent: Bool,
    isHeld: Bool, mention: Int? = nil
  ) {
    channels[channel].last += 1
    let message = Message(
      number: messages.count, channel: channel, author: user, place: channels[channel].last,
      root: root, isListed: root == nil || isShown, isSilent: isSilent, isHeld: isHeld,
      mentions: mention.map { [$0] } ?? [])
    messages.append(message)
    guard let root, !isHeld else { return }
    let began = messages[root]
    for first in began.mentions.union([began.author]) {
      follow(root, by: first, ifNew: began.place)
    }
    follow(root, by: user, ifNew: message.place)
    if let mention { follow(root, by: mention, ifNew: message.place - 1) }
  }

  mutating func mention(_ user: Int, in number: Int) {
    let message = messages[number]
    messages[number].mentions = [user]
    guard user != message.author, !message.mentions.contains(user) else { return }
    if let root = message.root {
      follow(root, by: user, ifNew: message.place - 1)
    } else if !liveReplies(to: number).isEmpty {
      follow(number, by: user, ifNew: message.place)
    }
  }

  private mutating func follow(_ root: Int, by user: Int, ifNew seen: Int) {
    threads[root, default: [:]][user, default: Follower(seen: seen, follows: true)].follows = true
  }

  mutating func delete(_ number: Int, isHard: Bool) {
    messages[number].isDeleted = true
    guard isHard else { return }
    messages[number].isPurged = true
    threads[number] = nil
  }

  mutating func read(_ number: Int, by user: Int, isUnread: Bool) {
    let (channel, place) = (messages[number].channel, messages[number].place)
    let mark = channels[channel].marks[user] ?? channels[channel].members[user]?.joined ?? 0
    channels[channel].marks[user] = isUnread ? place - 1 : max(place, mark)
  }

  mutating func readThread(_ root: Int, to place: Int, by user: Int, isUnread: Bool) {
    var follower = threads[root]?[user] ?? Follower(seen: 0, follows: false)
    follower.seen = isUnread ? place - 1 : max(place, follower.seen)
    threads[root, default: [:]][user] = follower
  }

  /// Who could not read the channel before has nothing unread from before, in its threads neither.
  mutating func join(_ user: Int, _ channel: Int) {
    let last = channels[channel].last
    if !mayRead(user, channel) {
      for root in threads.keys where messages[root].channel == channel {
        threads[root]?[user]?.seen = last
      }
    }
    channels[channel].members[user] = Member(joined: last)
  }

  mutating func leave(_ user: Int, _ channel: Int) {
    channels[channel].members[user] = nil
    channels[channel].marks[user] = nil
  }
}
