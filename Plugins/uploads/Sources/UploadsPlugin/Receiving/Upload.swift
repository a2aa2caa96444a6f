internal import PluginKit

/// A whole upload, as its row has it.
struct Upload: Decodable {
  let id: String
  let userID: String
  let name: String
  let type: String
  let size: Int64
  let sha256: String
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case id, name, type, size, sha256
    case userID = "user_id"
    case createdAt = "created_at"
  }

  /// What a statement selects to decode one.
  static let columns = "id, user_id, name, type, size, sha256, created_at"

  /// The prefix of their ids.
  static let prefix = "upl"

  var tag: EntityTag { EntityTag(sha256: sha256) }

  var isInline: Bool { MediaType(type)?.isInline ?? false }
}

/// An upload, as clients see it.
struct ShownUpload: Encodable {
  let id: String
  let userID: String
  let name: String?
  let type: String
  let size: Int64
  let sha256: String
  let isInline: Bool
  let url: String
  let urlExpiresAt: Timestamp
  let createdAt: Timestamp

  private enum CodingKeys: String, CodingKey {
    case id, name, type, size, sha256, url
    case userID = "user_id"
    case isInline = "inline"
    case urlExpiresAt = "url_expires_at"
    case createdAt = "created_at"
  }

  init(_ upload: Upload, _ url: SignedURL) {
    id = upload.id
    userID = upload.userID
    name = upload.name.isEmpty ? nil : upload.name
    type = upload.type
    size = upload.size
    sha256 = upload.sha256
    isInline = upload.isInline
    self.url = url.text
    urlExpiresAt = Timestamp(unixMilliseconds: url.expires * 1_000)
    createdAt = upload.createdAt
  }
}
