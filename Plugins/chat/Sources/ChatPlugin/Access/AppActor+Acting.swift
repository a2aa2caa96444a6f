internal import PluginKit

extension AppActor {
  /// Whether it is this user, and nobody whose id is only spelt alike.
  func isUser(_ id: String) -> Bool { user?.isExactly(id) == true }

  /// The user that a request acts for.
  ///
  /// - Parameter named: what the request says, at `pointer`.
  /// - Throws: `Problem` 403 when a user names another; 400 when a server names nobody.
  func acting(as named: String?, pointer: String) throws -> String {
    guard let id = try subject(named) else {
      throw Problem.invalid(
        pointer: pointer, "With a secret key user_id is needed: whom do you act for?")
    }
    return id
  }
}

extension Request {
  /// The channel that the first two parameters of the path name, and its type.
  ///
  /// - Throws: `Problem` 404 when there can be no such channel.
  func channel(_ types: ChannelTypes) throws -> (ChannelAddress, ChannelType) {
    let name = try parameter(0)
    let type = try types[name]
    let id = try parameter(1)
    guard let address = ChannelAddress(type: name, id: id) else {
      throw Problem.notFound("A channel's id is \(Identifier.words).")
    }
    return (address, type)
  }

  /// How many things a list is to hold: `limit`, 1 to 100, else 25.
  func limit() throws -> Int {
    guard let text = query("limit") else { return 25 }
    guard let limit = Int(text), (1...100).contains(limit) else {
      throw Problem.invalid(pointer: "/query/limit", "limit is a whole number from 1 to 100.")
    }
    return limit
  }
}
