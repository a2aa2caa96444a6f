internal import PluginKit

/// The channels that connections of this loop listen to. A publication comes once per loop, is written once for each
/// kind of listener, and is sent once to all of the kind, however many listen.
final class Hub {
  /// How many events are asked of the history at a time when a gap is filled.
  static let fillPage = 500

  /// A channel cannot be listened to any more; whoever listened has been told.
  struct Lost: Error {}

  /// Called with a channel whose listeners must go: because of its history, or because something broke.
  var onLoss: (Channel, _ isGap: Bool) -> Void = { _, _ in }
  private let context: ShardContext
  private let writer: EventWriter
  private let histories: HistoryReads
  private var numbers = SlotTable<Channel>()
  private var names: [ExactText: Channel] = [:]
  /// Channels that are to be compared with the history; each stands in it once.
  private var quiet: [Channel] = []
  /// Durable channels, spread over the seconds between two looks at their positions.
  private var wheel: PingWheel<Channel>
  private var isVerifying = false
  private let open: Metric
  private let publications: Metric
  private let gaps: Metric
  private let losses: Metric
  private let verifications: Metric

  /// - Parameter interval: seconds between two looks at a channel's position.
  init(
    _ context: ShardContext, _ writer: EventWriter, _ histories: HistoryReads, interval: Int
  ) throws {
    self.context = context
    self.writer = writer
    self.histories = histories
    wheel = PingWheel(interval: interval)
    open = try context.metrics.gauge("channels", "Channels with listeners, summed over the loops.")
    publications = try context.metrics.counter(
      "publications_total", "Publications that came to a loop with listeners.")
    gaps = try context.metrics.counter(
      "gaps_total", "Reads of the history because publications were missing.")
    losses = try context.metrics.counter(
      "losses_total", "Channels whose listeners were sent away because the history had a gap.")
    verifications = try context.metrics.counter(
      "verifications_total", "Looks at where quiet channels stand in the history.")
  }

  /// The channel, held once more; subscribed to if it was not.
  ///
  /// - Throws: `HostError` when the loop has too many channels; then it is not held.
  func hold(_ name: String, isEphemeral: Bool = false) throws -> Channel {
    let key = ExactText(name)
    if let channel = names[key] {
      channel.holders += 1
      return channel
    }
    let channel = Channel(name: name, isEphemeral: isEphemeral)
    channel.number = numbers.insert(channel)
    do {
      channel.subscription = try context.bus.subscribe(name, context: channel.number)
    } catch {
      numbers.remove(channel.number)
      throw error
    }
    names[key] = channel
    channel.holders = 1
    open.add()
    guard !isEphemeral else { return channel }
    // Its turn comes at any second of the interval, so that channels of one moment are not looked at together.
    wheel.insert(channel, dueIn: Int(channel.number % UInt64(wheel.interval)) + 1)
    context.spawn { [self] in await position(channel) }
    return channel
  }

  /// Lets go of a channel that was held.
  func release(_ channel: Channel) {
    channel.holders -= 1
    if channel.holders == 0 { close(channel) }
  }

  /// Returns when it is known where the channel stands.
  ///
  /// - Throws: `Lost` when it cannot be known.
  func positioned(_ channel: Channel) async throws {
    guard !channel.isPositioned else { return }
    guard isOpen(channel), channel.feed.phase == .positioning else { throw Lost() }
    let isKnown = await withUnsafeContinuation { channel.waiting.append($0) }
    guard isKnown else { throw Lost() }
  }

  /// A publication, from the bus.
  func receive(_ event: borrowing Publication, number: UInt64) {
    guard let channel = numbers[number] else { return }
    publications.add()
    guard event.isDurable, !channel.isEphemeral else {
      if event.type.isPresent, let extras = channel.extras, !extras.witnesses.isEmpty {
        if event.type == Presence.joined {
          return extras.witnesses.send(Push.join(Array(event.data), in: channel.name))
        }
        if event.type == Presence.left {
          return extras.witnesses.send(Push.leave(Array(event.data), in: channel.name))
        }
      }
      if event.type == Presence.joined || event.type == Presence.left { return }
      return send(ChannelEvent(event, channel: channel.name), channel)
    }
    channel.isFresh = true
    let step = channel.feed.receive(offset: event.offset, epoch: event.epoch.text) {
      ChannelEvent(event, channel: channel.name)
    }
    follow(step, channel)
  }

  /// Whether the channel is still listened to.
  func isOpen(_ channel: Channel) -> Bool { numbers[channel.number] === channel }

  private func close(_ channel: Channel) {
    guard numbers.remove(channel.number) != nil else { return }
    let key = ExactText(channel.name)
    if names[key] === channel { names[key] = nil }
    wheel.remove(channel)
    if let subscription = channel.subscription { context.bus.unsubscribe(subscription) }
    channel.dismiss()
    wake(channel, false)
    open.add(-1)
  }

  private func wake(_ channel: Channel, _ isKnown: Bool) {
    let waiting = channel.waiting
    channel.waiting = []
    for continuation in waiting { continuation.resume(returning: isKnown) }
  }

