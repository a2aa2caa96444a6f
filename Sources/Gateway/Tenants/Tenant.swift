/// What one loop knows of one tenant. Confined to its loop.
public final class Tenant {
  public let id: String
  let idBytes: [UInt8]
  public let limiter: RateLimiter

  enum State {
    /// Nothing of it is open on this loop yet.
    case closed
    /// Its shards are being opened; requests wait.
    case opening
    case open(Generation)
    /// It could not be opened; the reason is for the log and, as a detail, for the client.
    case failed(String)
  }

  var state = State.closed
  /// Requests that wait for the opening.
  var waiting: [UInt64] = []
  /// Grows when credentials are revoked: what was recognised before is asked for again.
  var revocations: UInt64 = 0
  /// Host names that lead here.
  var hosts: [String] = []

  /// `x-ratelimit-limit: …` and CRLF.
  let limitField: UnsafeRawBufferPointer

  init(id: String, limiter: RateLimiter) {
    self.id = id
    let field = Array("x-ratelimit-limit: \(limiter.limit)\r\n".utf8)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: field.count, alignment: 16)
    memory.copyBytes(from: field)
    limitField = UnsafeRawBufferPointer(memory)
    idBytes = Array(id.utf8)
    self.limiter = limiter
  }

  deinit { limitField.deallocate() }
}
