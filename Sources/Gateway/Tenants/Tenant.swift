/// A generation that has been replaced. Its users keep it, and nothing else does.
private struct DrainingGeneration {
  weak var generation: Generation?
}

/// What one loop has counted for a tenant since it was added up. Plain: every request counts.
struct TenantCounts {
  /// Requests that were let in.
  var requests = 0
  /// Messages of clients.
  var messages = 0
  /// Whether the next of them has to look at what the tenant uses: it is the first, or something is used up.
  var needsAttention = true
  /// Whether the loop knows that there is something to add.
  var isInUse = false
}

/// What one loop knows of one tenant. Confined to its loop.
public final class Tenant {
  /// "platform" or "app_…", or the name that a file gives it.
  public let id: String
  /// Its id; valid as long as the tenant.
  let idText: UnsafeRawBufferPointer
  // Every request reads it, on the one thread that may change it.
  /// Shared with the tenant on the other loops; replaced when the limit changes.
  @exclusivity(unchecked) public private(set) var limiter: RateLimiter {
    didSet { pacer = .passUnretained(limiter) }
  }
  /// The limiter, which `limiter` keeps: for paths that count no references.
  @exclusivity(unchecked) private(set) var pacer: Unmanaged<RateLimiter>
  /// Shared with the tenant on the other loops.
  let usage: TenantUsage
  /// What the loop has counted and not added to `usage` yet; freed with the tenant.
  let counts: UnsafeMutablePointer<TenantCounts>

  enum State {
    /// Nothing of it is open on this loop yet.
    case closed
    /// Its shards are being opened; requests wait.
    case opening
    case open(Generation)
    /// It could not be opened; the reason is for the log and, as a detail, for the client.
    case failed(String)
  }

  var state = State.closed {
    didSet {
      if case .open(let generation) = state {
        service = .passUnretained(generation)
      } else {
        service = nil
      }
    }
  }
  /// The generation that is open, which `state` keeps: for paths that count no references.
  @exclusivity(unchecked) private(set) var service: Unmanaged<Generation>?
  /// Generations that were in service before it and still have users.
  private var draining: [DrainingGeneration] = []
  /// Requests that wait for the opening.
  var waiting: [UInt64] = []
  /// Grows when credentials are revoked: what was recognised before is asked for again.
  var revocations: UInt64 = 0
  /// Host names that lead here.
  /// The origins whose pages may come.
  var origins = OriginPolicy([])
  var hosts: [String] = []

  /// `x-ratelimit-limit: …` and the name of the field that follows it in every answer.
  @exclusivity(unchecked) private(set) var limitField: UnsafeRawBufferPointer

  init(id: String, limiter: RateLimiter, usage: TenantUsage = TenantUsage()) {
    self.id = id
    self.usage = usage
    counts = .allocate(capacity: 1)
    counts.initialize(to: TenantCounts())
    limitField = Self.limitField(limiter)
    idText = Self.text(id)
    self.limiter = limiter
    pacer = .passUnretained(limiter)
  }

  deinit {
    limitField.deallocate()
    idText.deallocate()
    counts.deallocate()
  }

  /// Remembers a generation that has been replaced until its last user has gone.
  func drains(_ generation: Generation) {
    draining.removeAll { $0.generation == nil }
    draining.append(DrainingGeneration(generation: generation))
  }

  /// Generations that were in service before and still have users, the oldest first.
  var drainingGenerations: [Generation] { draining.compactMap(\.generation) }

  /// Bounds its requests from now on.
  func set(_ limiter: RateLimiter) {
    self.limiter = limiter
    limitField.deallocate()
    limitField = Self.limitField(limiter)
  }

  private static func limitField(_ limiter: RateLimiter) -> UnsafeRawBufferPointer {
    text("x-ratelimit-limit: \(limiter.limit)\r\nx-ratelimit-remaining: ")
  }

  private static func text(_ text: String) -> UnsafeRawBufferPointer {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 16)
    memory.copyBytes(from: text.utf8)
    return UnsafeRawBufferPointer(memory)
  }
}
