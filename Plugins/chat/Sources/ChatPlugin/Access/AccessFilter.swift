internal import PluginKit

extension ChatShard {
  /// The rules of `Access` as a condition of a statement: whether a user may read the channel of the message called `name` there.
  ///
  /// - Parameter user: nil for a server, which may read all that are there.
  func readable(_ name: String, by user: String?) -> Fragment {
    let isThere: Fragment = """
      NOT EXISTS (SELECT 1 FROM chat_channels d WHERE d.type = \(raw: name).type
        AND d.id = \(raw: name).channel AND d.deleted_at IS NOT NULL)
      """
    guard let user else { return isThere }
    let kinds = types.all.reduce(into: "1 = 0" as Fragment) { kinds, each in
      let grants = each.type.grants
      kinds = """
        \(kinds) OR (\(raw: name).type = \(each.name) AND (
          mine.role IN (\(each: grants.roles(that: .readChannel)))
          OR (\(grants.allows(Role.member, .readChannel)) = 1
            AND mine.role NOT IN (\(each: grants.roles)))))
        """
    }
    return """
      (EXISTS (SELECT 1 FROM (
          SELECT coalesce((SELECT o.role FROM chat_members o WHERE o.type = \(raw: name).type
            AND o.channel = \(raw: name).channel AND o.user_id = \(user)), \(Role.user)) AS role
        ) AS mine WHERE \(kinds))
        AND \(isThere))
      """
  }
}
