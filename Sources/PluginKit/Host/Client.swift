internal import CSluice

/// `sluice.client/1`: requests to others' servers. Loop thread only.
///
/// Redirects are not followed. The host goes to the internet at large, and to networks that the operator allows.
public struct Client {
  unowned(unsafe) let context: ShardContext

  /// A request of somebody else's server.
  public struct Request: Sendable {
    /// A token, in the case in which it is sent.
    public var method: String
    /// Of `http` or `https`, without user and password.
    public var url: String
    /// Fields of the head, but those that frame the message; no others are sent.
    public var fields: [(name: String, value: String)] = []
    /// The content; none when it is empty.
    public var body: [UInt8] = []
    /// Bytes of the answer's content that are kept, at most 64 MiB.
    public var responseLimit = 1 << 20
    /// How long all of it may take, in milliseconds, to ten minutes.
    public var timeout = 15_000
    /// How long of that it may take until there is a connection, in milliseconds.
    public var connectTimeout = 5_000

    /// A request without fields and content.
    public init(_ method: String, _ url: String) {
      self.method = method
      self.url = url
    }
  }

  /// What a server has answered, whatever its status.
  public struct Response: Sendable {
    /// 200 to 599 as a rule.
    public let status: Int
    /// Names are in lower case.
    public let fields: [(name: String, value: String)]
    /// The content, as it was sent.
    public let body: [UInt8]
    /// Whether there was more than the request's limit.
    public let isTruncated: Bool
    /// From the beginning to the end.
    public let elapsedMilliseconds: Int

    /// An answer, as test hosts give it.
    public init(
      status: Int, fields: [(name: String, value: String)] = [], body: [UInt8] = [],
      isTruncated: Bool = false, elapsedMilliseconds: Int = 0
    ) {
      self.status = status
      self.fields = fields
      self.body = body
      self.isTruncated = isTruncated
      self.elapsedMilliseconds = elapsedMilliseconds
    }

    /// The value of the first field of that name, which is in lower case.
    public func first(_ name: String) -> String? {
      fields.first { $0.name == name }?.value
    }
  }

  /// Makes a request.
  ///
  /// - Throws: `HostError` with what happened in words: `.denied` (the address is out of reach), `.unavailable`, `.deadline`,
  ///   `.tooLarge` (the fields of the answer), `.invalid`, `.overloaded`, `.cancelled`; `ExtensionUnavailable`. But for
  ///   `.denied`, `.invalid` and `.overloaded` the server may have carried it out.
  public func send(_ request: Request) async throws -> Response {
    let (client, host) = try context.link.require("sluice.client/1", sluice_client_v1_t.self)
    guard let timeout = UInt32(exactly: request.timeout),
      let connectTimeout = UInt32(exactly: min(request.connectTimeout, request.timeout)),
      let limit = UInt64(exactly: request.responseLimit)
    else { throw HostError(.invalid, "A time or a limit is below 0.") }
    let bytes: [UInt8] = try await context.call { completion, call in
      Texts(request).withFields { fields, method, url, body in
        var wanted = sluice_client_request_t(
          struct_size: UInt32(MemoryLayout<sluice_client_request_t>.size),
          field_count: UInt32(fields.count), fields: fields.baseAddress, method: method, url: url,
          body: body, response_limit: limit, timeout_ms: timeout,
          connect_timeout_ms: connectTimeout)
        return client.pointee.send(host, &wanted, completion, call)
      }
    }
    return try Response(bytes)
  }
}

extension Client.Response {
  /// Reads what ext/client.h lays out.
  fileprivate init(_ bytes: [UInt8]) throws {
    let size = MemoryLayout<sluice_client_response_t>.size
    let broken = HostError(.internal, "The host's answer cannot be read.")
    guard bytes.count >= size else { throw broken }
    let head = bytes.withUnsafeBytes { $0.loadUnaligned(as: sluice_client_response_t.self) }
    let fieldsEnd = size + Int(head.fields_length)
    guard head.body_length == UInt64(bytes.count - fieldsEnd) else { throw broken }
    let lines = String(decoding: bytes[size..<fieldsEnd], as: UTF8.self)
    self.init(
      status: Int(head.status),
      fields: lines.split(separator: "\n").map { line in
        let colon = line.firstIndex(of: ":") ?? line.endIndex
        return (String(line[..<colon]), String(line[colon...].dropFirst(2)))
      }, body: Array(bytes[fieldsEnd...]), isTruncated: head.flags & SLUICE_CLIENT_TRUNCATED != 0,
      elapsedMilliseconds: Int(head.elapsed_ms))
  }
}

/// All of a request's texts in one piece of memory, so that the contract's slices can lead there.
private struct Texts {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  init(_ request: Client.Request) {
    for text in [request.method, request.url] + request.fields.flatMap({ [$0.name, $0.value] }) {
      bytes += Array(text.utf8)
      ends.append(bytes.count)
    }
    bytes += request.body
    ends.append(bytes.count)
  }

  func withFields<Result>(
    _ body: (
      UnsafeBufferPointer<sluice_client_field_t>, sluice_slice_t, sluice_slice_t, sluice_slice_t
    ) -> Result
  ) -> Result {
    bytes.withUnsafeBufferPointer { memory in
      func slice(_ index: Int) -> sluice_slice_t {
        let start = index == 0 ? 0 : ends[index - 1]
        return sluice_slice_t(
          bytes: memory.baseAddress.map { $0 + start }, length: UInt64(ends[index] - start))
      }
      let fields = stride(from: 2, to: ends.count - 1, by: 2).map {
        sluice_client_field_t(name: slice($0), value: slice($0 + 1))
      }
      return fields.withUnsafeBufferPointer {
        body($0, slice(0), slice(1), slice(ends.count - 1))
      }
    }
  }
}
