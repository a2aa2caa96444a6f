internal import PluginKit

/// What a message asks. The question stands in the message's row and in its events, what has been answered in tables of its own.
struct Poll: Codable, Equatable {
  struct Option: Codable, Equatable {
    /// From 1, in the order in which they were given.
    let id: Int
    let text: String
    /// How many users have chosen it; nil in events.
    var votes: Int?
  }

  let question: String
  var options: [Option]
  /// How many options a user may choose.
  let maxVotes: Int
  /// True when nobody is told who has voted; else nil.
  let anonymous: Bool?
  /// When it is over by itself; nil for never.
  let closesAt: Timestamp?
  /// When somebody closed it; nil while nobody has, and in events.
  var closedAt: Timestamp?
  /// How many users have voted; nil in events.
  var voters: Int?
  /// What the user who asks has chosen; nil where he has not, and in events.
  var ownVotes: [Int]?

  /// How many options there are.
  static let sizes = 2...32

  private enum CodingKeys: String, CodingKey {
    case question, options
    case maxVotes = "max_votes"
    case anonymous
    case closesAt = "closes_at"
    case closedAt = "closed_at"
    case voters
    case ownVotes = "own_votes"
  }

  /// As it is stored and published: without what is answered.
  var asked: Poll {
    var poll = self
    poll.options = options.map { Option(id: $0.id, text: $0.text, votes: nil) }
    poll.closedAt = nil
    poll.voters = nil
    poll.ownVotes = nil
    return poll
  }

  /// Whether no votes are taken any more.
  func isClosed(at now: Timestamp) -> Bool {
    closedAt != nil || closesAt.map { $0.unixMilliseconds <= now.unixMilliseconds } == true
  }
}

/// What somebody wants to ask.
struct NewPoll: Decodable {
  let question: String
  let options: [String]
  let maxVotes: Int?
  let anonymous: Bool?
  let closesAt: Timestamp?

  private enum CodingKeys: String, CodingKey {
    case question, options
    case maxVotes = "max_votes"
    case anonymous
    case closesAt = "closes_at"
  }

  /// - Throws: `Problem` 400 when there is nothing to choose from, or too much.
  func poll() throws -> Poll {
    guard Poll.sizes.contains(options.count), Set(options).count == options.count else {
      throw Problem.invalid(
        pointer: "/poll/options",
        "A poll has \(Poll.sizes.lowerBound) to \(Poll.sizes.upperBound) options, no two the same.")
    }
    let most = maxVotes ?? 1
    guard (1...options.count).contains(most) else {
      throw Problem.invalid(
        pointer: "/poll/max_votes", "max_votes is from 1 to the number of options.")
    }
    return Poll(
      question: question,
      options: options.enumerated().map { Poll.Option(id: $0.offset + 1, text: $0.element) },
      maxVotes: most, anonymous: anonymous == true ? true : nil, closesAt: closesAt)
  }
}

extension ChatShard {
  /// Tables with something of a message's poll, by its column `message`.
  static let ofPolls = ["chat_polls", "chat_poll_options", "chat_poll_votes"]

  /// Stores a poll in the batch that stores its message.
  static func keepPoll(of message: Message, _ batch: inout Batch) {
    guard let poll = message.poll else { return }
    batch.add(
      """
      INSERT INTO chat_polls (message, voters, closes_at) VALUES (\(message.id), 0, \(poll.closesAt))
      """)
    for option in poll.options {
      batch.add(
        """
        INSERT INTO chat_poll_options (message, option_id, votes)
        VALUES (\(message.id), \(option.id), 0)
        """)
    }
  }

  /// Removes what was answered, in the batch that removes the message.
  static func dropPoll(of message: Message, _ batch: inout Batch) {
    guard message.poll != nil else { return }
    for table in ofPolls {
      batch.add("DELETE FROM \(raw: table) WHERE message = \(message.id)")
    }
  }
}

/// What has been answered to the polls of some messages.
struct PollAnswers {
  private struct Answer: Decodable {
    let message: String
    let voters: Int
    let closedAt: Timestamp?
    let optionID: Int
    let votes: Int
    let isOwn: Bool

    private enum CodingKeys: String, CodingKey {
      case message, voters
      case closedAt = "closed_at"
      case optionID = "option_id"
      case votes
      case isOwn = "is_own"
    }
  }

  private let byMessage: [String: [Answer]]

  /// - Parameter rows: of ``statement(_:viewer:)``.
  init(_ rows: Rows) throws {
    byMessage = Dictionary(grouping: try rows.decode(Answer.self), by: \.message)
  }

  static func statement(_ ids: Fragment, viewer: String?) -> SQL {
    """
    SELECT p.message, p.voters, p.closed_at, o.option_id, o.votes, CASE WHEN EXISTS (
        SELECT 1 FROM chat_poll_votes v WHERE v.message = o.message AND v.user_id = \(viewer ?? "")
          AND v.option_id = o.option_id) THEN 1 ELSE 0 END AS is_own
    FROM chat_polls p JOIN chat_poll_options o ON o.message = p.message
    WHERE p.message IN (\(ids)) ORDER BY p.message, o.option_id
    """
  }

  /// A message's poll with its answers.
  func shown(_ poll: Poll, of id: String) -> Poll {
    guard let answers = byMessage[id], let first = answers.first else { return poll }
    var shown = poll
    shown.voters = first.voters
    shown.closedAt = first.closedAt
    let votes = Dictionary(uniqueKeysWithValues: answers.map { ($0.optionID, $0.votes) })
    shown.options = poll.options.map {
      Poll.Option(id: $0.id, text: $0.text, votes: votes[$0.id] ?? 0)
    }
    let own = answers.filter(\.isOwn).map(\.optionID)
    shown.ownVotes = own.isEmpty ? nil : own
    return shown
  }
}
