internal import PluginKit

/// The rows of uploads: each is there before its file is and goes after it, so that no file is without one.
final class Ledger {
  private let settings: UploadSettings
  private let context: ShardContext
  /// Where the settings have new uploads go.
  let whereabouts: Whereabouts

  init(_ settings: UploadSettings, _ context: ShardContext) {
    self.settings = settings
    self.context = context
    let bucket = settings.store == .s3 ? settings.bucket(of: context.tenant) : nil
    whereabouts = Whereabouts(store: settings.store, place: bucket?.name)
  }

  /// Notes that an upload begins.
  ///
  /// - Returns: its id.
  /// - Throws: `Problem` 429 when the user has begun too many, 403 when there is no room for `size` more bytes; `StoreError`.
  func begin(user: String, name: String, type: MediaType, size: Int64) async throws -> String {
    let id = try context.id.make(Upload.prefix)
    let now = try context.clock.now()
    let minute = now.unixMilliseconds / 60_000
    var batch = Batch()
    // The bytes come after it, and what is left of it is swept.
    batch.isApartFromRequest = true
    batch.add(
      SQL(
        """
        INSERT INTO uploads_users (user_id, bytes, minute, begun) VALUES (\(user), 0, \(minute), 1)
        ON CONFLICT (user_id) DO UPDATE SET minute = excluded.minute,
          begun = CASE WHEN uploads_users.minute = excluded.minute THEN uploads_users.begun + 1 ELSE 1 END
        WHERE uploads_users.minute <> excluded.minute
          OR uploads_users.begun < \(settings.userUploadsPerMinute)
        """
      ).expect(exactly: 1))
    batch.add(
      SQL(
        """
        UPDATE uploads_users SET minute = minute
        WHERE user_id = \(user) AND bytes + \(size) <= \(settings.userBytes)
        """
      ).expect(exactly: 1))
    batch.add(
      SQL(
        """
        INSERT INTO uploads_items (id, user_id, name, type, size, state, store, place, created_at)
        SELECT \(id), \(user), \(name), \(type.text), 0, 'receiving',
          \(whereabouts.store.rawValue), \(whereabouts.place), \(now)
        WHERE (SELECT count(*) FROM uploads_items WHERE user_id = \(user) AND state = 'receiving')
          < \(settings.userUploadsAtOnce)
        """
      ).expect(exactly: 1))
    do {
      try await context.store.commit(batch)
    } catch StoreError.conflict(let statement, _) {
      throw refusal(statement)
    }
    return id
  }

  private func refusal(_ statement: Int?) -> Problem {
    switch statement {
    case 0:
      Problem(
        status: 429, code: "rate_limited",
        detail: "A user begins \(settings.userUploadsPerMinute) uploads a minute at most.")
    case 1: full
    default:
      Problem(
        status: 429, code: "rate_limited",
        detail: "A user has \(settings.userUploadsAtOnce) uploads under way at most.")
    }
  }

  private var full: Problem {
    Problem(
      status: 403, code: "quota_exceeded",
      detail: "A user has \(settings.userBytes) bytes of uploads at most. Delete some.")
  }

  /// Notes that an upload is whole; it is there from now on.
  ///
  /// - Throws: `Problem` 403 when there is no room any more, 503 when it was swept meanwhile; `StoreError`.
  func finish(
    _ id: String, user: String, size: Int64, sha256: String, _ image: ImageFacts
  ) async throws -> Upload {
    var (made, absence): (Thumbnailer.Made?, String?)
    switch image.thumbnail {
    case .made(let thumbnail): made = thumbnail
    case .absent(let why): absence = why.rawValue
    case nil: break
    }
    do {
      let commit = try await context.store.commit {
        SQL(
          """
          UPDATE uploads_users SET bytes = bytes + \(size)
          WHERE user_id = \(user) AND bytes + \(size) <= \(settings.userBytes)
          """
        ).expect(exactly: 1)
        SQL(
          """
          UPDATE uploads_items SET state = 'ready', multipart = NULL,
            here = CASE WHEN store = 'folder' THEN 0 ELSE 1 END, size = \(size), sha256 = \(sha256),
            width = \(image.size?.width), height = \(image.size?.height),
            thumb_width = \(made?.size.width), thumb_height = \(made?.size.height),
            thumb_bytes = \(made?.bytes), thumb_absent = \(absence)
          WHERE id = \(id) AND state = 'receiving' RETURNING \(raw: Upload.columns)
          """
        ).expect(exactly: 1)
      }
      guard let upload = try commit.statements[1].decode(Upload.self).first else {
        throw HostError(.internal, "The store has not returned a row that it changed.")
      }
      return upload
    } catch StoreError.conflict(statement: 0, _) {
      throw full
    } catch StoreError.conflict {
      throw HostError(.unavailable, "the upload was swept while it was received")
    }
  }

