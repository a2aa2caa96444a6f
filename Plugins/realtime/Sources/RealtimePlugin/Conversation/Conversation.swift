internal import PluginKit

/// One connection of the protocol, as far as that needs nothing of the world: commands and time go in, what is to be
/// done comes out. A pure state machine.
///
/// - `Place`: where the connection's owner keeps a subscription.
struct Conversation<Place> {
  /// The most commands of a connection that may be under way.
  static var commandLimit: Int { 128 }

  enum Phase: UInt8 {
    /// "connect" has not come.
    case fresh
    case connecting, connected
    case ended
  }

  /// What is to be done with a command.
  enum Action: Equatable {
    case nothing
    case refuse(ProtocolError)
    /// Too many commands are under way, and this one has no answer.
    case drop
    case close(CloseCode)
    case connect(ConnectRequest)
    /// The seat with this serial is kept until it is taken or given up.
    case subscribe(ChannelName, SubscribeRequest, serial: UInt32)
    /// The seat has been given up already, if there was one.
    case unsubscribe(channel: String)
    /// Something that changes nothing here, to be answered and then `finish`ed.
    case work(Command.Request)
    case pong
  }

  /// A subscription.
  struct Seat {
    let channel: String
    let serial: UInt32
    /// Unix seconds; 0 is never.
    var expiresAt: UInt32 = 0
    /// Whether the server made it.
    var isServerSide = false
    /// Whether the client is listed among the channel's members.
    var isMember = false
    var isWitness = false
    var hasDelta = false
    /// nil while it is not known whether the client may listen.
    var place: Place?
  }

  /// How many messages that make no sense a connection may send between two pings.
  static var faultLimit: Int { 100 }

  private(set) var phase: Phase
  /// Whether a ping has not been answered.
  private(set) var awaitsPong = false
  private var underWay: UInt16 = 0
  private var lines = ChannelLines()
  private var lastSerial: UInt32 = 0
  /// Unix seconds at which the connection's token is void; 0 is never.
  var expiresAt: UInt32 = 0
  private(set) var seats: [Seat] = []
  private var faults: UInt8 = 0

  /// - Parameter phase: `connected` for clients that have no "connect" to say.
  init(phase: Phase = .fresh) { self.phase = phase }

  /// A command has come.
  ///
  /// - Parameter channelLimit: the most channels that the connection may listen to.
  mutating func take(_ command: Command, channelLimit: Int) -> Action {
    guard phase != .ended else { return .nothing }
    if case .pong = command.request {
      awaitsPong = false
      return .nothing
    }
    if case .connect(let request) = command.request {
      guard phase == .fresh, command.id > 0 else { return .close(.badRequest) }
      phase = .connecting
      return .connect(request)
    }
    guard phase == .connected else { return .close(.badRequest) }
    if case .send = command.request { return begin() ? .work(command.request) : .drop }
    guard command.id > 0 else { return .close(.badRequest) }
    if lines.mustWait(command) {
      guard begin() else { return .refuse(.tooManyRequests) }
      lines.wait(command)
      return .nothing
    }
    return carryOut(command, channelLimit)
  }

  /// A command that has waited for others of its channel and need not wait any more, and what is to be done with it.
  mutating func next(in channel: String, channelLimit: Int) -> (Command, Action)? {
    guard phase == .connected, let command = lines.next(in: channel) else { return nil }
    underWay -= 1
    return (command, carryOut(command, channelLimit))
  }

  private mutating func carryOut(_ command: Command, _ channelLimit: Int) -> Action {
    switch command.request {
    case .subscribe(let request):
      let action = subscribe(request, channelLimit)
      if case .subscribe = action { lines.enter(command) }
      return action
    case .unsubscribe(let channel):
      guard !channel.isEmpty else { return .close(.badRequest) }
      return .unsubscribe(channel: channel)
    case .ping: return .pong
    default:
      guard begin() else { return .refuse(.tooManyRequests) }
      lines.enter(command)
      return .work(command.request)
    }
  }

