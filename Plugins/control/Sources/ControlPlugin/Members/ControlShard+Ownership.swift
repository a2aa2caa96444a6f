internal import PluginKit

/// How many apps an account may own, however it comes to them.
extension ControlShard {
  /// A conflict where an account, which the batch has just made an owner or not, owns more than it may.
  func hasRoomToOwn(_ account: String) -> SQL {
    SQL(
      """
      SELECT 1 AS room WHERE (SELECT COUNT(*) FROM control_members
          WHERE account_id = \(account) AND role = \(Role.owner.rawValue))
        <= \(settings.appsPerAccount)
      """
    ).expect(exactly: 1)
  }

  /// What whoever would give an app away is told; of the account itself it says no more than that.
  var ownsEnough: Problem {
    Problem(
      status: 403, code: "quota_exceeded",
      detail: "An account owns at most \(settings.appsPerAccount) apps.")
  }
}