  /// Has nobody see an upload any more; its file may go then.
  ///
  /// - Parameter states: which it must be in.
  /// - Returns: false when it is in none of them.
  func hide(_ id: String, from states: [String]) async throws -> Bool {
    do {
      var batch = Batch()
      batch.isApartFromRequest = true
      // Only what is whole was counted; the size of anything else is 0.
      batch.add(
        """
        UPDATE uploads_users SET bytes = bytes - (SELECT size FROM uploads_items WHERE id = \(id))
        WHERE user_id = (
          SELECT user_id FROM uploads_items WHERE id = \(id) AND state IN (\(each: states)))
        """)
      batch.add(
        SQL(
          """
          UPDATE uploads_items SET state = 'deleting' WHERE id = \(id) AND state IN (\(each: states))
          """
        ).expect(exactly: 1))
      try await context.store.commit(batch)
      return true
    } catch StoreError.conflict {
      return false
    }
  }

  /// Forgets an upload whose file is gone.
  func forget(_ id: String) async throws {
    try await context.store.commit(isApartFromRequest: true) {
      SQL("DELETE FROM uploads_items WHERE id = \(id) AND state = 'deleting'")
    }
  }

  /// Forgets a user of whom nothing is left.
  func forget(user: String) async throws {
    try await context.store.commit(isApartFromRequest: true) {
      SQL(
        """
        DELETE FROM uploads_users WHERE user_id = \(user)
          AND NOT EXISTS (SELECT 1 FROM uploads_items WHERE user_id = \(user))
        """)
    }
  }

  /// An upload that is whole.
  func find(_ id: String) async throws -> Upload? {
    try await context.store.read(
      """
      SELECT \(raw: Upload.columns) FROM uploads_items WHERE id = \(id) AND state = 'ready'
      """
    ).decode(Upload.self).first
  }

  /// Those of some uploads that are whole, in no order.
  ///
  /// - Parameter user: whose they have to be; nil for anybody's.
  func find(_ ids: [String], of user: String? = nil) async throws -> [Upload] {
    try await context.store.read(
      """
      SELECT \(raw: Upload.columns) FROM uploads_items
      WHERE id IN (\(each: ids)) AND state = 'ready'
        AND (\(user == nil) = 1 OR user_id = \(user))
      """
    ).decode(Upload.self)
  }

  /// Uploads that are whole, the newest first.
  ///
  /// - Parameter user: whose; nil for everybody's.
  func list(user: String?, before id: String?, limit: Int) async throws -> [Upload] {
    let end = id ?? "\(Upload.prefix)_~"
    let statement: SQL =
      if let user {
        """
        SELECT \(raw: Upload.columns) FROM uploads_items
        WHERE user_id = \(user) AND state = 'ready' AND id < \(end) ORDER BY id DESC LIMIT \(limit)
        """
      } else {
        """
        SELECT \(raw: Upload.columns) FROM uploads_items
        WHERE state = 'ready' AND id < \(end) ORDER BY id DESC LIMIT \(limit)
        """
      }
    return try await context.store.read(statement).decode(Upload.self)
  }

  /// Notes that an upload is being put into a bucket in parts.
  func note(multipart: String, of id: String) async throws {
    try await context.store.commit(isApartFromRequest: true) {
      SQL("UPDATE uploads_items SET multipart = \(multipart) WHERE id = \(id)").expect(exactly: 1)
    }
  }

  /// The parts of an upload that may be open in a bucket.
  func multipart(of id: String) async throws -> String? {
    try await context.store.read("SELECT multipart FROM uploads_items WHERE id = \(id)")
      .first?["multipart", String?.self]
  }

  /// An upload that is not whole.
  struct Unfinished: Decodable {
    let id: String
    let state: String
    let store: UploadSettings.Store
    let place: String?
    let createdAt: Timestamp

    var whereabouts: Whereabouts { Whereabouts(store: store, place: place) }

    private enum CodingKeys: String, CodingKey {
      case id, state, store, place
      case createdAt = "created_at"
    }
  }

  /// How many of a user's uploads are to go from buckets that the settings do not name.
  ///
  /// - Parameters:
  ///   - ids: which are looked at; nil for all of them.
  ///   - bucket: the ``BucketPlace/name`` of the one that they name; nil for none.
  func stranded(
    of user: String, among ids: [String]? = nil, besides bucket: String?
  ) async throws -> Int64 {
    // Rows of before are where the settings say, if those say anything.
    let (named, unnamed) = (bucket ?? "", bucket ?? "?")
    return try await context.store.read(
      """
      SELECT count(*) AS count FROM uploads_items
      WHERE user_id = \(user) AND state = 'deleting' AND store = 's3'
        AND (\(ids == nil) = 1 OR id IN (\(each: ids ?? [""])))
        AND coalesce(place, \(unnamed)) <> \(named)
      """
    ).first?["count", Int64.self] ?? 0
  }

  /// Notes that an upload in a bucket is not on the gateway's disk any more.
  func noteGone(_ id: String) async throws {
    try await context.store.commit(isApartFromRequest: true) {
      SQL("UPDATE uploads_items SET here = 0 WHERE id = \(id)")
    }
  }

  /// What is being received or going, and what is in a bucket and may be here too, behind `id` in the order of ids.
  func unfinished(after id: String, limit: Int) async throws -> [Unfinished] {
    try await context.store.read(
      """
      SELECT id, state, store, place, created_at FROM uploads_items
      WHERE state IN ('receiving', 'deleting') AND id > \(id)
      UNION SELECT id, state, store, place, created_at FROM uploads_items
      WHERE here = 1 AND id > \(id)
      ORDER BY id LIMIT \(limit)
      """
    ).decode(Unfinished.self)
  }
}
