internal import PluginKit

/// Who is writing, as it is published. Nothing of it is kept.
struct Typing: Codable, Equatable {
  /// `type:id`
  let channel: String
  let userID: String
  let active: Bool

  private enum CodingKeys: String, CodingKey {
    case channel
    case userID = "user_id"
    case active
  }
}

/// How often it is passed on that a user is writing. A pure value.
struct TypingThrottle {
  private struct Said {
    var isActive: Bool
    /// Unix milliseconds.
    var at: Int64
  }

  /// The same again is passed on after so many milliseconds.
  static let pause: Int64 = 2_000
  /// Something else is passed on after so many.
  static let change: Int64 = 500
  /// The most channels that are remembered of a user; of others nothing is passed on until some are forgotten.
  static let channels = 16
  /// The most channels of users that are remembered; beyond, nothing is passed on until some are forgotten.
  static let limit = 10_000

  /// By user and channel.
  private var said: [ExactText: [String: Said]] = [:]
  /// How many there are in `said`.
  private var count = 0
  /// Unix milliseconds.
  private var forgotAt: Int64 = 0

  /// Whether it is to be passed on.
  mutating func passes(_ typing: Typing, at now: Int64) -> Bool {
    if now - forgotAt >= Self.pause || now < forgotAt { forget(at: now) }
    let user = ExactText(typing.userID)
    let mine = said[user]
    if let last = mine?[typing.channel] {
      let pause = last.isActive == typing.active ? Self.pause : Self.change
      guard now - last.at >= pause || now < last.at else { return false }
    } else {
      guard (mine?.count ?? 0) < Self.channels, count < Self.limit else { return false }
      count += 1
    }
    said[user, default: [:]][typing.channel] = Said(isActive: typing.active, at: now)
    return true
  }

  /// What a user says next of his writing in a channel is passed on, since he has sent what he wrote.
  mutating func hasSent(_ user: String, in channel: String) {
    let user = ExactText(user)
    guard said[user]?.removeValue(forKey: channel) != nil else { return }
    count -= 1
    if said[user]?.isEmpty == true { said[user] = nil }
  }

  /// Forgets what holds nothing back any more. All of it is looked at, so it is done once in a `pause`.
  private mutating func forget(at now: Int64) {
    forgotAt = now
    said = said.compactMapValues { channels -> [String: Said]? in
      let kept = channels.filter { now - $0.value.at < Self.pause && now >= $0.value.at }
      return kept.isEmpty ? nil : kept
    }
    count = said.values.reduce(0) { $0 + $1.count }
  }
}

extension ChatShard {
  private struct State: Decodable {
    let active: Bool?
    let userID: String?

    private enum CodingKeys: String, CodingKey {
      case active
      case userID = "user_id"
    }
  }

  /// `POST /v1/channels/{type}/{id}/typing`
  func typing(_ request: Request) async throws -> Response {
    let (address, type) = try request.channel(types)
    let state: State? = request.body.isEmpty ? nil : try request.decode()
    try await announce(
      state?.active ?? true, as: state?.userID, in: address, type, for: AppActor(request.principal))
    return .empty()
  }

  /// Tells who listens to a channel that a user is writing, or not any more.
  func announce(
    _ isActive: Bool, as named: String?, in address: ChannelAddress, _ type: ChannelType,
    for actor: AppActor
  ) async throws {
    let user = try actor.acting(as: named, pointer: "/user_id")
    try type.require(.typing, in: address)
    let access = try await admit(actor, to: address, type, for: .sendMessage)
    // Nobody else hears of whoever is banned without his knowing.
    guard access.ban == nil else { return }
    let typing = Typing(channel: "\(address)", userID: user, active: isActive)
    guard throttle.passes(typing, at: try context.clock.now().unixMilliseconds) else { return }
    try context.bus.publish(
      address.realTimeName, type: "chat.typing", data: RawJSON(encoding: typing))
  }
}
