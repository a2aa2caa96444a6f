internal import PluginKit

/// What bounds letters with codes to one address.
///
/// Letters that strangers ask for use up an address's rate, so it is not one for all: whoever asks from where the account's owner is known is not
/// counted there, and of the others those who wait for no letter yet have as many more as the first had. Else two strangers could keep an owner
/// from a new password for as long as they like: by asking for all the letters and then trying wrong codes.
struct CodeThrottles {
  private static let burst: Int64 = 6

  /// The address from this network's site.
  let pair: Throttle
  /// The address from anywhere; nil where its account's owner is known in the network.
  let address: Throttle?

  /// - Parameters:
  ///   - site: which asks, as `Network.site(of:)` has it: one who has 48 bits of IPv6 has 65,536 networks, and none of them gets letters of its own.
  ///   - isKnown: whether the account's owner is known there.
  ///   - hasLetters: whether codes that were asked for from there are still good.
  init(
    _ purpose: OneTimeCode.Purpose, email: String, site: String, isKnown: Bool, hasLetters: Bool
  ) {
    let kind = "mail.\(purpose.rawValue)"
    pair = Throttle(Throttle.subject(kind, email, site), burst: 3, every: 300_000)
    address =
      isKnown
      ? nil
      : Throttle(
        Throttle.subject(kind, email), burst: CodeThrottles.burst * (hasLetters ? 1 : 2),
        every: 600_000)
  }

  var all: [Throttle] { [pair, address].compactMap(\.self) }
}
