internal import PluginKit

/// What is told of uploads, and their end.
extension UploadsShard {
  /// `GET /v1/uploads?user_id=&after=&limit=`
  func listUploads(_ request: Request) async throws -> Response {
    let user = try AppActor(request.principal).subject(request.query("user_id"))
    let limit = request.query("limit").flatMap { Int($0) } ?? 25
    let found = try await ledger.list(
      user: user, before: request.query("after"), limit: limit + 1)
    let now = try context.clock.now()
    let key = try await urlKey()
    let shown = found.prefix(limit).map { upload in
      ShownUpload(upload) { part in
        key.url(of: upload.id, part, app: context.tenant, at: now, seconds: settings.urlSeconds)
      }
    }
    return try .json(
      Page(data: shown, next: found.count > limit ? shown.last?.id : nil))
  }

  /// `GET /v1/uploads/{id}`
  func readUpload(_ request: Request) async throws -> Response {
    let actor = try AppActor(request.principal)
    let upload = try await known(try request.parameter(0))
    if case .user(let id) = actor, settings.readableBy == .owner, !id.isExactly(upload.userID) {
      throw Problem.notFound("There is no such upload.")
    }
    return try .json(try await show(upload))
  }

  /// `DELETE /v1/uploads/{id}`
  func deleteUpload(_ request: Request) async throws -> Response {
    let actor = try AppActor(request.principal)
    let upload = try await known(try request.parameter(0))
    if case .user(let id) = actor, !id.isExactly(upload.userID) {
      throw settings.readableBy == .owner
        ? Problem.notFound("There is no such upload.")
        : Problem.forbidden("The upload is another user's.")
    }
    guard try await delete(upload) else { throw Problem.notFound("There is no such upload.") }
    return .empty(204)
  }

  /// `DELETE /v1/uploads?user_id=`
  func deleteUploads(_ request: Request) async throws -> Response {
    guard let user = request.query("user_id") else { throw RequestGone() }
    return try .json(try await erase(Erasure(userID: user)))
  }

  /// Deletes all uploads of a user that are whole when this begins, and those that become so meanwhile.
  func erase(_ erasure: Erasure) async throws -> Erased {
    var deleted = 0
    while true {
      let found = try await ledger.list(user: erasure.userID, before: nil, limit: 100)
      guard !found.isEmpty else {
        try await ledger.forget(user: erasure.userID)
        try await refuseStranded(of: erasure.userID)
        return Erased(deleted: deleted)
      }
      for upload in found where try await delete(upload) { deleted += 1 }
    }
  }

  /// What is in a bucket that the settings do not name stays there: nobody is told that it is gone.
  ///
  /// - Parameter ids: which are asked about; nil for all of the user's.
  func refuseStranded(of user: String, among ids: [String]? = nil) async throws {
    let left = try await ledger.stranded(
      of: user, among: ids, besides: settings.bucket(of: context.tenant)?.name)
    guard left > 0 else { return }
    context.log.error(
      "a user's uploads cannot be deleted from a bucket that the settings do not name",
      ["user": user, "uploads": "\(left)"])
    throw HostError(.unavailable, "\(left) uploads are in a bucket that the settings do not name")
  }

  /// - Returns: false when somebody else has deleted it.
  func delete(_ upload: Upload) async throws -> Bool {
    guard try await ledger.hide(upload.id, from: ["ready"]) else { return false }
    do {
      try await removal.remove(upload.id, from: upload.whereabouts)
    } catch let failure where failure is BlobFolder.Failure || failure is Bucket.Failure {
      // Nobody sees it any more, and the sweep will try again.
      context.log.warning(
        "an upload's file cannot be removed now", ["upload": upload.id, "reason": "\(failure)"])
    }
    return true
  }

  private func known(_ id: String) async throws -> Upload {
    guard let upload = try await ledger.find(id) else {
      throw Problem.notFound("There is no such upload.")
    }
    return upload
  }

  /// An upload with a fresh URL.
  func show(_ upload: Upload) async throws -> ShownUpload {
    let key = try await urlKey()
    let now = try context.clock.now()
    return ShownUpload(upload) { part in
      key.url(of: upload.id, part, app: context.tenant, at: now, seconds: settings.urlSeconds)
    }
  }
}

/// Whose uploads go: the request of method 1 of `sluice.uploads/1`.
struct Erasure: Codable {
  let userID: String

  private enum CodingKeys: String, CodingKey { case userID = "user_id" }
}

/// How many went.
struct Erased: Codable {
  let deleted: Int
}