  /// Finds out where the channel stands. The subscription is older than this read, so whatever the
  /// read does not know yet comes as a publication.
  private func position(_ channel: Channel) async {
    do {
      let page = try await histories.read(channel.name, limit: 0)
      guard isOpen(channel) else { return }
      follow(channel.feed.begin(at: page.topOffset, epoch: page.epoch), channel)
    } catch {
      fail(channel, error)
      return
    }
    wake(channel, channel.isPositioned)
  }

  /// Does what the feed asks for.
  private func follow(_ step: ChannelFeed<ChannelEvent>.Step, _ channel: Channel) {
    for event in step.messages { send(event, channel) }
    switch step.next {
    case .wait: break
    case .fill(let offset):
      gaps.add()
      context.spawn { [self] in await fill(channel, since: offset) }
    case .lost:
      losses.add()
      context.log.warning(
        "events are missing that the history no longer has", ["channel": channel.name])
      giveUp(channel, isGap: true)
    }
  }

  /// Whether there is nothing to be looked at.
  var isIdle: Bool { wheel.count == 0 }

  /// A second has passed. Channels that are due and have been quiet are compared with the history, one after the other:
  /// however many they are, one read is under way.
  func tick() {
    for channel in wheel.tick(delay: 1).due {
      if !channel.isFresh, channel.feed.phase == .live, !channel.awaitsLook {
        channel.awaitsLook = true
        quiet.append(channel)
      }
      channel.isFresh = false
    }
    guard !quiet.isEmpty, !isVerifying else { return }
    isVerifying = true
    context.spawn { [self] in
      // What has become due meanwhile comes behind: none is left out, however long the others take.
      while !quiet.isEmpty {
        let round = quiet
        quiet = []
        for channel in round {
          channel.awaitsLook = false
          if isOpen(channel), !channel.isFresh { await verify(channel) }
        }
      }
      isVerifying = false
    }
  }

  private func verify(_ channel: Channel) async {
    verifications.add()
    let seen = channel.feed.offset
    do {
      let page = try await histories.read(channel.name, limit: 0)
      guard isOpen(channel) else { return }
      follow(
        channel.feed.verify(top: page.topOffset, epoch: page.epoch, seen: seen), channel)
    } catch {
      // It is looked at again; nobody misses anything for that.
      guard context.isOpen else { return }
      context.log.warning(
        "a channel's position is not known", ["channel": channel.name, "error": "\(error)"])
    }
  }

  private func fill(_ channel: Channel, since offset: UInt64) async {
    do {
      let page = try await histories.read(channel.name, since: offset, limit: Hub.fillPage)
      guard isOpen(channel) else { return }
      let events = page.entries.map {
        (offset: $0.offset, message: ChannelEvent($0, of: page))
      }
      follow(channel.feed.fill(events, epoch: page.epoch), channel)
    } catch {
      fail(channel, error)
    }
  }

  private func fail(_ channel: Channel, _ error: any Error) {
    guard context.isOpen, isOpen(channel) else { return }
    context.log.error(
      "a channel cannot go on", ["channel": channel.name, "error": "\(error)"])
    giveUp(channel, isGap: false)
  }

  /// Gives the channel up at once, so that whoever comes back begins with a new one, and has its listeners told.
  private func giveUp(_ channel: Channel, isGap: Bool) {
    let key = ExactText(channel.name)
    if names[key] === channel { names[key] = nil }
    onLoss(channel, isGap)
    wake(channel, false)
  }

  /// Writes an event for each kind of listener that there is, and sends it.
  private func send(_ event: ChannelEvent, _ channel: Channel) {
    let readers = channel.extras?.readers ?? [:]
    if !channel.plain.isEmpty || !readers.isEmpty {
      let json = writer.plain(event, in: channel.name)
      channel.plain.send(json)
      for (subscriber, index) in readers.values { subscriber.deliver(json, event, at: index) }
    }
    if !channel.named.isEmpty { channel.named.send(writer.named(event, in: channel.name)) }
    if !channel.clients.isEmpty {
      channel.clients.send(Push.publication(event, in: channel.name))
    }
    if let extras = channel.extras { sendDelta(event, channel, extras) }
  }

  /// A publication for those who get differences: as one where they have what it is made from and it is shorter.
  private func sendDelta(_ event: ChannelEvent, _ channel: Channel, _ extras: Channel.Extras) {
    guard !extras.delta.isEmpty || !extras.fresh.isEmpty else { return }
    let whole = Push.publication(event, in: channel.name, asText: true)
    if !extras.delta.isEmpty {
      let delta = FossilDelta.make(from: extras.base, to: event.payload)
      extras.delta.send(
        delta.count < event.payload.count
          ? Push.delta(delta, of: event, in: channel.name) : whole)
    }
    let fresh = extras.fresh
    extras.fresh = []
    for connection in fresh {
      connection.send(whole)
      do {
        try extras.delta.add(connection, context.groups)
      } catch {
        // Without room in a group it stays fresh, and gets every publication whole.
        extras.fresh.append(connection)
      }
    }
    extras.base = event.payload
  }
}
