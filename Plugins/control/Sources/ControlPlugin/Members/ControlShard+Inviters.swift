internal import PluginKit

/// An invitation is as good as its inviter's word: whoever loses a role does not come back, or bring others, by an invitation
/// of before.
extension ControlShard {
  /// Withdraws the invitations of an account that it could not make any more.
  ///
  /// - Parameter role: the account's role from now on; nil where it is no member.
  static func withdrawal(of account: String, in app: String, left role: Role?) -> SQL {
    let given = (role?.gives ?? []).map(\.rawValue)
    return """
      DELETE FROM control_invitations
      WHERE app_id = \(app) AND invited_by = \(account) AND role NOT IN (\(each: given + [""]))
      """
  }

  /// Of a row of `control_invitations`: whether its inviter is a member who gives that role now.
  static let isVouchedFor: String = {
    let pairs = Role.allCases.flatMap { giver in
      giver.gives.map {
        "(m.role = '\(giver.rawValue)' AND control_invitations.role = '\($0.rawValue)')"
      }
    }
    return """
      EXISTS (SELECT 1 FROM control_members AS m
        WHERE m.app_id = control_invitations.app_id AND m.account_id = control_invitations.invited_by
          AND (\(pairs.joined(separator: " OR "))))
      """
  }()
}

extension Role {
  /// The roles that whoever has this one invites to.
  fileprivate var gives: [Role] {
    self >= Permission.invite.least ? Role.allCases.filter { $0 <= self } : []
  }
}
