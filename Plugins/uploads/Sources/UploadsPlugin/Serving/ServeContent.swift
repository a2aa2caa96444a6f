internal import PluginKit

/// `GET /v1/uploads/{id}/content?app=&expires=&signature=`: the bytes.
extension UploadsShard {
  /// How much is read from the disk at once, in bytes.
  private static let chunk = 128 << 10

  func readContent(_ request: Request) async throws -> Response {
    let id = try request.parameter(0)
    let now = try context.clock.now()
    let expires = request.query("expires").flatMap { Int64($0) } ?? 0
    guard
      try await urlKey().isValid(
        request.query("signature") ?? "", of: id, app: context.tenant, expires: expires)
    else { throw Problem.forbidden("The signature is not of this upload and time.") }
    let left = expires - now.unixMilliseconds / 1_000
    guard left > 0 else {
      throw Problem.forbidden("The URL has expired: read the upload again for a fresh one.")
    }
    guard let upload = try await ledger.find(id) else {
      throw Problem.notFound("The upload has been deleted.")
    }
    if let answer = try precondition(request, upload.tag, seconds: left) { return answer }

    var range = ByteRange.whole
    // A range is for GET alone (RFC 9110 §14.2), and with If-Range for the same bytes alone (§13.1.5).
    if request.method == "GET",
      request.header("if-range").map({ $0 == upload.tag.text }) ?? true
    {
      range = ByteRange(request.header("range"), size: upload.size)
    }
    switch range {
    case .unsatisfiable:
      return .problem(
        Problem(
          status: 416, code: "range_not_satisfiable",
          detail: "The range lies behind the end, at \(upload.size) bytes.")
      ).header("content-range", "bytes */\(upload.size)")
    case .whole:
      return try await send(upload, 0..<upload.size, status: 200, request, seconds: left)
    case .part(let part):
      try request.addHeader(
        "content-range", "bytes \(part.lowerBound)-\(part.upperBound)/\(upload.size)")
      return try await send(
        upload, part.lowerBound..<part.upperBound + 1, status: 206, request, seconds: left)
    }
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
    _ upload: Upload, _ part: Range<Int64>, status: Int, _ request: Request, seconds: Int64
  ) async throws -> Response {
    let (folder, id) = (folder, upload.id)
    let file: OpenFile?
    do {
      file = try await context.worker.run { try folder.open(id) }
    } catch let failure as BlobFolder.Failure {
      context.log.error("an upload cannot be read", ["upload": id, "reason": failure.description])
      throw HostError(.unavailable, failure.description)
    }
    guard let file else { throw Problem.notFound("The upload has been deleted.") }
    for (name, value) in fields(of: upload, seconds: seconds) {
      try request.addHeader(name, value)
    }
    let type = MediaType(upload.type) ?? .unknown
    let answer = try request.stream(
      status: status, contentType: type.field, length: Int(part.upperBound - part.lowerBound))
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
  private func fields(of upload: Upload, seconds: Int64) -> [(String, String)] {
    [
      ("etag", upload.tag.text),
      ("accept-ranges", "bytes"),
      ("cache-control", UploadsShard.caching(seconds: seconds)),
      ("content-disposition", FileName.disposition(upload.name, isInline: upload.isInline)),
      ("x-content-type-options", "nosniff"),
      ("content-security-policy", "default-src 'none'; media-src 'self'; sandbox"),
      // Images of an app stand on its own pages, which are of another origin.
      ("cross-origin-resource-policy", "cross-origin"),
      ("referrer-policy", "no-referrer"),
    ]
  }
}
