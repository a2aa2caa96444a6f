internal import PluginKit

/// An upload, as `sluice.uploads/1` tells of it (`sluice/services/uploads.h`).
struct LinkedUpload: Codable, Equatable, Sendable {
  let id: String
  let userID: String
  let name: String?
  let type: String
  /// Bytes.
  let size: Int64
  /// Pixels.
  let width: Int?
  let height: Int?
  /// Below the gateway's address; it works as long as the upload is there.
  let url: String
  let thumbURL: String?

  /// The plugin that has them, and what it is asked.
  static let service = "sluice.uploads/1"
  static let find: UInt32 = 2
  static let remove: UInt32 = 3
  /// The most that one call is about.
  static let atOnce = 100
  /// The most that go in one call: their bytes may be far away.
  static let removedAtOnce = 10

  private enum CodingKeys: String, CodingKey {
    case id, name, type, size, width, height, url
    case userID = "user_id"
    case thumbURL = "thumb_url"
  }
}

/// The question of method 2.
private struct WantedUploads: Encodable {
  let ids: [String]
}

private struct FoundUploads: Decodable, Sendable {
  let uploads: [LinkedUpload]
}

extension ChatShard {
  /// Those of some uploads that there are, by their ids; nil where the app has no plugin for uploads.
  ///
  /// - Throws: `Problem` 503 when that plugin cannot say.
  func uploads(_ ids: [String]) async throws -> [String: LinkedUpload]? {
    do {
      return try await findUploads(ids)
    } catch let error as HostError {
      context.log.warning("uploads cannot be looked up", ["error": "\(error)"])
      throw Problem.unavailable("Uploads cannot be looked up now. Try again later.")
    }
  }

  /// As ``uploads(_:)``, for whom nobody waits.
  ///
  /// - Throws: `HostError` when that plugin cannot say now.
  func findUploads(_ ids: [String]) async throws -> [String: LinkedUpload]? {
    var found: [String: LinkedUpload] = [:]
    var rest = ids[...]
    do {
      while !rest.isEmpty {
        let reply: FoundUploads = try await context.services.call(
          LinkedUpload.service, method: LinkedUpload.find,
          WantedUploads(ids: Array(rest.prefix(LinkedUpload.atOnce))))
        for upload in reply.uploads { found[upload.id] = upload }
        rest = rest.dropFirst(LinkedUpload.atOnce)
      }
    } catch let error as HostError where error.status == .notFound {
      return nil
    }
    if hasUploadsToEnd {
      hasUploadsToEnd = false
      endUploads()
    }
    return found
  }
}
