import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `What a password's hash costs` {
  private static let bcrypt = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
  private static let present = HashCost.standard
  private static let former = HashCost(memory: 7_168, passes: 5, lanes: 1)

  private static func settings(_ memory: Int, _ passes: Int) -> RawJSON {
    AuthHost.settings([
      #""argon2_memory_kib":19456,"argon2_passes":2"#:
        #""argon2_memory_kib":\#(memory),"argon2_passes":\#(passes)"#
    ])
  }

  @Test(arguments: [
    (19_456, 2), (47_104, 1), (65_536, 1), (12_288, 3), (9_216, 4), (7_168, 5), (7_168, 64),
    (262_144, 4),
  ])
  func `is at least what resists, by one of several measures`(memory: Int, passes: Int) {
    let cost = HashCost(memory: UInt32(memory), passes: UInt32(passes), lanes: 1)
    #expect(cost.refusal == nil)
  }

  @Test(arguments: [
    (19_456, 1, "too weak"), (47_103, 1, "too weak"), (19_455, 2, "too weak"),
    (12_287, 3, "too weak"), (7_168, 4, "too weak"), (7_167, 64, "too weak"),
    (262_144, 5, "keeps sign-ins waiting"), (131_072, 9, "keeps sign-ins waiting"),
  ])
  func `is refused when it is weak, or keeps everybody waiting`(
    memory: Int, passes: Int, words: String
  ) async throws {
    let error = await #expect(throws: ConfigurationError.self) {
      try await AuthHost("platform", settings: Self.settings(memory, passes))
    }
    #expect(error?.pointer == "/argon2_memory_kib")
    #expect(error?.message.contains(words) == true)
  }

  @Test func `is what the settings say`() async throws {
    let platform = try await AuthHost("platform", settings: Self.settings(12_288, 3))
    _ = try await platform.signUp()
    let rows = try await platform.host.execute(
      "SELECT password, password_kind FROM auth_accounts")
    #expect(rows[0][0].hasPrefix("$argon2id$v=19$m=12288,t=3,p=1$"))
    #expect(rows[0][1] == "$argon2id$v=19$m=12288,t=3,p=1$")
    try await platform.host.close()
  }

  /// A platform with one account of each kind of hash; all have the password "U*U" but ada.
  private func platform() async throws -> AuthHost {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    let former = try PasswordHash(of: "U*U", salt: Array(0..<16), Self.former)
    for (name, hash) in [("old", PasswordHash(kept: Self.bcrypt)), ("former", former)] {
      try await platform.host.execute(
        """
        INSERT INTO auth_accounts (id, email, name, password, password_kind, created_at, updated_at)
        VALUES ('acc_\(name)', '\(name)@example.com', 'N', '\(hash.text)', '\(hash.kind)', 0, 0)
        """)
    }
    return platform
  }

  private func hashes(
    of platform: AuthHost, _ body: () async throws -> Void
  ) async throws -> Int64 {
    let before = try #require(platform.host.metric("password_hashes_total"))
    try await body()
    return try #require(platform.host.metric("password_hashes_total")) - before
  }

  @Test func `is the same for every address, whatever its account's hash is of`() async throws {
    let platform = try await platform()
    for name in ["ada", "old", "former", "nobody"] {
      let made = try await hashes(of: platform) {
        let status = try await platform.signIn("\(name)@example.com", "wrong horse").status
        #expect(status == 401)
      }
      #expect(made == 3, "\(name)")
    }
    // Who signs in has today's hash made, and when all have, there is one kind.
    for (name, made) in [("former", 4), ("old", 3), ("nobody", 1)] {
      let count = try await hashes(of: platform) {
        let status = try await platform.signIn("\(name)@example.com", "U*U").status
        #expect(status == (name == "nobody" ? 401 : 201))
      }
      #expect(count == Int64(made), "\(name)")
    }
    let kinds = try await platform.host.execute("SELECT DISTINCT password_kind FROM auth_accounts")
    #expect(kinds == [[Self.present.kind]])
    #expect(try await platform.signIn("old@example.com", "U*U").status == 201)
    try await platform.host.close()
  }

  @Test func `is made of the same kinds in the same order, with or without an account`() throws {
    let kinds = ["$2b$05$", Self.former.kind]
    let accounts: [String?] = [
      nil, Self.bcrypt, PasswordHash(ofNobody: Self.former.kind).text,
      try PasswordHash(of: "U*U", salt: Array(0..<16), Self.present).text,
    ]
    let checks = accounts.map {
      PasswordCheck(kept: $0, among: kinds, present: Self.present.kind)
    }
    let wanted = (kinds + [Self.present.kind]).sorted()
    for check in checks { #expect(check.hashes.map(\.kind) == wanted) }
    for (check, passes) in zip(checks, [false, true, false, true]) {
      #expect(try check.passes("U*U") == passes)
      #expect(try !check.passes("U*V"))
    }
  }

  @Test(arguments: [present.kind, former.kind, "$2b$05$"])
  func `is of a kind that a hash of nobody has too`(kind: String) throws {
    let nobody = PasswordHash(ofNobody: kind)
    #expect(nobody.kind == kind)
    #expect(try !nobody.matches(""))
  }

  @Test func `is known of hashes that were kept before`() async throws {
    var manifest = try TestManifest(file: AuthHost.folder + "/plugin.json")
    let place = try #require(manifest.migrations.firstIndex { $0.name == "password_kinds" })
    let present = try PasswordHash(of: "U*U", salt: Array(0..<16), Self.present)
    let rows = [Self.bcrypt, present.text].enumerated().map {
      "('acc_\($0.offset)', '\($0.offset)@example.com', 'N', '\($0.element)', 0, 0)"
    }
    manifest.migrations.insert(
      .init(
        name: "rows",
        sql: """
          INSERT INTO auth_accounts (id, email, name, password, created_at, updated_at)
          VALUES \(rows.joined(separator: ", "))
          """), at: place)
    let host = try await TestHost(
      Auth.self, manifest, config: AuthHost.settings, tenant: "platform")
    #expect(
      try await host.execute("SELECT password_kind FROM auth_accounts ORDER BY id")
        == [["$2b$05$"], [Self.present.kind]])
    try await host.close()
  }

  @Test func `is none for a wrong code, and the same is counted for an address without an account`()
    async throws
  {
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    try await platform.host.settle()
    let names = ["ada", "nobody"]
    for name in names {
      let ask = #"{"email":"\#(name)@example.com"}"#
      #expect(try await platform.status("POST", "/v1/passwords/forgot", ask).status == 202)
    }
    #expect(platform.mails.all.filter { $0.category == "password_reset" }.count == 1)
    for name in names {
      let made = try await hashes(of: platform) {
        for _ in 0..<7 {
          let reset = try await platform.status(
            "POST", "/v1/passwords/reset",
            #"{"email":"\#(name)@example.com","code":"0000-0000","password":"another horse"}"#)
          #expect(reset == (400, "invalid_code"))
        }
      }
      #expect(made == 0)
    }
    // Seven tries each, of which five were looked at: as many rows, with as much in them.
    let letters = "SELECT tries FROM auth_letters WHERE purpose = 'reset'"
    #expect(try await platform.host.execute(letters) == [["5"], ["5"]])
    let all = "SELECT tries FROM auth_letter_tries WHERE letter_id LIKE 'nobody:%'"
    #expect(try await platform.host.execute(all) == [["7"], ["7"]])
    try await platform.host.close()
  }
}
