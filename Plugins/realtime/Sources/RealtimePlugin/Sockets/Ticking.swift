internal import PluginKit

/// What the clock does to connections of the protocol: pings, their answers, and tokens that run out.
extension RealtimeShard {
  /// One timer for all connections, while there are any.
  func startTicking() {
    guard ticker == nil else { return }
    do {
      ticker = try context.timers.every(milliseconds: 1_000) { [unowned self] in tick() }
    } catch {
      context.log.error("connections cannot be watched", ["error": "\(error)"])
    }
  }

  private func tick() {
    guard wheel.count + readers.count > 0 || !hub.isIdle else {
      if let ticker { context.timers.cancel(ticker) }
      ticker = nil
      return
    }
    hub.tick()
    for reader in readers.tick(delay: 0).due { reader.keepAlive() }
    let (due, late) = wheel.tick(delay: settings.pongTimeout)
    for client in late {
      if let close = client.conversation.overdue() { end(client, close) }
    }
    let now = (try? context.clock.now().unixMilliseconds / 1_000) ?? 0
    for client in due where client.isOpen {
      let (isVoid, seats) = client.conversation.expired(at: now)
      if isVoid {
        end(client, .expired)
        continue
      }
      for seat in seats { take(seat, from: client, .expired) }
      warn(client, at: now)
      if client.conversation.ping() { client.ping() }
    }
  }

  /// Tells a client without an SDK, which does not count the seconds itself, that it needs a new token soon.
  private func warn(_ client: Client, at now: Int64) {
    let end = Int64(client.conversation.expiresAt)
    guard client.dialect == .plain, !client.isWarned, end != 0,
      end - now <= Int64(2 * settings.pingInterval)
    else { return }
    client.isWarned = true
    client.send(PlainMessage.expiring(at: end))
  }

  /// Ends a subscription by the server's doing, and tells the client.
  func take(_ seat: Conversation<Channel>.Seat, from client: Client, _ code: UnsubscribeCode) {
    guard let seat = client.conversation.leave(seat.serial) else { return }
    vacate(seat, client)
    client.tell(code, of: seat.channel)
  }

  /// A channel's listeners cannot go on with it. They are told at the loop's next turn: many channels that are lost at once
  /// have every connection looked at once.
  func lose(_ channel: Channel, isGap: Bool) {
    let isFirst = losses.isEmpty
    losses[ObjectIdentifier(channel)] = (channel, isGap)
    if isFirst { context.spawn { [self] in settleLosses() } }
  }

  private func settleLosses() {
    let losses = losses
    self.losses = [:]
    for subscriber in subscribers.values {
      for channel in subscriber.channels {
        guard let lost = losses[ObjectIdentifier(channel)] else { continue }
        subscriber.end(lost.isGap ? .insufficientState : .serverError)
        break
      }
    }
    wheel.each { client in
      for seat in client.conversation.seats where client.isOpen {
        guard let lost = seat.place.flatMap({ losses[ObjectIdentifier($0)] }) else { continue }
        // What the server has subscribed a client to only a new connection can subscribe it to again.
        if lost.isGap, !seat.isServerSide {
          take(seat, from: client, .insufficientState)
        } else {
          end(client, lost.isGap ? .insufficientState : .serverError)
        }
      }
    }
  }
}
