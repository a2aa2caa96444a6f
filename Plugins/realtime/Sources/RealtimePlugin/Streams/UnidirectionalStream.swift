internal import PluginKit

/// `GET /connection/uni_sse?channels=a,b`: events one way, one JSON object per event of Server-Sent Events.
extension RealtimeShard {
  /// Whoever may not listen is told before the answer begins, since a browser's EventSource comes back to one that has begun.
  func openPlainEvents(_ request: Request) async throws -> Response {
    let format = LineStream.Format.uniSSE
    guard request.method != "HEAD" else {
      return .text("", contentType: "\(format.contentType)")
    }
    let principal = request.principal
    let past = Resumption(request)
    let names: [ChannelName]
    do {
      names = try ChannelName.list(
        request.query("channels"), limit: settings.channelsPerConnection)
    } catch {
      throw Problem.invalid(pointer: "/query/channels", error.message)
    }
    // From before its channels' owners are asked it hears of what they take back.
    try link.join()
    let opening = Opening(principal.id, names)
    openings[ObjectIdentifier(opening)] = opening
    defer { openings[ObjectIdentifier(opening)] = nil }
    var admissions: [Admission] = []
    var isTaken = false
    defer { if !isTaken { for admission in admissions { hub.release(admission.channel) } } }
    do {
      admissions = try await admit(principal, names, from: past)
    } catch is Hub.Lost {
      throw Problem.unavailable("A channel cannot be listened to now. Try again later.")
    }
    // No await from here to the last audience: what goes out after this was not in what was missed.
    guard admissions.allSatisfy({ hub.isOpen($0.channel) && $0.channel.isPositioned }) else {
      throw Problem.unavailable("A channel cannot be listened to now. Try again later.")
    }
    guard !opening.isOver else {
      throw Problem.forbidden("You may not listen to a channel any more.")
    }
    let name = try context.id.make("con")
    let now = try context.clock.now()
    let stream = try makeStream(request, format)
    isTaken = true
    let subscriber = Subscriber(.stream(stream), principal, of: names, name: name, at: now)
    stream.onEnd = { [unowned self] isSlow in
      if isSlow { slowStreams.add() }
      readers.remove(subscriber)
      closed(subscriber)
    }
    subscriber.channels = admissions.map(\.channel)
    welcome(subscriber, stream, admissions, from: past)
    for (index, channel) in subscriber.channels.enumerated() {
      channel.needed.readers[stream.token] = (subscriber, index)
    }
    subscriber.joined = subscriber.channels.count
    subscriber.stage = .live
    enter(subscriber)
    enlist(subscriber, admissions)
    readers.insert(subscriber, dueIn: settings.pingInterval)
    return .streamed
  }

  /// Asks the owner of every channel, holds all of them, and reads what was missed.
  private func admit(
    _ principal: Principal, _ names: [ChannelName], from past: Resumption
  ) async throws -> [Admission] {
    var allowed: [NamespaceOptions] = []
    for name in names {
      guard let options = try await mayListen(principal, name) else {
        throw Problem.forbidden("You may not listen to \(name.text).")
      }
      allowed.append(options)
    }
    var admissions: [Admission] = []
    // One answer holds them all.
    var left = settings.answerBytes
    do {
      for (index, name) in names.enumerated() {
        let admission = try await prepare(
          name, past.request(at: index, of: names.count), allowed[index], serial: 0, bytes: left)
        left -= admission.size
        admissions.append(admission)
      }
      while let late = admissions.firstIndex(where: { !$0.isCurrent }) {
        try await catchUp(&admissions[late])
      }
    } catch {
      for admission in admissions { hub.release(admission.channel) }
      throw error
    }
    return admissions
  }

  /// Says from where on the channels are live, what could not be resumed, and what was missed.
  private func welcome(
    _ subscriber: Subscriber, _ stream: LineStream, _ admissions: [Admission],
    from past: Resumption
  ) {
    subscriber.position = StreamPosition(admissions.map(\.start))
    var piece = subscriber.firstEvents(
      of: context.tenant, at: subscriber.openedAt, without: past.lost(admissions))
    for (index, admission) in admissions.enumerated() where admission.isRecovered {
      for event in admission.publications {
        piece += subscriber.event(
          writer.plain(event, in: admission.name.text), event, at: index)
      }
    }
    stream.send(framed: piece)
  }
}

extension Subscriber {
  /// Milliseconds after which an EventSource whose stream was cut is to come back.
  private static let pause = 3_000

  /// The first events: where the channels stood, and which of them could not be resumed from there.
  fileprivate func firstEvents(
    of app: String, at now: Timestamp, without lost: [String]
  ) -> [UInt8] {
    let hello = ConnectedMessage(self, of: app, at: now, position.places)
    var events = LineStream.Format.event(
      id: position.text, pause: Self.pause, (try? JSON.encode(hello)) ?? Array("{}".utf8))
    if !lost.isEmpty {
      let loss = (try? JSON.encode(LostMessage(channels: lost))) ?? Array("{}".utf8)
      events += LineStream.Format.event(name: "insufficient_state", loss)
    }
    return events
  }

  /// An event of the channel at `index`, with where the client stands after it.
  func event(_ json: [UInt8], _ event: ChannelEvent, at index: Int) -> [UInt8] {
    guard event.offset > 0 else { return LineStream.Format.event(json) }
    position.places[index] = StreamPosition.Place(offset: event.offset, epoch: event.epoch)
    return LineStream.Format.event(id: position.text, json)
  }

  /// Sends an event of the channel at `index`.
  func deliver(_ json: [UInt8], _ event: ChannelEvent, at index: Int) {
    guard stage == .live, case .stream(let stream) = connection else { return }
    stream.send(framed: self.event(json, event, at: index))
  }

  /// Sends what no client sees, so that nobody on the way takes the stream for dead.
  func keepAlive() {
    if case .stream(let stream) = connection { stream.send(framed: Array(":\n\n".utf8)) }
  }
}
