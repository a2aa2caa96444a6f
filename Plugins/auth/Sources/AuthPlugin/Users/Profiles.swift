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
    let known = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
    return try .json(Page(data: ids.compactMap { known[$0] }, next: nil))
  }
}
