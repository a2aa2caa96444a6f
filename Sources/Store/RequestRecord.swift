/// A request that must not be carried out twice, as it stands in the tenant's file.
///
/// All batches of one request name the same ``claim``. The first writes the record with its effects; where there is one of another
/// claim already, the batch ends with ``StoreError/Code/repeated``.
public struct RequestRecord: Sendable, Equatable {
  /// How long a record lasts, in milliseconds.
  public static let lifetime: Int64 = 86_400_000

  /// Who asked: keys of different principals do not meet.
  public var principal: String
  /// As the client chose it.
  public var key: String
  /// What the key stands for: the same key with another is a mistake.
  public var fingerprint: [UInt8]
  /// Of this one attempt.
  public var claim: [UInt8]

  /// - Parameters:
  ///   - fingerprint: a digest of the request.
  ///   - claim: bytes that no other attempt has.
  public init(principal: String, key: String, fingerprint: [UInt8], claim: [UInt8]) {
    self.principal = principal
    self.key = key
    self.fingerprint = fingerprint
    self.claim = claim
  }

  /// Reads the record that there is: `fingerprint`, `status`, `content_type`, `answer`. A record without a status is of a request that was
  /// carried out and whose answer is not known; one with a status alone had an answer that was not kept.
  ///
  /// - Parameter now: Unix milliseconds.
  public static func reading(principal: String, key: String, now: Int64) -> Statement {
    Statement(
      """
      SELECT fingerprint, status, content_type, answer FROM sluice_requests
      WHERE principal = :principal AND key = :key AND at >= :oldest
      """,
      binds: [
        Bind("principal", .text(principal)), Bind("key", .text(key)),
        Bind("oldest", .integer(now - lifetime)),
      ])
  }

  /// Writes the record with its answer, and forgets some that are too old.
  ///
  /// - Parameters:
  ///   - answer: nil when it is not kept.
  ///   - now: Unix milliseconds.
  public func answered(
    status: Int, contentType: String, answer: [UInt8]?, now: Int64
  ) -> [Statement] {
    [
      Statement(
        """
        DELETE FROM sluice_requests WHERE rowid IN (
          SELECT rowid FROM sluice_requests WHERE at < :oldest ORDER BY at LIMIT 16)
        """, binds: [Bind("oldest", .integer(now - Self.lifetime))]),
      Statement(
        """
        INSERT INTO sluice_requests (principal, key, fingerprint, claim, at, status, content_type, answer)
        VALUES (:principal, :key, :fingerprint, :claim, :now, :status, :type, :answer)
        ON CONFLICT (principal, key) DO UPDATE
          SET fingerprint = :fingerprint, claim = :claim, at = :now, status = :status,
            content_type = :type, answer = :answer
          WHERE claim = :claim OR at < :oldest
        """,
        binds: [
          Bind("principal", .text(principal)), Bind("key", .text(key)),
          Bind("fingerprint", .blob(fingerprint)), Bind("claim", .blob(claim)),
          Bind("now", .integer(now)), Bind("oldest", .integer(now - Self.lifetime)),
          Bind("status", .integer(Int64(status))),
          Bind("type", .text(contentType)), Bind("answer", answer.map { .blob($0) } ?? .null),
        ], guard: .exactly(1)),
    ]
  }
}

extension SQLiteTenantFile {
  /// Writes the record in the open transaction, unless the same claim has written it before.
  func record(_ request: RequestRecord) throws(StoreError) {
    let now = options.now()
    var isFirst = false
    try connection.query(
      .insertRequest, .text(request.principal), .text(request.key), .blob(request.fingerprint),
      .blob(request.claim), .integer(now), .integer(now - RequestRecord.lifetime)
    ) { _ in isFirst = true }
    guard isFirst else {
      throw StoreError(.repeated, "a request with this idempotency key has been carried out before")
    }
  }
}
