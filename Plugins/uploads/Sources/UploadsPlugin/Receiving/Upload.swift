internal import PluginKit

/// Where an upload's bytes are, as its row has it.
struct Whereabouts {
  let store: UploadSettings.Store
  /// ``BucketPlace/name`` of what they were put into; nil for a folder, and for a bucket that rows of before do not name.
  let place: String?
}

/// A whole upload, as its row has it.
struct Upload: Decodable {
  let id: String
  let userID: String
  let name: String
  let type: String
  let size: Int64
  let sha256: String
  let createdAt: Timestamp
  let width: Int?
  let height: Int?
  let thumbWidth: Int?
  let thumbHeight: Int?
  let thumbBytes: Int64?
  let thumbAbsent: String?
  let store: UploadSettings.Store
  let place: String?

  private enum CodingKeys: String, CodingKey {
    case id, name, type, size, sha256, width, height, store, place
    case userID = "user_id"
    case createdAt = "created_at"
    case thumbWidth = "thumb_width"
    case thumbHeight = "thumb_height"
    case thumbBytes = "thumb_bytes"
    case thumbAbsent = "thumb_absent"
  }

  /// What a statement selects to decode one.
  static let columns = """
    id, user_id, name, type, size, sha256, created_at, width, height, thumb_width, thumb_height,
    thumb_bytes, thumb_absent, store, place
    """

  /// The prefix of their ids.
  static let prefix = "upl"

  var whereabouts: Whereabouts { Whereabouts(store: store, place: place) }
  var isInline: Bool { MediaType(type)?.isInline ?? false }
}

/// What is known of an image beside what is known of any file.
struct ImageFacts {
  var size: ImageSize?
  var thumbnail: Thumbnailer.Outcome?
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
  let width: Int?
  let height: Int?
  let thumbnail: ShownThumbnail?
  let thumbnailAbsent: String?

  private enum CodingKeys: String, CodingKey {
    case id, name, type, size, sha256, url, width, height, thumbnail
    case thumbnailAbsent = "thumbnail_absent"
    case userID = "user_id"
    case isInline = "inline"
    case urlExpiresAt = "url_expires_at"
    case createdAt = "created_at"
  }

  /// - Parameter url: makes the URL of a part of it.
  init(_ upload: Upload, _ url: (UploadPart) -> SignedURL) {
    let content = url(.content)
    id = upload.id
    userID = upload.userID
    name = upload.name.isEmpty ? nil : upload.name
    type = upload.type
    size = upload.size
    sha256 = upload.sha256
    isInline = upload.isInline
    self.url = content.text
    urlExpiresAt = Timestamp(unixMilliseconds: content.expires * 1_000)
    createdAt = upload.createdAt
    width = upload.width
    height = upload.height
    thumbnailAbsent = upload.thumbAbsent
    thumbnail =
      if let width = upload.thumbWidth, let height = upload.thumbHeight {
        ShownThumbnail(
          url: url(.thumbnail).text, type: UploadPart.thumbnailType, width: width, height: height)
      } else {
        nil
      }
  }
}

/// A thumbnail, as clients see it. Its URL expires with the upload's.
struct ShownThumbnail: Encodable {
  let url: String
  let type: String
  let width: Int
  let height: Int
}