  private mutating func subscribe(_ request: SubscribeRequest, _ channelLimit: Int) -> Action {
    guard let channel = request.channel, !channel.isEmpty else { return .close(.badRequest) }
    guard let name = try? ChannelName(channel) else { return .refuse(.badRequest) }
    guard seat(channel) == nil else { return .refuse(.alreadySubscribed) }
    guard seats.count < channelLimit else { return .refuse(.limitExceeded) }
    guard begin() else { return .refuse(.tooManyRequests) }
    return .subscribe(name, request, serial: reserve(channel))
  }

  private mutating func begin() -> Bool {
    guard underWay < Self.commandLimit else { return false }
    underWay += 1
    return true
  }

  /// A command that was given out as work or as a subscription has been answered. What waits for it is `next`.
  mutating func finish(_ command: Command) {
    underWay -= 1
    lines.leave(command)
  }

  /// Whether commands are under way whose answers are still to come.
  var awaitsAnswers: Bool { underWay > 0 }

  /// Keeps a seat in a channel.
  mutating func reserve(_ channel: String, isServerSide: Bool = false) -> UInt32 {
    lastSerial &+= 1
    seats.append(Seat(channel: channel, serial: lastSerial, isServerSide: isServerSide))
    return lastSerial
  }

  /// "connect" has been answered; false if the connection has ended meanwhile.
  mutating func connect() -> Bool {
    guard phase == .connecting else { return false }
    phase = .connected
    return true
  }

  /// "connect" was refused with an error; the client may try again.
  mutating func reject() {
    if phase == .connecting { phase = .fresh }
  }

  /// Takes a seat that was kept; false if it was given up meanwhile, or the connection has ended.
  mutating func take(_ serial: UInt32, _ change: (inout Seat) -> Void) -> Bool {
    guard phase != .ended, let index = seats.firstIndex(where: { $0.serial == serial }) else {
      return false
    }
    change(&seats[index])
    return true
  }

  /// Whether a seat is still kept or taken.
  func has(_ serial: UInt32) -> Bool {
    phase != .ended && seats.contains { $0.serial == serial }
  }

  /// The seat in a channel.
  func seat(_ channel: String) -> Seat? { seats.first { $0.channel.isExactly(channel) } }

  /// Whether the client listens to a channel.
  func isSubscribed(to channel: String) -> Bool { seat(channel)?.place != nil }

  /// Gives up the seat in a channel.
  mutating func leave(_ channel: String) -> Seat? {
    seats.firstIndex { $0.channel.isExactly(channel) }.map { seats.remove(at: $0) }
  }

  /// Gives up a seat.
  mutating func leave(_ serial: UInt32) -> Seat? {
    seats.firstIndex { $0.serial == serial }.map { seats.remove(at: $0) }
  }

  /// Sets until when a seat may be kept; false if there is none.
  mutating func renew(_ channel: String, until second: UInt32) -> Bool {
    guard
      let index = seats.firstIndex(where: { $0.channel.isExactly(channel) && $0.place != nil })
    else { return false }
    seats[index].expiresAt = second
    return true
  }

  /// The client has said what makes no sense; false when it has done so too often.
  mutating func err() -> Bool {
    guard faults < Self.faultLimit else { return false }
    faults += 1
    return true
  }

  /// A ping is about to be sent; false if it makes no sense.
  mutating func ping() -> Bool {
    faults = 0
    guard phase == .connected else { return false }
    awaitsPong = true
    return true
  }

  /// Why the connection must end now, if it must, when it is looked at some time after a ping.
  func overdue() -> CloseCode? {
    switch phase {
    case .fresh: .stale
    case .connected where awaitsPong: .noPong
    case .connecting, .connected, .ended: nil
    }
  }

  /// Whether the connection's token is void, and the seats whose tokens are.
  func expired(at now: Int64) -> (isVoid: Bool, seats: [Seat]) {
    guard expiresAt == 0 || now < Int64(expiresAt) else { return (true, []) }
    return (false, seats.filter { $0.expiresAt != 0 && Int64($0.expiresAt) <= now })
  }

  /// The connection has ended; what it had is given up.
  mutating func end() -> [Seat] {
    phase = .ended
    lines = ChannelLines()
    defer { seats = [] }
    return seats
  }
}
