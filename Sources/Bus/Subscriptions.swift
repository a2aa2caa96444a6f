/// Who on one loop wants which channel. Confined to its loop.
public struct Subscriptions<Subscriber> {
  private var channels: [ChannelKey: [UInt64]] = [:]
  private var subscribers: [UInt64: (key: ChannelKey, subscriber: Subscriber)] = [:]
  private var last: UInt64 = 0

  /// No subscriptions.
  public init() {}

  /// Subscriptions there are.
  public var count: Int { subscribers.count }

  /// Adds one; `isFirst` says that nobody on this loop wanted the channel before.
  public mutating func add(_ key: ChannelKey, _ subscriber: Subscriber) -> (
    token: UInt64, isFirst: Bool
  ) {
    last += 1
    subscribers[last] = (key, subscriber)
    channels[key, default: []].append(last)
    return (last, channels[key]?.count == 1)
  }

  /// Removes one; the key of a channel that nobody on this loop wants any more, else nil.
  public mutating func remove(_ token: UInt64) -> ChannelKey? {
    guard let (key, _) = subscribers.removeValue(forKey: token) else { return nil }
    channels[key]?.removeAll { $0 == token }
    guard channels[key]?.isEmpty == true else { return nil }
    channels[key] = nil
    return key
  }

  /// Whether there is such a subscription.
  public subscript(token: UInt64) -> Subscriber? { subscribers[token]?.subscriber }

  /// The tokens of a channel's subscribers, oldest first. They may go while their owner walks them.
  public func tokens(of key: ChannelKey) -> [UInt64] { channels[key] ?? [] }
}
