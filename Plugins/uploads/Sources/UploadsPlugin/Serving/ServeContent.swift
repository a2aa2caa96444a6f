internal import PluginKit

/// `GET /v1/uploads/{id}/content?app=&expires=&signature=` and `…/thumbnail?…`: the bytes. A link has no `expires`.
extension UploadsShard {
  /// How much is read from the disk at once, in bytes.
  private static let chunk = 128 << 10

  func readContent(_ request: Request) async throws -> Response {
    try await serve(.content, request)
  }

  func readThumbnail(_ request: Request) async throws -> Response {
    try await serve(.thumbnail, request)
  }

  private func serve(_ part: UploadPart, _ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let now = try context.clock.now()
    let expires = request.query("expires").map { Int64($0) ?? 0 }
    guard
      try await urlKey().isValid(
        request.query("signature") ?? "", of: id, part, app: context.tenant, expires: expires)
    else { throw Problem.forbidden("The signature is not of this upload and time.") }
    // Of a link nothing ends but how long its answer is kept.
    let left = expires.map { $0 - now.unixMilliseconds / 1_000 } ?? settings.urlSeconds
    guard left > 0 else {
      throw Problem.forbidden("The URL has expired: read the upload again for a fresh one.")
    }
    guard let upload = try await ledger.find(id) else {
      throw Problem.notFound("The upload has been deleted.")
    }
    guard let blob = Blob(part, of: upload, in: folder) else {
      throw Problem.notFound("The upload has no thumbnail.")
    }
    if let answer = try precondition(request, blob.tag, seconds: left) { return answer }
    if upload.store == .s3 {
      return try redirect(to: blob, upload.whereabouts, request, at: now, seconds: left)
    }

    var range = ByteRange.whole
    // A range is for GET alone (RFC 9110 §14.2), and with If-Range for the same bytes alone (§13.1.5).
    if request.method == "GET",
      request.header("if-range").map({ $0 == blob.tag.text }) ?? true
    {
      range = ByteRange(request.header("range"), size: blob.size)
    }
    switch range {
    case .unsatisfiable:
      return .problem(
        Problem(
          status: 416, code: "range_not_satisfiable",
          detail: "The range lies behind the end, at \(blob.size) bytes.")
      ).header("content-range", "bytes */\(blob.size)")
    case .whole:
      return try await send(blob, 0..<blob.size, status: 200, request, seconds: left)
    case .part(let part):
      try request.addHeader(
        "content-range", "bytes \(part.lowerBound)-\(part.upperBound)/\(blob.size)")
      return try await send(
        blob, part.lowerBound..<part.upperBound + 1, status: 206, request, seconds: left)
    }
  }

  /// Sends the client to the bucket, which is told to answer as the gateway would.
  private func redirect(
    to blob: Blob, _ whereabouts: Whereabouts, _ request: Request, at now: Timestamp,
    seconds: Int64
  ) throws -> Response {
    guard let bucket, bucket.isWhere(whereabouts) else {
      context.log.error(
        "an upload is in a bucket that the settings do not name",
        ["upload": blob.id, "bucket": whereabouts.place ?? "unknown"])
      throw HostError(.unavailable, "the upload is in a bucket that the settings do not name")
    }
    let url = bucket.url(
      of: blob.key, method: request.method == "HEAD" ? "HEAD" : "GET", at: now, seconds: seconds,
      answering: [
        ("response-cache-control", UploadsShard.caching(seconds: seconds)),
        (
          "response-content-disposition",
          FileName.disposition(blob.name, isInline: blob.isInline)
        ),
        ("response-content-type", blob.field),
      ])
    return .empty(307).header("location", url).header("cache-control", "no-store")
      .header("referrer-policy", "no-referrer")
  }

  /// RFC 9110 §13.2.2, with tags alone.
  private func precondition(
    _ request: Request, _ tag: EntityTag, seconds: Int64
  ) throws -> Response? {
    if let list = request.header("if-match"), !tag.isIn(list, weak: false) {
      return .problem(
        Problem(
          status: 412, code: "precondition_failed", detail: "The upload is not what If-Match says.")
      )
    }
    if let list = request.header("if-none-match"), tag.isIn(list, weak: true) {
      return .empty(304).header("etag", tag.text)
        .header("cache-control", UploadsShard.caching(seconds: seconds))
    }
    return nil
  }

  private static func caching(seconds: Int64) -> String {
    "private, max-age=\(seconds), immutable"
  }

  /// Sends a part of the file, as fast as the client takes it.
  private func send(
    _ blob: Blob, _ part: Range<Int64>, status: Int, _ request: Request, seconds: Int64
  ) async throws -> Response {
    let (folder, path) = (folder, blob.path)
    let file: OpenFile?
    do {
      file = try await context.worker.run { try folder.open(path: path) }
    } catch let failure as BlobFolder.Failure {
      context.log.error(
        "an upload cannot be read", ["upload": blob.id, "reason": failure.description])
      throw HostError(.unavailable, failure.description)
    }
    guard let file else { throw Problem.notFound("The upload has been deleted.") }
    for (name, value) in fields(of: blob, seconds: seconds) {
      try request.addHeader(name, value)
    }
    let answer = try request.stream(
      status: status, contentType: blob.field, length: Int(part.upperBound - part.lowerBound))
    guard request.method == "GET" else {
      try answer.end()
      return .streamed
    }
    var offset = part.lowerBound
    while offset < part.upperBound {
      let (start, count) = (offset, Int(min(Int64(Self.chunk), part.upperBound - offset)))
      let piece = try await context.worker.run { try file.read(count, at: start) }
      // Cut off on the disk: the connection is cut too, for the length has been said.
      guard !piece.isEmpty else { break }
      offset += Int64(piece.count)
      try await answer.write(piece)
    }
    try answer.end()
    return .streamed
  }

  /// Whatever the bytes are, a browser runs none of them under the app's name.
  private func fields(of blob: Blob, seconds: Int64) -> [(String, String)] {
    [
      ("etag", blob.tag.text),
      ("accept-ranges", "bytes"),
      ("cache-control", UploadsShard.caching(seconds: seconds)),
      ("content-disposition", FileName.disposition(blob.name, isInline: blob.isInline)),
      ("x-content-type-options", "nosniff"),
      ("content-security-policy", "default-src 'none'; media-src 'self'; sandbox"),
      // Images of an app stand on its own pages, which are of another origin.
      ("cross-origin-resource-policy", "cross-origin"),
      ("referrer-policy", "no-referrer"),
    ]
  }
}

/// What is sent of an upload.
private struct Blob {
  let id: String
  let path: String
  /// In a bucket.
  let key: String
  let size: Int64
  let tag: EntityTag
  /// `Content-Type`
  let field: String
  let name: String
  let isInline: Bool

  /// nil when the upload has no such part.
  init?(_ part: UploadPart, of upload: Upload, in folder: BlobFolder) {
    id = upload.id
    switch part {
    case .content:
      path = folder.file(of: id)
      key = id
      size = upload.size
      tag = EntityTag(sha256: upload.sha256)
      field = (MediaType(upload.type) ?? .unknown).field
      name = upload.name
      isInline = upload.isInline
    case .thumbnail:
      guard let bytes = upload.thumbBytes else { return nil }
      path = folder.thumbnail(of: id)
      key = Bucket.thumbnail(of: id)
      size = bytes
      // It is made once, of those bytes.
      tag = EntityTag(sha256: upload.sha256 + "-thumbnail")
      field = UploadPart.thumbnailType
      name = ""
      isInline = true
    }
  }
}
