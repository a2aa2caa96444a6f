public import PluginKit

/// Messages by e-mail for the tenant's other plugins: `sluice.mailer/1`.
public struct Mailer: Plugin {
  let settings: MailerSettings
  let driver: any Driver

  /// - Throws: `ConfigurationError` where settings do not fit together; `HostError` when there can be no outbox.
  public init(_ context: InstanceContext) throws {
    let settings: MailerSettings = try context.config()
    try settings.check(isPlatform: context.tenant == "platform")
    self.settings = settings
    driver =
      switch settings.driver {
      case .file: FileDriver(folder: try context.folder() + "/outbox", limit: settings.outboxFiles)
      case .smtp: SMTPDriver(settings, isPublicOnly: context.tenant != "platform")
      }
  }

  /// One queue for the tenant, whichever loop a message comes in on.
  public func makeShard(_ context: ShardContext) throws -> MailerShard {
    MailerShard(settings, driver, context)
  }
}

/// The plugin on one loop, for one tenant.
public final class MailerShard: PluginShard {
  private let queue: Queue
  private let delivery: Delivery

  init(_ settings: MailerSettings, _ driver: any Driver, _ context: ShardContext) {
    queue = Queue(settings, context)
    delivery = Delivery(settings, driver, queue, context)
    // What was waiting when the gateway ended, or when another generation did.
    delivery.begin()
  }

  /// The service that `plugin.json` declares.
  public static func register(_ on: inout Registry<MailerShard>) {
    on.service("sluice.mailer/1", method: 1) { (shard, mail: Mail) async throws in
      let id = try await shard.queue.add(mail)
      shard.delivery.begin()
      return MailAnswer(id: id)
    }
  }

  /// What is under way is broken off, and is tried again by whoever comes next.
  public func drain() { delivery.stop() }
}
