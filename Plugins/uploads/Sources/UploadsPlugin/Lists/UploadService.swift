internal import PluginKit

/// What other plugins of the app ask for: methods 2 and 3 of `sluice.uploads/1` (`sluice/services/uploads.h`).
extension UploadsShard {
  /// The most uploads that one call is about.
  private static let atOnce = 100

  /// What is known of uploads, with URLs that may be kept.
  func find(_ finding: Finding) async throws -> FoundUploads {
    try Self.check(finding.ids)
    let key = try await urlKey()
    return FoundUploads(
      uploads: try await ledger.find(finding.ids).map { upload in
        FoundUpload(upload) { key.link(to: upload.id, $0, app: context.tenant) }
      })
  }

  /// Deletes a user's uploads, and not those of others.
  func remove(_ removing: Removing) async throws -> Erased {
    try Self.check(removing.ids)
    var deleted = 0
    for upload in try await ledger.find(removing.ids, of: removing.userID)
    where try await delete(upload) { deleted += 1 }
    try await refuseStranded(of: removing.userID, among: removing.ids)
    return Erased(deleted: deleted)
  }

  private static func check(_ ids: [String]) throws {
    guard (1...atOnce).contains(ids.count) else {
      throw HostError(.invalid, "Name 1 to \(atOnce) uploads.")
    }
  }
}

/// Which uploads are asked about.
struct Finding: Codable {
  let ids: [String]
}

/// Which uploads are to go, if they are this user's.
struct Removing: Codable {
  let userID: String
  let ids: [String]

  private enum CodingKeys: String, CodingKey {
    case userID = "user_id"
    case ids
  }
}

/// Those of them that there are.
struct FoundUploads: Codable {
  let uploads: [FoundUpload]
}

/// An upload, as other plugins see it.
struct FoundUpload: Codable {
  let id: String
  let userID: String
  let name: String?
  let type: String
  let size: Int64
  let width: Int?
  let height: Int?
  let url: String
  let thumbURL: String?

  private enum CodingKeys: String, CodingKey {
    case id, name, type, size, width, height, url
    case userID = "user_id"
    case thumbURL = "thumb_url"
  }

  /// - Parameter link: makes the URL of a part of it that may be kept.
  init(_ upload: Upload, _ link: (UploadPart) -> String) {
    id = upload.id
    userID = upload.userID
    name = upload.name.isEmpty ? nil : upload.name
    type = upload.type
    size = upload.size
    width = upload.width
    height = upload.height
    url = link(.content)
    thumbURL = upload.thumbBytes == nil ? nil : link(.thumbnail)
  }
}
