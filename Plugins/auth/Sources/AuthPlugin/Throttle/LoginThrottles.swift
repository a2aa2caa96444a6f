internal import PluginKit

/// What bounds attempts to sign in.
///
/// Counted before the password is looked at, so that attempts side by side count too, and given back when it is right: whoever knows his
/// password is never slowed down by signing in often. A stranger who guesses from many addresses fills the account's own rate; whoever has
/// signed in from an address before is not counted there, so the stranger does not keep the owner out.
struct LoginThrottles {
  /// The account from this address.
  let pair: Throttle
  /// The account from anywhere; nil where the address is one that its owner has signed in from.
  let account: Throttle?
  /// The networks that the address is in.
  let networks: [Throttle]

  init(email: String, peer: String, isKnownAddress: Bool) {
    let network = Network.key(of: peer)
    pair = Throttle(Throttle.subject("login.pair", email, network), burst: 5, every: 30_000)
    account =
      isKnownAddress
      ? nil : Throttle(Throttle.subject("login.account", email), burst: 20, every: 10_000)
    networks = Throttle.ofNetworks("login.address", peer, burst: 100, every: 1_000)
  }

  var all: [Throttle] { [pair, account].compactMap(\.self) + networks }

  /// What a sign-in that succeeded does: the attempt was no guess, and neither were those before it.
  var forgiveness: [SQL] {
    let reset: SQL = "DELETE FROM auth_throttles WHERE subject = \(pair.subject)"
    return [reset] + all.dropFirst().map(\.giveBack)
  }
}
