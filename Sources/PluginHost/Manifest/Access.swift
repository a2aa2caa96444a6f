/// Who may use a route or a socket.
public enum Access: Sendable, Hashable, CustomStringConvertible {
  /// Nobody is asked; a credential is not even looked at.
  case open
  /// A credential of these kinds is used when there is one; a bad one is refused.
  case optional(CredentialKinds)
  /// A credential of one of these kinds is needed.
  case required(CredentialKinds)

  /// The words of the manifest.
  public var description: String {
    switch self {
    case .open: "none"
    case .optional(let kinds): "optional " + kinds.names.joined(separator: " ")
    case .required(let kinds): kinds.names.joined(separator: " ")
    }
  }

  /// The kinds of credential that are looked at.
  public var kinds: CredentialKinds {
    switch self {
    case .open: []
    case .optional(let kinds), .required(let kinds): kinds
    }
  }
}

/// Kinds of credential.
public struct CredentialKinds: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// An end user's JWT.
  public static let user = CredentialKinds(rawValue: 1)
  /// An app's secret key.
  public static let key = CredentialKinds(rawValue: 2)
  /// A developer's account token.
  public static let account = CredentialKinds(rawValue: 4)
  /// An app's public key, which stands in its clients.
  public static let publicKey = CredentialKinds(rawValue: 8)

  /// The kinds by name, in the order of their definition.
  public var names: [String] {
    let all: [(name: String, kind: CredentialKinds)] = [
      ("user", .user), ("key", .key), ("account", .account), ("public", .publicKey),
    ]
    return all.filter { contains($0.kind) }.map(\.name)
  }
}

extension Access {
  private enum Word: String, CaseIterable {
    case none, optional, user, key, account, `public`
  }

  /// Reads the set of words under `auth`.
  init(reading node: ConfigNode?) {
    guard let node else {
      self = .open
      return
    }
    let words = node.distinct { $0.word(Word.self) }
    if case .array(let list) = node.value, list.isEmpty {
      node.refuse("must name none, optional, user, key, account or public")
    }
    var kinds: CredentialKinds = []
    if words.contains(.user) { kinds.insert(.user) }
    if words.contains(.key) { kinds.insert(.key) }
    if words.contains(.account) { kinds.insert(.account) }
    if words.contains(.public) { kinds.insert(.publicKey) }
    if words.contains(.none) {
      if words.count > 1 { node.refuse("\"none\" stands alone") }
      self = .open
    } else if words.contains(.optional) {
      if kinds.isEmpty {
        node.refuse("\"optional\" needs at least one of user, key, account, public beside it")
      }
      self = .optional(kinds)
    } else {
      self = .required(kinds)
    }
  }
}
