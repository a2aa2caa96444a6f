import Foundation
import PluginKit
import PluginTesting
import Testing

@testable import AuthPlugin

@Suite struct `The policy of passwords` {
  private let policy = PasswordPolicy(.none)

  private func takes(_ password: String) -> Bool {
    policy.refusal(of: password, email: "ada.lovelace@analytical.example", name: "Ada King") == nil
  }

  @Test(arguments: [
    "correct horse", "correct horse battery", "purple monkey dishwasher", "tr0ub4dor&3",
    "xK9#mQ2$", "8f3kd0qz", "mein Fahrrad ist alt", "🔑🔑🔑🔑🔑🔑🔑🗝", "4815162342108", "ünïcödé-wörds",
    "a lovely day in spring", "kinghtzsd", "kings and queens 1815", "lovelesslaces",
    "Analytical engines are slow",
  ])
  func `takes what nobody tries first`(password: String) {
    #expect(takes(password))
  }

  @Test(arguments: [
    "password", "Password1", "P@ssw0rd", "P@ssw0rd2024!", "passw0rd123", "12345678", "87654321",
    "123password", "qwertyuiop", "qwer1234", "1q2w3e4r5t", "asdfghjkl", "aaaaaaaa", "abcabcabc",
    "abcd1234", "iloveyou", "iloveyou!", "Letmein123", "superman", "Summer2024!", "monkey123",
    "dragon!!", "welcome1", "admin123", "football1", "01011990", "!@#$%^&*", "changeme",
    "sunshine99", "trustno1", "zaq12wsx", "1qaz2wsx", "passwordpassword", "blueberry1",
    "tinkerbell", "samantha", "alejandro", "realmadrid", "blink182", "123qweasd", "1g2w3e4r",
    "qazwsxedc", "147258369", "cocacola", "slipknot12", "snickers", "estrella", "pa55word",
    "biteme12", "kimberly", "spongebob", "corvette", "redskins", "1234qwer", "marlboro1",
  ])
  func `refuses what is tried first`(password: String) {
    #expect(!takes(password))
  }

  @Test(arguments: [
    "ada.lovelace", "AdaLovelace1", "lovelace12", "ecalevol!!", "analytical", "analytical1!",
    "ada.lovelace@analytical.example", "adaking1", "Ada King", "ada_king!", "lovelace1815",
    "1815lovelace", "l0ve1ace1815", "LOVELACE-1815-1852", "lovelacelovelace", "kingadaking99",
    "Love1ace!Ada2024", "1815ecalevol", "my.lovelace.1815", "@n4lyt1c4l2024",
  ])
  func `refuses what is like the name or the address`(password: String) {
    #expect(!takes(password))
  }

  @Test func `counts characters`() {
    #expect(!takes("xK9#mQ2"))
    #expect(takes(String(repeating: "xK9#mQ2$", count: 16)))
    #expect(!takes(String(repeating: "xK9#mQ2$", count: 16) + "x"))
  }

