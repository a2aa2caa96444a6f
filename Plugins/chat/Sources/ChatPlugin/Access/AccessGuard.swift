internal import PluginKit

extension ChannelAddress {
  /// The rules of `Access` as a statement that returns one row as long as a user may do something in the channel, to be expected in a
  /// batch; nil for a server, which always may. A ban without the user's knowing counts as one. Whether there is such a channel is for the
  /// batch's other statements to see.
  ///
  /// - Parameter now: at which bans are looked at.
  func still(
    _ permission: Permission, _ actor: Actor, _ type: ChannelType, at now: Timestamp
  ) -> SQL? {
    guard let user = actor.user else { return nil }
    let grants = type.grants
    return SQL(
      """
      SELECT 1 AS may FROM (
        SELECT coalesce((SELECT role FROM chat_members
          WHERE type = \(self.type) AND channel = \(id) AND user_id = \(user)), \(Role.user)) AS role
      ) AS mine
      WHERE (mine.role IN (\(each: grants.roles(that: permission)))
          OR (\(grants.allows(Role.member, permission)) = 1
            AND mine.role NOT IN (\(each: grants.roles))))
        AND (\(permission.isQuiet) = 1 OR NOT EXISTS (
          SELECT 1 FROM chat_bans b WHERE b.user_id = \(user)
            AND ((b.type = '' AND b.channel = '') OR (b.type = \(self.type) AND b.channel = \(id)))
            AND (b.expires_at IS NULL OR b.expires_at > \(now))))
        AND (\(permission.isStoppedByFreeze) = 0 OR mine.role IN (\(each: grants.roles(that: .useFrozenChannel)))
          OR NOT EXISTS (SELECT 1 FROM chat_channels c
            WHERE c.type = \(self.type) AND c.id = \(id) AND c.frozen = 1))
      """
    ).expect(exactly: 1)
  }
}
