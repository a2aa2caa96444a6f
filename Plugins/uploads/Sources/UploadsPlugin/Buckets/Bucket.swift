internal import PluginCrypto
internal import PluginKit

/// A bucket of a server that speaks S3's protocol, addressed by path. Loop thread only.
final class Bucket {
  /// A failure, in the server's words where it has said any; no secret is among them.
  struct Failure: Error, CustomStringConvertible {
    let description: String
    /// Whether it may be over in a moment: what has failed so is asked again.
    var mayPass = false
  }

  /// How much goes in one request, in bytes. S3 wants 5 MiB at least in all parts but the last.
  static let partSize = 5 << 20
  /// Each is a part in memory, from its being read to the bucket's answer. A bucket that answers nothing keeps an app's turns alone.
  private static let turns = Turns(most: 12, ofOneApp: 3)
  /// Before something is put a second and a third time, in milliseconds.
  private static let pauses = [200, 1_000]
  /// How long a part waits for its turn, in milliseconds.
  private static let patience = 120_000

  /// The name of an upload's thumbnail.
  static func thumbnail(of id: String) -> String { id + ".thumb" }

  private let place: BucketPlace
  private let context: ShardContext

  init(_ place: BucketPlace, _ context: ShardContext) {
    self.place = place
    self.context = context
  }

  /// Whether an upload that is there is in this bucket.
  func isWhere(_ whereabouts: Whereabouts) -> Bool {
    whereabouts.store == .s3 && whereabouts.place ?? place.name == place.name
  }

  /// Puts a file, a part at a time.
  ///
  /// - Parameter begun: hears of what is to be ended should this process not come to it.
  func put(
    _ file: OpenFile, size: Int64, as key: String, type: String,
    begun: (_ multipart: String) async throws -> Void
  ) async throws {
    if size <= Int64(Bucket.partSize) {
      _ = try await put(file, 0, size, as: key, fields: [("content-type", type)])
      return
    }
    let created = try await send(
      "POST", key, query: [("uploads", "")], fields: [("content-type", type)])
    guard let id = Bucket.element("UploadId", in: created.body) else {
      throw Failure(description: "the server names no upload in parts")
    }
    do {
      try await begun(id)
      var tags: [String] = []
      var offset: Int64 = 0
      while offset < size {
        let (count, answer) = try await put(
          file, offset, size, as: key,
          query: [("partNumber", "\(tags.count + 1)"), ("uploadId", id)])
        guard let tag = answer.first("etag") else {
          throw Failure(description: "the server gives a part no tag")
        }
        tags.append(tag)
        offset += Int64(count)
      }
      let list = tags.enumerated().map {
        "<Part><PartNumber>\($0.offset + 1)</PartNumber><ETag>\($0.element)</ETag></Part>"
      }
      let completed = try await send(
        "POST", key, query: [("uploadId", id)], fields: [("content-type", "application/xml")],
        body: Array(
          "<CompleteMultipartUpload>\(list.joined())</CompleteMultipartUpload>".utf8))
      // A 200 may turn out to be none while it is being sent.
      if let code = Bucket.element("Code", in: completed.body) {
        throw Failure(description: "the parts are not put together: \(code)")
      }
    } catch {
      try? await abort(id, of: key)
      throw error
    }
  }

  /// Removes an object; one that is not there is gone.
  func delete(_ key: String) async throws {
    _ = try await send("DELETE", key, accepting: "NoSuchKey")
  }

  /// Ends an upload in parts; one that is not there is over.
  func abort(_ multipart: String, of key: String) async throws {
    _ = try await send("DELETE", key, query: [("uploadId", multipart)], accepting: "NoSuchUpload")
  }

  /// Where whoever has the URL gets an object from the server itself, for so many seconds.
  func url(
    of key: String, method: String, at time: Timestamp, seconds: Int64,
    answering overrides: [(name: String, value: String)]
  ) -> String {
    let request = SignatureV4.Request(
      method: method, host: place.host, path: place.path(of: key), query: overrides)
    let query = place.signature.query(for: request, at: time, seconds: seconds)
    return "\(place.origin)\(request.path)?\(query)"
  }

