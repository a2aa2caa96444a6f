internal import PluginKit

/// Handlers of accounts, with the refusals that say when to come back.
extension AuthShard {
  static func registerAccounts(_ on: inout Registry<AuthShard>) {
    on.route("create_account", answering(Accounts.create))
    on.route("verify_email", answering(Accounts.verifyEmail))
    on.route("resend_verification", answering(Accounts.resendVerification))
    on.route("import_account", answering(Accounts.importAccount))
    on.route("forget_password", answering(Accounts.forgetPassword))
    on.route("reset_password", answering(Accounts.resetPassword))
    on.route("change_password", answering(Accounts.changePassword))

    on.route("create_session", answering(Accounts.createSession))
    on.route("refresh_session", answering(Accounts.refreshSession))
    on.route("end_session") { try await $0.accounts.endSession($1) }
    on.route("list_sessions") { try await $0.accounts.listSessions($1) }
    on.route("revoke_session") { try await $0.accounts.revokeSession($1) }
    on.route("revoke_other_sessions") { try await $0.accounts.revokeOtherSessions($1) }

    on.route("read_me") { try await $0.accounts.readProfile($1) }
    on.route("change_me") { try await $0.accounts.changeProfile($1) }
    on.route("request_email", answering(Accounts.requestEmail))
    on.route("confirm_email", answering(Accounts.confirmEmail))
    on.route("delete_account", answering(Accounts.deleteAccount))
    on.route("enrol_totp", answering(Accounts.enrolTotp))
    on.route("confirm_totp", answering(Accounts.confirmTotp))
    on.route("disable_totp", answering(Accounts.disableTotp))

    on.route("read_keys") { shard, _ in try await shard.accounts.readKeys() }
    on.route("rotate_keys") { try await $0.accounts.rotateKeys($1) }
  }

  /// Has a handler answer; what it refuses for now is told with `Retry-After`.
  static func answering(
    _ handler: @escaping (Accounts) -> nonisolated(nonsending) (Request) async throws -> Response
  ) -> nonisolated(nonsending) (AuthShard, Request) async throws -> Response {
    { shard, request in
      do {
        return try await handler(shard.accounts)(request)
      } catch let refusal as Throttled {
        try shard.accounts.throttled?.add()
        return refusal.response
      } catch is NetworkOverload {
        try shard.accounts.networkOverloads?.add()
        return .problem(NetworkOverload.problem).header("retry-after", "2")
      } catch let error as HostError where error.status == .overloaded {
        try shard.accounts.overloads?.add()
        return .problem(
          Problem(
            status: 503, code: "overloaded",
            detail: "Too many passwords are being checked. Try again shortly.")
        ).header("retry-after", "2")
      }
    }
  }
}
