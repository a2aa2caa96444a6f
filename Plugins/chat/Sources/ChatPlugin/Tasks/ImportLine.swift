internal import PluginKit

/// A line of an import, as it was sent.
enum ImportLine {
  case channel(Channel)
  case message(Sent)
  case reaction(Reaction)
  case member(Membership)
  case read(Reading)

  struct Channel: Decodable {
    let channel: String
    let data: RawJSON?
    let createdBy: String?
    let isFrozen: Bool?
    let createdAt: Timestamp?

    private enum CodingKeys: String, CodingKey {
      case channel, data
      case createdBy = "created_by"
      case isFrozen = "frozen"
      case createdAt = "created_at"
    }

    static let members: Set = ["channel", "data", "created_by", "frozen", "created_at"]
  }

  struct Sent: Decodable {
    let id: String
    let channel: String
    let userID: String
    let kind: MessageKind?
    let text: String?
    let attachments: RawJSON?
    let mentions: [String]?
    let quotedID: String?
    let parentID: String?
    let showInChannel: Bool?
    let silent: Bool?
    let custom: RawJSON?
    let createdAt: Timestamp
    let updatedAt: Timestamp?

    private enum CodingKeys: String, CodingKey {
      case id, channel
      case userID = "user_id"
      case kind, text, attachments, mentions
      case quotedID = "quoted_id"
      case parentID = "parent_id"
      case showInChannel = "show_in_channel"
      case silent, custom
      case createdAt = "created_at"
      case updatedAt = "updated_at"
    }

    static let members: Set = [
      "id", "channel", "user_id", "kind", "text", "attachments", "mentions", "quoted_id",
      "parent_id", "show_in_channel", "silent", "custom", "created_at", "updated_at",
    ]
  }

  struct Reaction: Decodable {
    let messageID: String
    let userID: String
    let reaction: String
    let createdAt: Timestamp?

    private enum CodingKeys: String, CodingKey {
      case messageID = "message_id"
      case userID = "user_id"
      case reaction
      case createdAt = "created_at"
    }

    static let members: Set = ["message_id", "user_id", "reaction", "created_at"]
  }

  struct Membership: Decodable {
    let channel: String
    let userID: String
    let role: String?
    let createdAt: Timestamp?
    let archivedAt: Timestamp?
    let pinnedAt: Timestamp?

    private enum CodingKeys: String, CodingKey {
      case channel
      case userID = "user_id"
      case role
      case createdAt = "created_at"
      case archivedAt = "archived_at"
      case pinnedAt = "pinned_at"
    }

    static let members: Set = [
      "channel", "user_id", "role", "created_at", "archived_at", "pinned_at",
    ]
  }

  struct Reading: Decodable {
    let channel: String
    let userID: String
    let messageID: String
    let readAt: Timestamp?

    private enum CodingKeys: String, CodingKey {
      case channel
      case userID = "user_id"
      case messageID = "message_id"
      case readAt = "read_at"
    }

    static let members: Set = ["channel", "user_id", "message_id", "read_at"]
  }

  /// The most bytes of a line.
  static let limit = 64 << 10

  /// In which turn lines are dealt with that cannot be read: then it is said what is wrong.
  static let unreadable = 9

  private static let turns = ["channel", "message", "reaction", "member", "read"]
  static let memberTurn = 3

  /// What a line is, without whether it is right.
  struct Kind {
    let turn: Int
    /// What others refer to it by.
    let name: String

    init(_ line: [UInt8]) {
      struct Named: Decodable {
        let type: String
        let id: String?
        let channel: String?
      }
      guard let named = try? JSON.decode(Named.self, from: line),
        let turn = ImportLine.turns.firstIndex(of: named.type)
      else {
        (turn, name) = (ImportLine.unreadable, "")
        return
      }
      self.turn = turn
      name = turn == 0 ? named.channel ?? "" : turn == 1 ? named.id ?? "" : ""
    }
  }

  /// - Throws: `Problem` that says what is wrong.
  init(_ line: String) throws {
    let bytes = Array(line.utf8)
    do {
      let members = try JSON.decode([String: RawJSON].self, from: bytes)
      guard let type = try members["type"]?.decode(String.self) else {
        throw Problem.invalid("A line has a type.")
      }
      func read<Value: Decodable>(_ known: Set<String>) throws -> Value {
        if let other = members.keys.sorted().first(where: { $0 != "type" && !known.contains($0) }) {
          throw Problem.invalid("A \(type) has no member \"\(other)\".")
        }
        return try JSON.decode(Value.self, from: bytes)
      }
      switch type {
      case "channel": self = .channel(try read(Channel.members))
      case "message": self = .message(try read(Sent.members))
      case "reaction": self = .reaction(try read(Reaction.members))
      case "member": self = .member(try read(Membership.members))
      case "read": self = .read(try read(Reading.members))
      default:
        throw Problem.invalid(
          "Lines have the type channel, message, reaction, member or read, not \"\(type)\".")
      }
    } catch let error as JSONError {
      throw Problem.invalid("\(error)")
    }
  }
}
