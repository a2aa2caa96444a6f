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

  /// All that messages have linked to of an erased user's uploads goes, whoever has linked to it.
  func eraseUploads(of user: String) async throws -> Slice {
    let ids = try await context.store.read(
      """
      SELECT DISTINCT upload FROM chat_uploads WHERE user_id = \(user)
      ORDER BY upload LIMIT \(tasks.rows)
      """
    ).map { try $0["upload", String.self] }
    var slice = Slice()
    slice.afterwards = [{ [self] in endUploads() }]
    guard !ids.isEmpty else {
      // The last of them keep his id until they went.
      slice.isLast = try await endSomeUploads(of: user)
      return slice
    }
    slice.batch.add(
      """
      INSERT INTO chat_upload_ends (upload, user_id)
      SELECT DISTINCT u.upload, u.user_id FROM chat_uploads u WHERE u.upload IN (\(each: ids))
      ON CONFLICT (upload) DO NOTHING
      """)
    slice.batch.add("DELETE FROM chat_uploads WHERE upload IN (\(each: ids))")
    return slice
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
          while context.isOpen, try await !endSomeUploads() {}
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

  /// - Parameter user: whose; nil for everybody's.
  /// - Returns: whether none is left that can go.
  private func endSomeUploads(of user: String? = nil) async throws -> Bool {
    let rows = try await context.store.read(
      """
      SELECT upload, user_id FROM chat_upload_ends
      WHERE ended_at IS NULL AND (\(user == nil) = 1 OR user_id = \(user))
      ORDER BY upload LIMIT \(LinkedUpload.removedAtOnce)
      """)
    guard !rows.isEmpty else { return true }
    let owned = Dictionary(
      grouping: try rows.map {
        (upload: try $0["upload", String.self], user: try $0["user_id", String.self])
      }, by: { Array($0.user.utf8) })
    for those in owned.values {
      let user = those[0].user
      let ids = those.map(\.upload)
      do {
        let _: Ended = try await context.services.call(
          LinkedUpload.service, method: LinkedUpload.remove, EndedUploads(userID: user, ids: ids))
      } catch let error as HostError where error.status == .notFound {
        // The plugin is off. Whoever next finds an upload sees that it is on again.
        hasUploadsToEnd = true
        return true
      }
      let now = try context.clock.now()
      try await context.store.commit(isApartFromRequest: true) {
        // Nobody's any more; that it is gone is known for a while.
        SQL(
          """
          UPDATE chat_upload_ends SET ended_at = \(now), user_id = ''
          WHERE upload IN (\(each: ids)) AND ended_at IS NULL
          """)
        SQL(
          """
          DELETE FROM chat_upload_ends
          WHERE ended_at < \(now.adding(milliseconds: -Self.remembered))
          """)
      }
    }
    return false
  }
}
