internal import PluginKit

/// Somebody who sends events to the app, as his row has it.
struct Source: Sendable {
  static let columns = "name, kind, secret, previous, previous_until, created_at, updated_at"

  let name: String
  let sender: Sender
  /// Sealed.
  let secret: [UInt8]
  let previous: [UInt8]?
  let previousUntil: Timestamp?
  let createdAt: Timestamp
  let updatedAt: Timestamp

  init(_ row: Row) throws {
    name = try row["name", String.self]
    guard let kind = Sender(rawValue: try row["kind", String.self]) else {
      throw HostError(.internal, "a source is of a kind that there is none of")
    }
    sender = kind
    secret = try row["secret", [UInt8].self]
    previous = try row["previous", [UInt8]?.self]
    previousUntil = try row["previous_until", Timestamp?.self]
    createdAt = try row["created_at", Timestamp.self]
    updatedAt = try row["updated_at", Timestamp.self]
  }

  /// What a source's secrets are sealed for, which is no endpoint's.
  static func sealName(_ name: String) -> String { "source \(name)" }
}

/// It as the interface shows it, without what it signs with.
struct ShownSource: Encodable {
  let name: String
  let kind: Sender
  let previousExpiresAt: Timestamp?
  let createdAt: Timestamp
  let updatedAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case name, kind
    case previousExpiresAt = "previous_expires_at"
    case createdAt = "created_at"
    case updatedAt = "updated_at"
  }

  init(_ source: Source, at now: Timestamp) {
    name = source.name
    kind = source.sender
    previousExpiresAt = source.previousUntil.flatMap { $0 > now ? $0 : nil }
    createdAt = source.createdAt
    updatedAt = source.updatedAt
  }
}
