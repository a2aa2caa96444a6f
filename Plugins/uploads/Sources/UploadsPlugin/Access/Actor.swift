internal import PluginKit

/// For whom a request acts.
enum Actor: Equatable {
  /// An end user, for himself.
  case user(String)
  /// The app's own server.
  case server

  /// - Throws: `Problem` 403 for whoever is neither; the manifest lets no such request come.
  init(_ principal: Principal) throws {
    switch principal.kind {
    case .user: self = .user(principal.id)
    case .key: self = .server
    case .anonymous, .account:
      throw Problem.forbidden("Uploads are for an app's users and its server.")
    }
  }

  /// The user whom a request is about.
  ///
  /// - Parameter named: `user_id` of its query.
  /// - Returns: nil for a server that names nobody.
  /// - Throws: `Problem` 403 when a user names another.
  func subject(_ named: String?) throws -> String? {
    guard case .user(let id) = self else { return named }
    guard named == nil || named == id else {
      throw Problem.forbidden("The token is of user \"\(id)\", so user_id cannot be another.")
    }
    return id
  }
}
