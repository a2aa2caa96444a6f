internal import Synchronization

/// The bus of a gateway that is alone: it knows which loops want a channel, and hands each publication to each of
/// them once.
///
/// A loop that has subscribed before a publication is committed gets it. Publications handed over by one thread reach
/// a loop in their order.
public final class LocalBus: Sendable {
  /// Takes publications to a loop. Called on the publisher's thread; must not block.
  public typealias Carrier = @Sendable (_ loop: Int, _ publications: [Publication]) -> Void

  /// Loops that want a channel, as bits: a gateway has at most 64.
  private let interest = Mutex<[ChannelKey: UInt64]>([:])
  private let carrier: Carrier

  /// - Parameter carrier: hands a publication to a loop that wants its channel. Called on the thread that
  ///   publishes; it must not wait.
  public init(carrier: @escaping Carrier) { self.carrier = carrier }

  /// The loop wants the channel from now on. Twice is once. [any-thread]
  public func add(loop: Int, to key: ChannelKey) {
    interest.withLock { $0[key, default: 0] |= 1 << UInt64(loop) }
  }

  /// The loop does not want the channel any more. [any-thread]
  public func remove(loop: Int, from key: ChannelKey) {
    interest.withLock { interest in
      guard let loops = interest[key] else { return }
      let left = loops & ~(1 << UInt64(loop))
      interest[key] = left == 0 ? nil : left
    }
  }

  /// Hands publications of one tenant to the loops that want them. [any-thread]
  public func publish(_ publications: [Publication]) {
    if publications.count == 1 {
      var loops = wanted(by: publications[0])
      while loops != 0 {
        carrier(loops.trailingZeroBitCount, publications)
        loops &= loops - 1
      }
      return
    }
    var shares: [Int: [Publication]] = [:]
    for publication in publications {
      var loops = wanted(by: publication)
      while loops != 0 {
        shares[loops.trailingZeroBitCount, default: []].append(publication)
        loops &= loops - 1
      }
    }
    for (loop, share) in shares { carrier(loop, share) }
  }

  private func wanted(by publication: Publication) -> UInt64 {
    let key = ChannelKey(tenant: publication.tenant, channel: publication.channel)
    return interest.withLock { $0[key] ?? 0 }
  }

  /// Channels that some loop wants. [any-thread]
  public var channels: Int { interest.withLock { $0.count } }
}
