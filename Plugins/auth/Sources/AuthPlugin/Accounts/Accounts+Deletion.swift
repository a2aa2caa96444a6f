internal import PluginKit

/// What `sluice.account-ties/1` is asked.
struct TiesQuery: Codable {
  var account: String
  /// What this end of the account is called. Not as the request is: that is a client's to choose.
  var departure: String
  /// Where who asks is, and in which request.
  var address: String
  var requestID: String

  enum CodingKeys: String, CodingKey {
    case account, departure, address
    case requestID = "request_id"
  }
}

/// What method 1 answers: what nobody else owns, and so keeps the account.
struct TiesReply: Codable {
  struct Kept: Codable {
    var id: String
    var name: String
  }

  var keptBy: [Kept]
  /// Whether there is more than is named.
  var more: Bool

  enum CodingKeys: String, CodingKey {
    case more
    case keptBy = "kept_by"
  }
}

/// What method 2 answers: nothing.
struct TiesSettled: Codable {}

extension Accounts {
  private static let ties = "sluice.account-ties/1"

  /// `DELETE /v1/me`: ends the account with all that is kept of it, when its owner has shown who asks. What it owns alone keeps it.
  func deleteAccount(_ request: Request) async throws -> Response {
    let proof = try request.decode(OwnerProof.self)
    try proof.requireOneFactor()
    let id = request.principal.id
    let (account, kept) = try await confirm(proof.password, of: id, from: request.peer)
    let factor = try await secondFactor(account, proof)
    let ties = TiesQuery(
      account: id, departure: try context.id.make("dep"), address: request.peer,
      requestID: request.id)
    try await depart(ties)
    do {
      try await end(account, password: kept, behind: factor, request)
    } catch {
      await settle(ties)
      throw error
    }
    await settle(ties)
    try await context.forgetIdentities()
    try await forgetSealedSecret(of: id)
    handOverLetters()
    return .empty(204)
  }

  private func end(
    _ account: Account, password kept: String?, behind factor: [SQL], _ request: Request
  ) async throws {
    let (id, now) = (account.id, try now())
    var note = AuditNote(request, "account.deleted")
    note.target = id
    var batch = Batch()
    for statement in factor { batch.add(statement) }
    batch.add(
      SQL(
        """
        DELETE FROM auth_accounts WHERE id = \(id) AND password = \(kept)
          AND totp_enabled_at IS \(raw: account.totpEnabled ? "NOT NULL" : "NULL")
        """
      ).expect(exactly: 1))
    batch.add(
      """
      DELETE FROM auth_refresh_tokens WHERE session_id IN (
        SELECT id FROM auth_sessions WHERE account_id = \(id))
      """)
    batch.add("DELETE FROM auth_sessions WHERE account_id = \(id)")
    batch.add("DELETE FROM auth_recovery_codes WHERE account_id = \(id)")
    batch.add("DELETE FROM auth_letters WHERE account_id = \(id)")
    for statement in try await notice(.accountDeleted, to: account, at: now) {
      batch.add(statement)
    }
    batch.emit(try note.emission())
    try await commit(batch, behind: factor, else: Accounts.changed)
  }

  /// Tells whoever keeps what is accounts' that one is about to end.
  ///
  /// - Throws: `Problem` 409 with what would be nobody's.
  private func depart(_ query: TiesQuery) async throws {
    let reply: TiesReply
    do {
      reply = try await context.services.call(
        Accounts.ties, method: 1, query, as: TiesReply.self)
    } catch let error as HostError where error.status == .notFound {
      // Nobody keeps anything.
      return
    }
    guard !reply.keptBy.isEmpty else { return }
    let names = reply.keptBy.map { "\"\($0.name)\" (\($0.id))" }.joined(separator: ", ")
    throw Problem.conflict(
      "The account is the only owner of \(names)\(reply.more ? " and more" : ""). Transfer or delete first what is to go on or to end."
    )
  }

  /// Tells the same that it has ended, or not. Where this fails, that is found out there some minutes later.
  private func settle(_ query: TiesQuery) async {
    do {
      _ = try await context.services.call(
        Accounts.ties, method: 2, query, as: TiesSettled.self)
    } catch let error as HostError where error.status == .notFound {
      // Nobody keeps anything.
    } catch {
      context.log.warning(
        "the end of an account is settled later", ["account": query.account, "error": "\(error)"])
    }
  }
}
