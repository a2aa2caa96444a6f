/// For whom a request of an app's acts. Any thread.
public enum AppActor: Sendable, Equatable {
  /// An end user, for himself.
  case user(String)
  /// The app's own server.
  case server

  /// - Throws: `Problem` 403 for whoever is neither; a manifest whose routes are for `user` and `key` lets no such request come.
  public init(_ principal: Principal) throws {
    switch principal.kind {
    case .user: self = .user(principal.id)
    case .key: self = .server
    case .anonymous, .account:
      throw Problem.forbidden("This is for an app's users and its server.")
    }
  }

  /// The user himself; nil for a server.
  public var user: String? {
    if case .user(let id) = self { id } else { nil }
  }

  /// The user whom a request is about, where it may name one.
  ///
  /// - Parameter named: `user_id` of the request.
  /// - Returns: nil for a server that names nobody.
  /// - Throws: `Problem` 403 when a user names another.
  public func subject(_ named: String?) throws -> String? {
    guard case .user(let id) = self else { return named }
    guard named == nil || named == id else {
      throw Problem.forbidden("The token is of user \"\(id)\", so user_id cannot be another.")
    }
    return id
  }
}
