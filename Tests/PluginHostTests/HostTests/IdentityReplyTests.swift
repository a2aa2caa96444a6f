import CSluice
import Gateway
import Testing

@testable import PluginHost

@Suite struct `The reply of an authenticator` {
  private func answer(_ members: String) -> IdentityAnswer {
    IdentityRequest.answer(
      SLUICE_OK, Array(#"{"kind":"user","id":"bob","scopes":["a"]\#(members)}"#.utf8))
  }

  @Test(arguments: [("", 0), (#","expires_at_ms":0"#, 0), (#","expires_at_ms":60000"#, 60_000)])
  func `says until when a principal is good`(members: String, expiresAt: Int64) throws {
    guard case .known(let principal) = answer(members) else {
      Issue.record("It is not taken: \(members)")
      return
    }
    #expect(principal.expiresAt == expiresAt)
  }

  /// Else the principal would be good for ever.
  @Test(arguments: ["-1", "0.5", "1e3", "\"60000\"", "null", "9223372036854775808", "{}"])
  func `is none when it names no time`(time: String) {
    guard case .unavailable = answer(#","expires_at_ms":\#(time)"#) else {
      Issue.record("It is taken: \(time)")
      return
    }
  }
}