  /// Puts what stands in a file from an offset on, a part of it at most, when it is its turn.
  ///
  /// - Returns: how many bytes these were.
  private func put(
    _ file: OpenFile, _ offset: Int64, _ size: Int64, as key: String,
    query: [(name: String, value: String)] = [], fields: [(name: String, value: String)] = []
  ) async throws -> (count: Int, answer: Client.Response) {
    let (turns, app) = (Bucket.turns, context.tenant)
    guard try await turns.wait(context, milliseconds: Bucket.patience) else {
      throw Failure(description: "too many parts are on their way to buckets")
    }
    defer { turns.end(app) }
    let part = try await read(file, offset, size)
    let answer = try await send("PUT", key, query: query, fields: fields, body: part)
    return (part.count, answer)
  }

  private func read(_ file: OpenFile, _ offset: Int64, _ size: Int64) async throws -> [UInt8] {
    let count = Int(min(Int64(Bucket.partSize), size - offset))
    let bytes = try await context.worker.run { try file.read(count, at: offset) }
    guard bytes.count == count else {
      throw Failure(description: "the file is shorter than it was")
    }
    return bytes
  }

  /// Asks; what is put is put again after pauses when the server cannot take it now or breaks off, for a part that is put twice is there once
  /// (RFC 9110 §9.2.2). What is deleted waits for the next sweep.
  private func send(
    _ method: String, _ key: String, query: [(name: String, value: String)] = [],
    fields: [(name: String, value: String)] = [], body: [UInt8] = [],
    accepting missing: String? = nil
  ) async throws -> Client.Response {
    let pauses = method == "PUT" ? Bucket.pauses : []
    for pause in pauses {
      do {
        return try await sendOnce(
          method, key, query: query, fields: fields, body: body, accepting: missing)
      } catch let failure as Failure where failure.mayPass {
        try await context.timers.sleep(milliseconds: pause)
      }
    }
    return try await sendOnce(
      method, key, query: query, fields: fields, body: body, accepting: missing)
  }

  private func sendOnce(
    _ method: String, _ key: String, query: [(name: String, value: String)],
    fields: [(name: String, value: String)], body: [UInt8], accepting missing: String?
  ) async throws -> Client.Response {
    let digest = try await context.worker.run { Digest.sha256(body).hexadecimal }
    let signed = SignatureV4.Request(
      method: method, host: place.host, path: place.path(of: key), query: query, fields: fields)
    let text = SignatureV4.text(of: query)
    var request = Client.Request(
      method, place.origin + signed.path + (text.isEmpty ? "" : "?" + text))
    request.fields = place.signature.fields(
      for: signed, digest: digest, at: try context.clock.now())
    request.body = body
    request.responseLimit = 64 << 10
    request.timeout = 120_000
    let answer: Client.Response
    do {
      answer = try await context.client.send(request)
    } catch let error as HostError {
      // What has not been answered in all its time would take as long again.
      throw Failure(
        description: "no answer of \(place.host): \(error.text)",
        mayPass: error.status == .unavailable)
    }
    if (200..<300).contains(answer.status) { return answer }
    let code = Bucket.element("Code", in: answer.body)
    // Any other 404 says that it is not there, but not that it is gone: the bucket may be missing, or somebody else may be answering.
    if let missing, answer.status == 404, code == missing { return answer }
    throw Failure(
      description: "\(place.host) answers \(answer.status), \(code ?? "no code")",
      mayPass: answer.status == 500 || answer.status == 503)
  }

  /// What stands between the tags of an element that has no others in it.
  static func element(_ name: String, in xml: [UInt8]) -> String? {
    let text = String(decoding: xml, as: UTF8.self)
    guard let start = text.firstRange(of: "<\(name)>"),
      let end = text[start.upperBound...].firstRange(of: "</\(name)>")
    else { return nil }
    return String(text[start.upperBound..<end.lowerBound].prefix(1_024))
  }
}
