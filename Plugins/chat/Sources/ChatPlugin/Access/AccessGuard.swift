internal import PluginKit

extension ChannelAddress {
  /// The rules of `Access` as a statement that returns one row as long as a user may do something in the channel, to be expected in a
  /// batch; nil for a server, which always may. A ban without the user's knowing counts as one. Whether there is such a channel is for the
  /// batch's other statements to see.
  ///
  /// - Parameters:
  ///   - now: at which bans are looked at.
  ///   - isSlowed: whether a slow channel is left to `mayWrite`; else it counts as one in which the user may not.
  func still(
    _ permission: Permission, _ actor: AppActor, _ type: ChannelType, at now: Timestamp,
    isSlowed: Bool = true
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
        AND NOT EXISTS (SELECT 1 FROM chat_channels c
          WHERE c.type = \(self.type) AND c.id = \(id) AND (
            (\(permission.isStoppedByFreeze) = 1 AND c.frozen = 1
              AND mine.role NOT IN (\(each: grants.roles(that: .useFrozenChannel))))
            OR (\(isSlowed) = 0 AND c.slow_mode_seconds > 0
              AND mine.role NOT IN (\(each: grants.roles(that: .skipSlowMode))))))
      """
    ).expect(exactly: 1)
  }
}
