internal import PluginKit

/// `POST /v1/uploads?user_id=&name=`: a file as the request's body.
extension UploadsShard {
  /// How much is gathered before it is written, in bytes.
  private static let chunk = 256 << 10

  func createUpload(_ request: Request) async throws -> Response {
    guard let user = try AppActor(request.principal).subject(request.query("user_id")) else {
      throw Problem.invalid(
        pointer: "/query/user_id", "With a secret key user_id is needed: whose is it?")
    }
    let name = FileName.cleaned(request.query("name") ?? "")
    let declared = try declaredType(request)
    let announced = request.header("content-length").flatMap { Int64($0) } ?? 0
    guard announced <= settings.largest else { throw tooLarge(settings.largest) }
    do {
      var head = try await readHead(request)
      let type = try agreedType(declared, head)
      guard let limit = settings.types[type.text]?.maxBytes else { throw notTaken(type) }
      guard max(announced, Int64(head.count)) <= limit else { throw tooLarge(limit, type) }
      let id = try await ledger.begin(user: user, name: name, type: type, size: max(announced, 1))
      do {
        let (draft, size, sha256) = try await receive(request, into: id, &head, limit: limit, type)
        let image = try await look(at: id, type)
        if settings.store == .s3 { try await putIntoBucket(id, type, size: size, image.thumbnail) }
        let upload = try await ledger.finish(
          id, user: user, size: size, sha256: sha256.hexadecimal, image)
        if upload.store == .s3 { await leave(id) }
        // Its lock kept the sweep away until the row said that it is whole.
        withExtendedLifetime(draft) {}
        counters.received?.add()
        counters.receivedBytes?.add(Int(size))
        return try .json(try await show(upload), status: 201)
          .header("location", "/v1/uploads/\(id)")
      } catch {
        await abandon(id)
        throw error
      }
    } catch {
      counters.refused?.add()
      throw refusal(error)
    }
  }

  // MARK: - what it is

  /// What the client calls it; nil when it does not say.
  private func declaredType(_ request: Request) throws -> MediaType? {
    guard let field = request.header("content-type"), !field.isEmpty else { return nil }
    guard let type = MediaType(field) else {
      throw unsupported("Content-Type is no media type such as image/png.")
    }
    return type == .unknown ? nil : type
  }

  private func agreedType(_ declared: MediaType?, _ head: [UInt8]) throws -> MediaType {
    let sniffed = Sniffer.type(of: head)
    guard let declared else { return sniffed }
    guard Sniffer.agrees(declared, with: sniffed) else {
      throw unsupported(
        "Content-Type says \(declared.text), and the bytes are \(sniffed.text).")
    }
    return declared
  }

  private func notTaken(_ type: MediaType) -> Problem {
    let types = settings.types.keys.sorted().joined(separator: ", ")
    return unsupported("The app takes no \(type.text), but \(types.isEmpty ? "nothing" : types).")
  }

  private func unsupported(_ detail: String) -> Problem {
    Problem(status: 415, code: "unsupported_media_type", detail: detail)
  }

  private func tooLarge(_ limit: Int, _ type: MediaType? = nil) -> Problem {
    Problem(
      status: 413, code: "payload_too_large",
      detail: "The app takes \(limit) bytes at most\(type.map { " of \($0.text)" } ?? "").")
  }

  // MARK: - its bytes

  /// As much of the body as tells what it is.
  private func readHead(_ request: Request) async throws -> [UInt8] {
    var head: [UInt8] = []
    while head.count < Sniffer.window, let piece = try await request.readBody() { head += piece }
    guard !head.isEmpty else { throw Problem.invalid("The body is empty: send the file's bytes.") }
    return head
  }

