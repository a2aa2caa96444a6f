internal import PluginKit

/// What other users of the app are shown of a user.
struct ShownProfile: Codable, Equatable {
  let id: String
  let name: String?
  let image: String?
}

/// Whom somebody wants to show.
private struct WantedProfiles: Decodable {
  let ids: [String]
}

extension Users {
  /// `POST /v1/profiles`: names and pictures of those of the users who are there, in the order in which they are named.
  func profiles(_ request: Request) async throws -> Response {
    let ids = try request.decode(WantedProfiles.self).ids
    let found: [ShownProfile] = try await context.store.read(
      """
      SELECT id, name, image FROM auth_users
      WHERE id IN (\(each: ids)) AND (guest_until IS NULL OR guest_until > \(try now()))
      """
    ).decode()
    // By their bytes: texts that Swift takes for equal are two users.
    let known = Dictionary(found.map { (Array($0.id.utf8), $0) }) { first, _ in first }
    return try .json(Page(data: ids.compactMap { known[Array($0.utf8)] }, next: nil))
  }
}
