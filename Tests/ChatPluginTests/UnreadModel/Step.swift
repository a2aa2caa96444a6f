/// Something that somebody does. Users, channels and messages are numbers, taken modulo how many there are, so that a history from
/// which steps are left out is one as well.
enum Step {
  case send(user: Int, channel: Int, isSilent: Bool)
  case reply(user: Int, message: Int, isShown: Bool, isSilent: Bool, mention: Int?)
  case mention(user: Int, message: Int)
  case delete(message: Int, isHard: Bool)
  case read(user: Int, message: Int, isUnread: Bool)
  /// The thread of the message, up to it where it is a reply.
  case readThread(user: Int, message: Int, isUnread: Bool)
  case mute(user: Int, other: Int, isOn: Bool)
  case shadow(user: Int, channel: Int, isOn: Bool)
  case join(user: Int, channel: Int)
  case leave(user: Int, channel: Int)
  case give(user: Int, channel: Int, isOutsider: Bool)
  case hide(user: Int, channel: Int)
  case deleteChannel(channel: Int, isHard: Bool)
  case erase(user: Int, isAnonymous: Bool)
  /// Brings a message of the user's, or a reply to the message, from elsewhere; the next user as a member; and the one after him as having
  /// read the message.
  case bring(user: Int, channel: Int, message: Int, isReply: Bool)
  /// At the same time; the steps are such as come to the same in whatever order.
  case together([Step])
}

extension Step {
  /// A step at random; the frequent ones are those that histories consist of.
  static func random(_ random: inout SplitMix) -> Step {
    let (user, channel, message) = (random.number(), random.number(), random.number())
    switch random.next() % 42 {
    case 0..<9: return .send(user: user, channel: channel, isSilent: random.isOneOf(8))
    case 9..<17:
      return .reply(
        user: user, message: message, isShown: random.isOneOf(3), isSilent: random.isOneOf(8),
        mention: random.isOneOf(3) ? random.number() : nil)
    case 17: return .mention(user: user, message: message)
    case 18..<21: return .delete(message: message, isHard: random.isOneOf(2))
    case 21..<26: return .read(user: user, message: message, isUnread: random.isOneOf(3))
    case 26..<30: return .readThread(user: user, message: message, isUnread: random.isOneOf(3))
    case 30, 31: return .mute(user: user, other: random.number(), isOn: !random.isOneOf(3))
    case 32: return .shadow(user: user, channel: channel, isOn: !random.isOneOf(3))
    case 33: return .join(user: user, channel: channel)
    case 34: return .leave(user: user, channel: channel)
    case 35: return .give(user: user, channel: channel, isOutsider: !random.isOneOf(3))
    case 36: return .hide(user: user, channel: channel)
    case 37:
      guard random.isOneOf(3) else { return .join(user: user, channel: channel) }
      return .deleteChannel(channel: channel, isHard: random.isOneOf(2))
    case 38:
      guard random.isOneOf(2) else { return .mute(user: user, other: channel, isOn: true) }
      return .erase(user: user, isAnonymous: random.isOneOf(2))
    case 39:
      return .bring(user: user, channel: channel, message: message, isReply: random.isOneOf(2))
    default:
      // By different users, and with one message that is new.
      let reads: [Step] = (1..<UnreadModel.users).map { next in
        random.isOneOf(2)
          ? .read(user: user + next, message: random.number(), isUnread: random.isOneOf(3))
          : .mute(user: user + next, other: random.number(), isOn: random.isOneOf(2))
      }
      let write: Step =
        random.isOneOf(2)
        ? .send(user: user, channel: channel, isSilent: false)
        : .reply(user: user, message: message, isShown: true, isSilent: false, mention: nil)
      return .together(([write] + reads).shuffled(using: &random))
    }
  }
}

/// SplitMix64: numbers that are the same for the same seed, everywhere.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
    return bits ^ (bits >> 31)
  }

  /// A small one, to be taken modulo something.
  mutating func number() -> Int { Int(next() % 10_080) }

  mutating func isOneOf(_ count: UInt64) -> Bool { next() % count == 0 }
}
