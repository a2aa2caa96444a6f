internal import PluginKit

/// What bounds attempts to sign in.
///
/// Counted before the password is looked at, so that attempts side by side count too, and given back when it is right: whoever knows his
/// password is never slowed down by signing in often. A stranger who guesses from many addresses fills the account's own rate; whoever has
/// signed in from a network before, or has typed in a code of the account's mail there, is not counted there, so the stranger does not keep the
/// owner out.
struct LoginThrottles {
  /// The account from this address.
  let pair: Throttle
  /// The account from anywhere; nil where its owner is known in the network.
  let account: Throttle?
  /// The networks that the address is in.
  let networks: [Throttle]

  init(email: String, peer: String, isKnownNetwork: Bool) {
    let network = Network.key(of: peer)
    pair = Throttle(Throttle.subject("login.pair", email, network), burst: 5, every: 30_000)
    account =
      isKnownNetwork
      ? nil : Throttle(Throttle.subject("login.account", email), burst: 20, every: 10_000)
    networks = Throttle.ofNetworks("login.address", peer, burst: 100, every: 1_000)
  }

  var all: [Throttle] { [pair, account].compactMap(\.self) + networks }

  /// What a sign-in that succeeded does: the attempt was no guess, and neither were those before it.
  var forgiveness: [SQL] {
    let reset: SQL = "DELETE FROM auth_throttles WHERE subject = \(pair.subject)"
    return [reset] + all.dropFirst().map(\.giveBack)
  }

  /// What a new password does that a code of the account's mail was shown for: guesses at the one before say nothing of this one.
  static func forgetting(email: String, peer: String) -> [SQL] {
    let throttles = LoginThrottles(email: email, peer: peer, isKnownNetwork: false)
    return [throttles.pair, throttles.account].compactMap(\.self).map {
      "DELETE FROM auth_throttles WHERE subject = \($0.subject)"
    }
  }
}

extension Accounts {
  /// A row where the owner of an address's account is known in a network: a session was refreshed from there last, or a code of its mail was
  /// typed in from there last.
  static func knownNetwork(_ network: String, of email: String) -> SQL {
    SQL(
      """
      SELECT 1 FROM auth_accounts a WHERE a.email = \(email) AND (a.proven_network = \(network)
        OR EXISTS (SELECT 1 FROM auth_sessions s WHERE s.account_id = a.id AND s.network = \(network)))
      """)
  }
}
