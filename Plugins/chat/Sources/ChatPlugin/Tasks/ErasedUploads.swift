internal import PluginKit

/// What becomes of an erased user's uploads.
extension ChatShard {
  /// All that messages have linked to of his goes, whoever has linked to it.
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
      slice.isLast = try await endAllUploads(of: user)
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
}
