/// A look at the password of somebody who signs in: the same work for every e-mail address.
///
/// Hashes that were imported, or made when the settings asked for another cost, take another time than today's. Were only the account's own
/// hash made, the time would tell that there is an account. So every look makes one hash of each kind that any account has, and of the present
/// one: the account's own among them, and for the other kinds those of nobody.
struct PasswordCheck: Sendable {
  /// The account's own; nil where there is no account.
  let own: PasswordHash?
  /// All that are made, in an order that is the same for everybody.
  let hashes: [PasswordHash]

  /// - Parameters:
  ///   - kept: the account's hash; nil where there is none.
  ///   - kinds: of all accounts' hashes.
  ///   - present: of those that are made now.
  init(kept: String?, among kinds: [String], present: String) {
    let kept = kept.map { PasswordHash(kept: $0) }
    let ownKind = kept?.kind
    own = kept
    hashes = Set(kinds + [present] + [ownKind].compactMap(\.self)).sorted().map { kind in
      if let kept, kind == ownKind { return kept }
      return PasswordHash(ofNobody: kind)
    }
  }

  /// Whether the password is the account's. [worker-thread]
  func passes(_ password: String) throws -> Bool {
    var isRight = false
    for hash in hashes {
      let matches = try hash.matches(password)
      if hash == own { isRight = matches }
    }
    return isRight
  }
}
