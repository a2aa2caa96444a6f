/// Tokens of requests whose claims were given up while their handlers may still run: another attempt may be under way, so
/// what they still commit must not stand beside its effect. Confined to its loop.
struct LapsedRequests {
  /// How many are remembered: the newest. What an older one commits is taken.
  static let limit = 4096

  private var tokens: Set<UInt64> = []
  /// The same tokens as they came; at the limit a ring.
  private var order: [UInt64] = []
  private var oldest = 0

  func contains(_ token: UInt64) -> Bool { !tokens.isEmpty && tokens.contains(token) }

  mutating func insert(_ token: UInt64) {
    guard tokens.insert(token).inserted else { return }
    guard order.count == Self.limit else { return order.append(token) }
    tokens.remove(order[oldest])
    order[oldest] = token
    oldest = (oldest + 1) % Self.limit
  }
}
