internal import PluginKit

/// The question of method 3.
private struct EndedUploads: Encodable {
  let userID: String
  let ids: [String]

  private enum CodingKeys: String, CodingKey {
    case userID = "user_id"
    case ids
  }
}

private struct Ended: Decodable, Sendable {
  let deleted: Int
}

/// Whether a shard has uploads go. Loop thread only; after a start it is learned anew.
struct UploadEnds {
  var isUnderWay = false
  /// Whether there may be some that are not seen yet.
  var isAskedFor = false
  /// Until it is tried again.
  var timer: Timer?
}

/// What becomes of uploads whose messages are deleted.
extension ChatShard {
  /// How long it is known of an upload that it went, in milliseconds: longer than a message is on its way that has found it.
  private static let remembered: Int64 = 3_600_000
  /// After which time it is tried again, in milliseconds.
  private static let again = 60_000

  /// Has messages link to nothing any more. Those of their authors' uploads that no other message links to are to go: who has committed
  /// the batch calls ``endUploads()``.
  ///
  /// - Parameter messages: their ids, or what selects them.
  static func releaseUploads(of messages: Fragment, _ batch: inout Batch) {
    // Whoever else links to them keeps them, and lets them go in the end.
    batch.add(
      """
      UPDATE chat_uploads SET own = 1
      WHERE own = 0 AND message NOT IN (\(messages)) AND upload IN (
        SELECT o.upload FROM chat_uploads o WHERE o.message IN (\(messages)) AND o.own = 1)
      """)
    batch.add(
      """
      INSERT INTO chat_upload_ends (upload, user_id)
      SELECT DISTINCT u.upload, u.user_id FROM chat_uploads u
      WHERE u.message IN (\(messages)) AND u.own = 1 AND NOT EXISTS (
        SELECT 1 FROM chat_uploads o WHERE o.upload = u.upload AND o.message NOT IN (\(messages)))
      ON CONFLICT (upload) DO NOTHING
      """)
    batch.add("DELETE FROM chat_uploads WHERE message IN (\(messages))")
  }

  /// As ``endUploads()``, after the end of one message.
  func endUploads(of message: Message) {
    // One that was deleted before, or changed, may have linked to some too.
    if message.attachments != nil || message.updatedAt != nil { endUploads() }
  }

  /// Has the uploads go that are to. Cut short it is taken up by the next who has some, and after a start.
  func endUploads() {
    guard !uploadEnds.isUnderWay else {
      uploadEnds.isAskedFor = true
      return
    }
    // Those who wait for the next try wait together.
    guard uploadEnds.timer == nil else { return }
    uploadEnds.isUnderWay = true
    context.spawn { [self] in
      defer { uploadEnds.isUnderWay = false }
      do {
        repeat {
          uploadEnds.isAskedFor = false
          _ = try await endAllUploads()
        } while context.isOpen && uploadEnds.isAskedFor
      } catch {
        guard context.isOpen else { return }
        context.log.warning("uploads of deleted messages go later", ["error": "\(error)"])
        uploadEnds.timer = try context.timers.after(milliseconds: Self.again) { [self] in
          uploadEnds.timer = nil
          endUploads()
        }
      }
    }
  }

  /// Has all go that are to, some at a time. Those that cannot go now keep none of the others.
  ///
  /// - Parameter user: whose; nil for everybody's.
  /// - Returns: whether none is left that can go; else the shard was closed.
  /// - Throws: `HostError`, when all were tried and some are left; `StoreError`.
  func endAllUploads(of user: String? = nil) async throws -> Bool {
    var place = EndingUpload.first
    var failure: HostError?
    while context.isOpen {
      let some = try await uploadsToEnd(of: user, after: place)
      guard let last = some.last else {
        if let failure { throw failure }
        return true
      }
      place = last
      for those in some.byUser {
        do {
          let _: Ended = try await context.services.call(
            LinkedUpload.service, method: LinkedUpload.remove,
            EndedUploads(userID: those[0].userID, ids: those.map(\.upload)))
        } catch let error as HostError where error.status == .notFound {
          // The plugin is off. Whoever next finds an upload sees that it is on again.
          hasUploadsToEnd = true
          return true
        } catch let error as HostError {
          failure = error
          continue
        }
        try await note(ended: those.map(\.upload))
      }
    }
    return false
  }

  /// Some that are to go, each user's one behind the other, so that few calls are made for many.
  private func uploadsToEnd(
    of user: String?, after place: EndingUpload
  ) async throws -> [EndingUpload] {
    let his: Fragment = if let user { "user_id = \(user)" } else { "1 = 1" }
    return try await context.store.read(
      """
      SELECT user_id, upload FROM chat_upload_ends
      WHERE \(his) AND (user_id, upload) > (\(place.userID), \(place.upload)) AND ended_at IS NULL
      ORDER BY user_id, upload LIMIT \(LinkedUpload.removedAtOnce)
      """
    ).decode()
  }

  private func note(ended uploads: [String]) async throws {
    let now = try context.clock.now()
    try await context.store.commit(isApartFromRequest: true) {
      // Nobody's any more; that it is gone is known for a while.
      SQL(
        """
        UPDATE chat_upload_ends SET ended_at = \(now), user_id = ''
        WHERE upload IN (\(each: uploads)) AND ended_at IS NULL
        """)
      SQL(
        """
        DELETE FROM chat_upload_ends WHERE upload IN (
          SELECT upload FROM chat_upload_ends
          WHERE ended_at < \(now.adding(milliseconds: -Self.remembered))
          ORDER BY ended_at, upload LIMIT \(Self.sliced))
        """)
    }
  }
}

/// An upload that is to go.
private struct EndingUpload: Decodable {
  let userID: String
  let upload: String

  /// Before all others. Those of nobody are gone already.
  static let first = EndingUpload(userID: "", upload: "~")

  private enum CodingKeys: String, CodingKey {
    case userID = "user_id"
    case upload
  }
}

extension [EndingUpload] {
  /// Runs of the same user's.
  fileprivate var byUser: [[EndingUpload]] {
    reduce(into: []) { runs, each in
      if let last = runs.last?.last, last.userID.isExactly(each.userID) {
        runs[runs.count - 1].append(each)
      } else {
        runs.append([each])
      }
    }
  }
}