  /// Writes the body, of which `head` has been read; the client waits while the disk does.
  private func receive(
    _ request: Request, into id: String, _ head: inout [UInt8], limit: Int, _ type: MediaType
  ) async throws -> (draft: BlobDraft, size: Int64, sha256: [UInt8]) {
    let folder = folder
    let draft = try await context.worker.run { try folder.begin(id) }
    var size = head.count
    var chunk = head
    head = []
    while true {
      let piece = try await request.readBody()
      size += piece?.count ?? 0
      guard size <= limit else { throw tooLarge(limit, type) }
      if let piece { chunk += piece }
      guard piece == nil || chunk.count >= Self.chunk else { continue }
      let bytes = chunk
      chunk = []
      try await context.worker.run { try draft.write(bytes) }
      if piece == nil { break }
    }
    let sha256 = try await context.worker.run { try draft.finish() }
    return (draft, Int64(size), sha256)
  }

  /// What there is to know of an image, and a small one of it; a file of another type has neither.
  private func look(at id: String, _ type: MediaType) async throws -> ImageFacts {
    let folder = folder
    let size = try await context.worker.run { () -> ImageSize? in
      guard let file = try folder.open(path: folder.file(of: id)) else { return nil }
      return try ImageSize.read(type) { try file.read($0, at: $1) }
    }
    if let size, size.pixels > settings.maxPixels {
      throw Problem(
        status: 413, code: "payload_too_large",
        detail:
          "The image has \(size.width) by \(size.height) pixels, and the app takes \(settings.maxPixels) in all."
      )
    }
    guard let thumbnails, Thumbnailer.types.contains(type.text) else {
      return ImageFacts(size: size)
    }
    if size == nil, ImageSize.types.contains(type.text) {
      // No decoder is to be the first that learns how large it is.
      return ImageFacts(thumbnail: .absent(.unreadable))
    }
    return ImageFacts(size: size, thumbnail: try await thumbnails.make(of: id))
  }

  /// Puts what was received into the app's bucket.
  private func putIntoBucket(
    _ id: String, _ type: MediaType, size: Int64, _ thumbnail: Thumbnailer.Outcome?
  ) async throws {
    guard let bucket else { throw Bucket.Failure(description: "the settings name no bucket") }
    let folder = folder
    func put(_ path: String, _ key: String, _ type: String, _ size: Int64) async throws {
      let opened = try await context.worker.run { try folder.open(path: path) }
      guard let file = opened else { throw Bucket.Failure(description: "the file is gone") }
      try await bucket.put(file, size: size, as: key, type: type) { [ledger] multipart in
        try await ledger.note(multipart: multipart, of: id)
      }
    }
    try await put(folder.file(of: id), id, type.field, size)
    if case .made(let made) = thumbnail {
      try await put(
        folder.thumbnail(of: id), Bucket.thumbnail(of: id), UploadPart.thumbnailType, made.bytes)
    }
  }

  /// Removes what was received of an upload that is in the bucket; what cannot be removed now is swept.
  private func leave(_ id: String) async {
    do {
      let folder = folder
      try await context.worker.run { try folder.remove(id) }
      try await ledger.noteGone(id)
    } catch {
      context.log.warning(
        "what was received of an upload is swept later", ["upload": id, "error": "\(error)"])
    }
  }

  /// Removes what is there of an upload that came to nothing; what cannot be removed now is swept.
  private func abandon(_ id: String) async {
    do {
      guard try await ledger.hide(id, from: ["receiving"]) else { return }
      try await removal.remove(id, from: ledger.whereabouts)
    } catch {
      guard context.isOpen else { return }
      context.log.warning(
        "what is left of an upload is swept later", ["upload": id, "error": "\(error)"])
    }
  }

  /// What a client is told of a failure.
  private func refusal(_ error: any Error) -> any Error {
    switch error {
    case let failure as BlobFolder.Failure:
      context.log.error("an upload cannot be kept", ["reason": failure.description])
      return HostError(failure.isFull ? .storageFull : .unavailable, failure.description)
    case let failure as Bucket.Failure:
      context.log.error("an upload cannot be put into the bucket", ["reason": failure.description])
      return HostError(.unavailable, failure.description)
    case let error as HostError where error.status == .tooLarge:
      return Problem(
        status: 413, code: "payload_too_large", detail: "The gateway takes no body as large.")
    default: return error
    }
  }
}
