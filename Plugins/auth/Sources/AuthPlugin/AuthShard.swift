public import PluginKit

/// The plugin on one loop, for one tenant: accounts where the tenant is the platform, users where it
/// is an app.
public final class AuthShard: PluginShard {
  private enum Side {
    case platform(Accounts)
    case app(Users)
  }

  private let side: Side

  init(
    _ settings: AuthSettings, _ accountSettings: AccountSettings, _ hashing: HashingQueue,
    _ context: ShardContext
  ) throws {
    side =
      context.tenant == "platform"
      ? .platform(Accounts(settings, accountSettings, hashing, context))
      : .app(try Users(settings, context))
  }

  /// The routes and the service that `plugin.json` declares.
  public static func register(_ on: inout Registry<AuthShard>) {
    registerAccounts(&on)

    on.route("create_token") { try await $0.users.createToken($1) }
    on.route("put_user") { try await $0.users.put($1) }
    on.route("list_users") { try await $0.users.list($1) }
    on.route("read_profiles") { try await $0.users.profiles($1) }
    on.route("read_user") { try await $0.users.read($1) }
    on.route("delete_user") { try await $0.users.delete($1) }
    on.route("revoke_user") { try await $0.users.revoke($1) }
    on.route("create_guest") { try await $0.users.welcome($1) }
    on.route("upgrade_user") { try await $0.users.upgrade($1) }

    on.service("sluice.authenticator/1", method: 1) { (shard, query: IdentifyQuery) in
      try await shard.identify(query)
    }
    on.service("sluice.accounts/1", method: 1) {
      (shard, query: AccountsQuery) async throws -> AccountsReply in
      try await shard.accounts.find(query)
    }
  }

  /// The host keeps each kind of tenant to its own routes; this holds where it does not.
  var accounts: Accounts {
    get throws {
      guard case .platform(let accounts) = side else {
        throw Problem.notFound("Accounts are on the platform, not in an app.")
      }
      return accounts
    }
  }

  private var users: Users {
    get throws {
      guard case .app(let users) = side else {
        throw Problem.notFound("Users are in an app, not on the platform.")
      }
      return users
    }
  }

  private func identify(_ query: IdentifyQuery) async throws -> Identity {
    do {
      switch (query.kind, side) {
      case (.key, .platform(let accounts)): return try query.keyHolder(at: accounts.now())
      case (.key, .app(let users)): return try query.keyHolder(at: users.now())
      case (.bearer, .platform(let accounts)): return try await accounts.identify(query.credential)
      case (.bearer, .app(let users)): return try await users.identify(query.credential)
      case (.subscription, .app(let users)): return try await users.listener(query.credential)
      case (.subscription, .platform): throw TokenRefusal.badClaim("channel")
      }
    } catch TokenRefusal.expired {
      throw HostError(.expired, TokenRefusal.expired.reason)
    } catch let refusal as TokenRefusal {
      throw HostError(refusal.isOfGenuineToken ? .denied : .unauthenticated, refusal.reason)
    }
  }
}