  @Test func `is kept by every route that sets one`() async throws {
    let platform = try await AuthHost("platform")
    let refused = try await platform.request(
      "POST", "/v1/accounts",
      #"{"email":"ada@example.com","password":"password1","name":"Ada"}"#)
    #expect(refused.status == 400)
    #expect(refused.problem?.errors?.map(\.pointer) == ["/password"])
    let ada = try await platform.signUp()
    let principal = try await platform.principal(ada)
    let change = try await platform.request(
      "PUT", "/v1/me/password", #"{"current":"correct horse","new":"password1"}"#, as: principal)
    #expect(change.status == 400)
    #expect(change.problem?.errors?.map(\.pointer) == ["/new"])
    try await platform.host.close()
  }

  @Test func `of changes from the same password one is made`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.principal(try await platform.signUp())
    var pending: [PendingReply] = []
    for name in ["first", "second", "third", "fourth", "fifth"] {
      pending.append(
        try await platform.host.begin(
          "PUT", "/v1/me/password",
          body: #"{"current":"correct horse","new":"\#(name) horse"}"#, as: ada))
    }
    var statuses: [Int] = []
    for reply in pending { statuses.append(try await reply.reply().status) }
    #expect(statuses.filter { $0 == 204 }.count == 1)
    #expect(statuses.filter { $0 == 409 || $0 == 403 }.count == 4)
    try await platform.host.close()
  }
}

@Suite struct `A list of breached passwords` {
  private static func file(_ lines: [String], ending: String = "\n") throws -> String {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "breached-\(UUID().uuidString)").path()
    try lines.map { $0 + ending }.joined().write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// SHA-1 of "correct horse", and others around it.
  private static let line = "0123456789ABCDEF0123456789ABCDEF01234567:3"

  @Test(arguments: [1, 2, 3, 1_000], ["\n", "\r\n"])
  func `is searched from its first line to its last`(count: Int, ending: String) throws {
    let passwords = (0..<count).map { "password number \($0)" }
    let lines = passwords.map { Self.sha1($0).uppercased() + ":\($0.count)" }.sorted()
    let path = try Self.file(lines, ending: ending)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let list = BreachedPasswords(path: path)
    #expect(list.refusal == nil)
    for password in passwords { #expect(list.contains(password) == true, "\(password)") }
    for password in passwords { #expect(list.contains(password + "!") == false) }
  }

  @Test func `is refused when it is none`() throws {
    #expect(BreachedPasswords(path: "/nowhere/at all").refusal?.contains("No such file") == true)
    for lines in [[], ["hello"], [String(Self.line.dropFirst())]] {
      let path = try Self.file(lines)
      defer { try? FileManager.default.removeItem(atPath: path) }
      #expect(BreachedPasswords(path: path).refusal != nil)
    }
    let path = try Self.file([Self.line])
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(BreachedPasswords(path: path).refusal == nil)
    #expect(BreachedPasswords(path: path).contains("correct horse") == false)
  }

  @Test func `is what new passwords are looked for in`() async throws {
    let path = try Self.file([Self.sha1("correct horse").uppercased() + ":9"])
    defer { try? FileManager.default.removeItem(atPath: path) }
    let text = AuthHost.settings.text.replacing(
      #""breached_passwords_file":"""#, with: #""breached_passwords_file":"\#(path)""#)
    let settings = RawJSON(unchecked: Array(text.utf8))
    let platform = try await AuthHost("platform", settings: settings)
    for (password, status) in [("correct horse", 400), ("incorrect horse", 201)] {
      let reply = try await platform.request(
        "POST", "/v1/accounts",
        #"{"email":"ada@example.com","password":"\#(password)","name":"Ada"}"#)
      #expect(reply.status == status)
    }
    // It goes away while it is in use: once said, and counted.
    let moved = path + ".moved"
    try FileManager.default.moveItem(atPath: path, toPath: moved)
    func signUp(_ name: String) async throws -> Int {
      try await platform.request(
        "POST", "/v1/accounts",
        #"{"email":"\#(name)@example.com","password":"correct horse","name":"N"}"#
      ).status
    }
    func complaints() -> Int {
      platform.host.log.count { $0.message.contains("cannot be read") }
    }
    #expect(try await signUp("eve") == 201)
    #expect(try await signUp("mal") == 201)
    #expect(complaints() == 1)
    try FileManager.default.moveItem(atPath: moved, toPath: path)
    #expect(try await signUp("ben") == 400)
    try FileManager.default.removeItem(atPath: path)
    #expect(try await signUp("ben") == 201)
    #expect(complaints() == 2)
    try await platform.host.close()
    await #expect(throws: ConfigurationError.self) {
      try await AuthHost("platform", settings: settings)
    }
  }

  /// By another program, so that the test does not agree with the plugin's mistake.
  private static func sha1(_ text: String) -> String {
    var message = Array(text.utf8)
    let bits = UInt64(message.count * 8)
    message.append(0x80)
    while message.count % 64 != 56 { message.append(0) }
    message += withUnsafeBytes(of: bits.bigEndian) { Array($0) }
    var h: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0]
    func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x << n | x >> (32 - n) }
    for start in stride(from: 0, to: message.count, by: 64) {
      var w = (0..<16).map { i in
        message[(start + 4 * i)..<(start + 4 * i + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      }
      for i in 16..<80 { w.append(rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1)) }
      var (a, b, c, d, e) = (h[0], h[1], h[2], h[3], h[4])
      for i in 0..<80 {
        let (f, k): (UInt32, UInt32) =
          switch i {
          case 0..<20: (b & c | ~b & d, 0x5A82_7999)
          case 20..<40: (b ^ c ^ d, 0x6ED9_EBA1)
          case 40..<60: (b & c | b & d | c & d, 0x8F1B_BCDC)
          default: (b ^ c ^ d, 0xCA62_C1D6)
          }
        let next = rotate(a, 5) &+ f &+ e &+ k &+ w[i]
        (a, b, c, d, e) = (next, a, rotate(b, 30), c, d)
      }
      h = zip(h, [a, b, c, d, e]).map { $0 &+ $1 }
    }
    return h.map { String(format: "%08x", $0) }.joined()
  }
}

@Suite struct `A password of an account` {
  @Test func `is changed by who knows the one before, and ends the other sessions`() async throws {
    let platform = try await AuthHost("platform")
    let ada = try await platform.signUp()
    let other: SignedIn = try await platform.request(
      "POST", "/v1/sessions", #"{"email":"ada@example.com","password":"correct horse"}"#
    ).json()
    let principal = try await platform.principal(ada)
    #expect(
      try await platform.status(
        "PUT", "/v1/me/password", #"{"current":"wrong horse","new":"another horse"}"#, as: principal
      )
        == (403, "wrong_password"))
    #expect(
      try await platform.status(
        "PUT", "/v1/me/password", #"{"current":"correct horse","new":"another horse"}"#,
        as: principal) == (204, nil))
    #expect(try await platform.refresh(ada.refreshToken).status == 200)
    #expect(try await platform.refresh(other.refreshToken).status == 401)
    #expect(try await platform.signIn("ada@example.com", "another horse").status == 201)
    try await platform.host.close()
  }

  @Test func `is shown wrongly five times at once`() async throws {
    let platform = try await AuthHost("platform")
    let principal = try await platform.principal(try await platform.signUp())
    let body = #"{"current":"wrong horse","new":"another horse"}"#
    for _ in 0..<5 {
      #expect(
        try await platform.status("PUT", "/v1/me/password", body, as: principal).status == 403)
    }
    let reply = try await platform.request("PUT", "/v1/me/password", body, as: principal)
    #expect(reply.status == 429)
    #expect(reply.header("retry-after") == "30")
    try await platform.host.close()
  }

  /// One who does not look closely reads the same.
  @Test(arguments: [
    "Mu\u{308}llerstro\u{308}m1", "mullerstrom1", "Müllerström12", "ＭÜＬＬＥＲＳＴＲＯＭ１",
    "𝓶𝓾𝓵𝓵𝓮𝓻𝓼𝓽𝓻𝓸𝓶", "mu\u{AD}ller\u{200B}strom1", "mortsrellum1", "ＳＭＩＴＨＳＯＮ１２",
    "ⓢⓜⓘⓣⓗⓢⓞⓝ", "ſmithson1",
  ])
  func `is not its owner's name in another guise`(password: String) {
    let policy = PasswordPolicy(.none)
    let refusal = policy.refusal(
      of: password, email: "zoe@example.com", name: "Zoë Müllerström Smithson")
    #expect(refusal?.contains("too much like") == true, "\(password)")
  }

  @Test(arguments: [
    "ｐａｓｓｗｏｒｄ１", "pa\u{AD}ssword1", "pássword1", "p\u{301}assword2024", "ｑｗｅｒｔｙ１２３４",
    "１２３４５６７８９", "ⓟⓐⓢⓢⓦⓞⓡⓓ", "\u{200B}password1",
  ])
  func `is not one that is tried first in another guise`(password: String) {
    let policy = PasswordPolicy(.none)
    let refusal = policy.refusal(of: password, email: "ada@example.com", name: "Ada")
    #expect(refusal?.contains("tried first") == true, "\(password)")
  }

  @Test(arguments: [
    "größere Pläne für morgen", "четыре слона в лодке", "正しい馬の電池ホチキス", "قطار الليل يمر ببطء",
    "नदी किनारे पुराना बरगद",
    "🐎🔋📎🌧️🎻🧊🪁🛰️",
  ])
  func `may be of any script`(password: String) {
    let policy = PasswordPolicy(.none)
    #expect(policy.refusal(of: password, email: "ada@example.com", name: "Ada Łódź") == nil)
  }

  @Test(arguments: [
    ("Zoë", "zoe"), ("Zoe\u{308}", "zoe"), ("Straße", "strasse"), ("ﬁnance", "finance"),
    ("Łódź", "lodz"),
    ("Ёлка", "елка"), ("Μίλτος", "μιλτοσ"), ("٣４", "34"), ("日本", "日本"), ("", ""), ("\u{200D}", ""),
  ])
  func `is read without marks, case and form`(text: String, folded: String) {
    #expect(FoldedText.of(text).unicodeScalars.elementsEqual(folded.unicodeScalars))
  }

  /// The hash is of "U*U", a vector of crypt_blowfish that every implementation passes.
  @Test func `is taken over as bcrypt, and made anew when its owner signs in`() async throws {
    let hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
    let platform = try await AuthHost("platform")
    let root = try await platform.signUp("root@example.com")
    try await platform.host.settle()
    let principal = try await platform.principal(root)
    let body = #"{"email":"old@example.com","name":"Old","password_hash":"\#(hash)"}"#
    // The operator's address has to be verified.
    #expect(
      try await platform.status("POST", "/v1/accounts/import", body, as: principal)
        == (403, "forbidden"))
    let code = try platform.mails.code(for: "root@example.com", in: "verification")
    _ = try await platform.status(
      "POST", "/v1/accounts/verify", #"{"email":"root@example.com","code":"\#(code)"}"#,
      as: principal)
    #expect(
      try await platform.status("POST", "/v1/accounts/import", body, as: principal) == (201, nil))
    #expect(
      try await platform.status("POST", "/v1/accounts/import", body, as: principal)
        == (409, "conflict"))
    // Noted once, with what was made and without its password.
    let notes = try await platform.host.events.filter { $0.type == "auth.audit.noted" }
    #expect(notes.count == 1)
    let note = try #require(notes.first).data.text
    #expect(note.contains(#""action":"account.imported","outcome":"done","target":"acc_"#))
    #expect(note.contains("old@example.com") && !note.contains("$2a$"))
    #expect(try await platform.signIn("old@example.com", "U*V").status == 401)
    #expect(try await platform.signIn("old@example.com", "U*U").status == 201)
    #expect(try await platform.signIn("old@example.com", "U*U").status == 201)
    #expect(try await platform.signIn("old@example.com", "U*V").status == 401)
    let eve = try await platform.signUp("eve@example.com")
    #expect(
      try await platform.status(
        "POST", "/v1/accounts/import", body, as: try await platform.principal(eve)
      ).status == 403)
    try await platform.host.close()
  }

  /// bcrypt looks at 72 bytes: whoever signs in with other words behind them must not become the only one who can.
  @Test func `stays bcrypt where it cannot be told what stood behind its first 72 bytes`()
    async throws
  {
    let right = String(String(repeating: "correct horse battery staple ", count: 3).prefix(83))
    let hash = "$2b$04$abcdefghijklmnopqrstuu6rixEKGOItKC5i1MvdHHlmR36LXX0vG"
    let platform = try await AuthHost("platform")
    _ = try await platform.signUp()
    try await platform.host.execute(
      "UPDATE auth_accounts SET password = '\(hash)', password_kind = '$2b$04$'")
    for password in [right.prefix(72) + "WRONG", right.prefix(72), right[...]] {
      #expect(try await platform.signIn("ada@example.com", String(password)).status == 201)
    }
    #expect(try await platform.host.execute("SELECT password FROM auth_accounts") == [[hash]])
    #expect(try await platform.signIn("ada@example.com", String(right.prefix(71))).status == 401)
    try await platform.host.close()
  }

  @Test(arguments: [
    ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"),
    ("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"),
    ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", ""),
  ])
  func `of bcrypt is that of other programs`(hash: String, password: String) throws {
    #expect(PasswordHash(kept: hash).kind == "$2b$05$")
    #expect(try PasswordHash(kept: hash).matches(password))
    #expect(try !PasswordHash(kept: hash).matches(password + "x"))
    #expect(try !PasswordHash(kept: hash).matches(password + "\0"))
  }

  @Test(arguments: [
    "", "$2a$05$short", "$1$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2a$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC!E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
  ])
  func `is taken over in no other form`(hash: String) {
    #expect(BcryptHash(hash) == nil)
  }

}
