internal import PluginCrypto
public import PluginKit

/// The tenant's events, sent to servers of the app's choosing.
public struct Webhooks: Plugin {
  let settings: WebhookSettings
  let desk = Desk()
  let process: String

  /// - Throws: `ConfigurationError` where settings do not fit together.
  public init(_ context: InstanceContext) throws {
    settings = try context.config()
    try settings.check()
    process = Tenure.processMark()
  }

  /// One queue for the tenant. Whichever shard is first to have something to send sends for all of the instance.
  public func makeShard(_ context: ShardContext) throws -> WebhooksShard {
    WebhooksShard(settings, desk, try Tenure(context, process: process), context)
  }
}

/// The plugin on one loop, for one tenant.
public final class WebhooksShard: PluginShard {
  /// How long after it was opened a shard looks what there is to do, in milliseconds: one that is closed again before that has
  /// never been in service.
  private static let settling = 300

  let settings: WebhookSettings
  let desk: Desk
  let context: ShardContext
  let secrets: EndpointSecrets
  let seal: SealKeeper
  let watch: Watch
  let dispatcher: Dispatcher
  let upkeep: Upkeep
  private let intake: Intake
  private var isDraining = false

  init(_ settings: WebhookSettings, _ desk: Desk, _ tenure: Tenure, _ context: ShardContext) {
    self.settings = settings
    self.desk = desk
    self.context = context
    seal = SealKeeper(context, secret: "webhooks.seal")
    secrets = EndpointSecrets(context, seal)
    watch = Watch(context, desk)
    intake = Intake(settings, context, desk, EndpointBook(context, desk), watch)
    dispatcher = Dispatcher(
      settings, context, desk, tenure, EndpointBook(context, desk), EndpointSecrets(context, seal))
    upkeep = Upkeep(settings, context, desk, watch, dispatcher)
    dispatcher.whenTold { [unowned upkeep] in upkeep.begin() }
    _ = try? context.timers.after(milliseconds: Self.settling) { [unowned self] in goOn() }
  }

  /// The routes and the listener that `plugin.json` declares.
  public static func register(_ on: inout Registry<WebhooksShard>) {
    on.route("create_endpoint", WebhooksShard.createEndpoint)
    on.route("list_endpoints", WebhooksShard.listEndpoints)
    on.route("read_endpoint", WebhooksShard.readEndpoint)
    on.route("change_endpoint", WebhooksShard.changeEndpoint)
    on.route("delete_endpoint", WebhooksShard.deleteEndpoint)
    on.route("rotate_secret", WebhooksShard.rotateSecret)
    on.route("test_endpoint", WebhooksShard.testEndpoint)
    on.route("list_deliveries", WebhooksShard.listDeliveries)
    on.route("read_delivery", WebhooksShard.readDelivery)
    on.route("retry_delivery", WebhooksShard.retryDelivery)
    on.route("replay", WebhooksShard.replay)
    on.route("recover", WebhooksShard.recover)
    on.route("read_replay", WebhooksShard.readReplay)
    on.route("read_statistics", WebhooksShard.readStatistics)
    on.route("list_event_types", WebhooksShard.listEventTypes)
    on.route("receive_hook", WebhooksShard.receiveHook)
    on.route("put_source", WebhooksShard.putSource)
    on.route("list_sources", WebhooksShard.listSources)
    on.route("read_source", WebhooksShard.readSource)
    on.route("delete_source", WebhooksShard.deleteSource)
    on.event(mayPassOver: "*") { shard, event in try await shard.hear(event) }
    on.alarm(WebhooksShard.wake)
  }

  /// Nothing new begins here: the next generation goes on with it.
  public func drain() {
    isDraining = true
    watch.isDraining = true
    upkeep.end()
    dispatcher.drain()
  }

  /// Goes on with what others have left.
  private func goOn() {
    guard !isDraining else { return }
    desk.stir(nil)
    dispatcher.begin()
    upkeep.begin()
  }

  private func hear(_ event: Event) async throws -> Hearing {
    guard !isDraining else { throw HostError(.cancelled, "the next generation hears of it") }
    let endpoints = try await intake.take(event)
    guard !endpoints.isEmpty else { return .passedOver }
    desk.stir(endpoints)
    dispatcher.begin()
    return .settled
  }

  /// The alarm's time has come: what should be under way is looked after.
  ///
  /// - Returns: when it is to come again.
  private func wake() async throws -> Timestamp? {
    // Before anything is read: what is queued behind it sets its own.
    desk.setAlarm(nil)
    goOn()
    let now = try context.clock.now()
    guard let due = try await upkeep.nextDue() else { return nil }
    let next = max(due, now.adding(milliseconds: Watch.distance))
    desk.setAlarm(next.unixMilliseconds)
    return next
  }
}
