internal import PluginKit

/// The channels that connections of this loop listen to. A publication comes once per loop, is encoded
/// once, and is sent once to the channel's group, however many listen.
final class Hub {
  /// How many events are asked of the history at a time when a gap is filled.
  static let fillPage = 500

  /// Every open connection by its token, also those that have not been let in yet.
  var subscribers: [UInt64: Subscriber] = [:]
  private let context: ShardContext
  private var numbers = SlotTable<Channel>()
  private var names: [String: Channel] = [:]
  private let open: Metric
  private let publications: Metric
  private let gaps: Metric
  private let losses: Metric

  init(_ context: ShardContext) throws {
    self.context = context
    open = try context.metrics.gauge("channels", "Channels with listeners, summed over the loops.")
    publications = try context.metrics.counter(
      "publications_total", "Publications that came to a loop with listeners.")
    gaps = try context.metrics.counter(
      "gaps_total", "Reads of the history because publications were missing.")
    losses = try context.metrics.counter(
      "losses_total", "Channels whose listeners were sent away because the history had a gap.")
  }

  /// Joins a connection to channels that it may listen to. `connected` is sent to it, and it is live,
  /// as soon as it is known where all of them stand.
  ///
  /// - Throws: `HostError` when the loop has too many channels; then nothing is held.
  func join(_ subscriber: Subscriber, _ names: [ChannelName]) throws {
    do {
      for name in names { subscriber.channels.append(try hold(name.text)) }
    } catch {
      leave(subscriber)
      throw error
    }
    subscriber.stage = .waiting
    for channel in subscriber.channels where !channel.isPositioned {
      channel.waiting.append(subscriber)
    }
    welcome(subscriber)
  }

  /// Lets go of a connection's channels. Groups forget a connection that has ended by themselves.
  func leave(_ subscriber: Subscriber) {
    let channels = subscriber.channels
    subscriber.channels = []
    for channel in channels {
      channel.holders -= 1
      if channel.holders == 0 { close(channel) }
    }
  }

  /// A publication, from the bus.
  func receive(_ event: borrowing Publication, number: UInt64) {
    guard let channel = numbers[number] else { return }
    publications.add()
    do {
      guard event.isDurable else {
        channel.group.send(try encode(event, channel), as: .text)
        return
      }
      let step = try channel.feed.receive(offset: event.offset, epoch: event.epoch.text) {
        try encode(event, channel)
      }
      follow(step, channel)
    } catch {
      fail(channel, error)
    }
  }

  /// The channel, held once more; subscribed to if it was not.
  private func hold(_ name: String) throws -> Channel {
    if let channel = names[name] {
      channel.holders += 1
      return channel
    }
    let channel = Channel(name: name, group: try context.groups.make())
    channel.number = numbers.insert(channel)
    do {
      channel.subscription = try context.bus.subscribe(name, context: channel.number)
    } catch {
      numbers.remove(channel.number)
      channel.group.destroy()
      throw error
    }
    names[name] = channel
    channel.holders = 1
    open.add()
    context.spawn { [self] in await position(channel) }
    return channel
  }

  private func close(_ channel: Channel) {
    guard numbers.remove(channel.number) != nil else { return }
    if names[channel.name] === channel { names[channel.name] = nil }
    if let subscription = channel.subscription { context.bus.unsubscribe(subscription) }
    channel.group.destroy()
    channel.waiting = []
    open.add(-1)
  }

  private func isOpen(_ channel: Channel) -> Bool { numbers[channel.number] === channel }

  /// Finds out where the channel stands. The subscription is older than this read, so whatever the
  /// read does not know yet comes as a publication.
  private func position(_ channel: Channel) async {
    do {
      let page = try await context.bus.history(
        channel.name, since: UInt64(Int64.max), limit: 1)
      guard isOpen(channel) else { return }
      follow(channel.feed.begin(at: page.topOffset, epoch: page.epoch), channel)
    } catch {
      fail(channel, error)
      return
    }
    let waiting = channel.waiting
    channel.waiting = []
    for subscriber in waiting { welcome(subscriber) }
  }

  /// Does what the feed asks for.
  private func follow(_ step: ChannelFeed<[UInt8]>.Step, _ channel: Channel) {
    for message in step.messages { channel.group.send(message, as: .text) }
    switch step.next {
    case .wait: break
    case .fill(let offset):
      gaps.add()
      context.spawn { [self] in await fill(channel, since: offset) }
    case .lost:
      losses.add()
      context.log.warning(
        "events are missing that the history no longer has", ["channel": channel.name])
      sendAway(channel, .insufficientState)
    }
  }

  private func fill(_ channel: Channel, since offset: UInt64) async {
    do {
      let page = try await context.bus.history(
        channel.name, since: offset, limit: Hub.fillPage)
      guard isOpen(channel) else { return }
      let messages = try page.entries.map {
        (
          offset: $0.offset,
          message: try JSON.encode(EventMessage($0, of: page, app: context.tenant))
        )
      }
      follow(channel.feed.fill(messages, epoch: page.epoch), channel)
    } catch {
      fail(channel, error)
    }
  }

  private func fail(_ channel: Channel, _ error: any Error) {
    guard context.isOpen, isOpen(channel) else { return }
    context.log.error(
      "a channel cannot go on", ["channel": channel.name, "error": "\(error)"])
    sendAway(channel, .serverError)
  }

  /// Closes every connection that holds the channel. The channel itself is given up at once, so that
  /// whoever comes back begins with a new one.
  private func sendAway(_ channel: Channel, _ reason: CloseCode) {
    if names[channel.name] === channel { names[channel.name] = nil }
    for subscriber in subscribers.values where subscriber.holds(channel) { subscriber.end(reason) }
  }

  /// Makes a connection live if it is known where all its channels stand.
  private func welcome(_ subscriber: Subscriber) {
    guard subscriber.stage == .waiting, subscriber.channels.allSatisfy(\.isPositioned) else {
      return
    }
    do {
      let hello = ConnectedMessage(
        connectionID: try context.id.make("con"), userID: subscriber.principal.id,
        app: context.tenant, time: try context.clock.now(),
        channels: subscriber.channels.map {
          ConnectedMessage.Channel(channel: $0.name, offset: $0.feed.offset, epoch: $0.feed.epoch)
        })
      // No await from here to the last group: what goes out after this was not in `hello`.
      try subscriber.connection.send(json: hello)
      for channel in subscriber.channels { channel.group.add(subscriber.connection) }
      subscriber.stage = .live
    } catch {
      context.log.error("a connection cannot be welcomed", ["error": "\(error)"])
      subscriber.end(.serverError)
    }
  }

  private func encode(_ event: borrowing Publication, _ channel: Channel) throws -> [UInt8] {
    try JSON.encode(EventMessage(event, app: context.tenant, channel: channel.name))
  }
}
