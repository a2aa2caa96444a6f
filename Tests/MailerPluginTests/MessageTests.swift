import PluginKit
import Testing

@testable import MailerPlugin

@Suite struct `A message` {
  private func lines(
    _ mail: Mail, name: String = "Sluice", at time: Timestamp = MailerHost.start
  ) -> [String] {
    let text = MessageText(
      mail, id: "msg_1", from: "no-reply@example.com", name: name, at: time)
    let all = String(decoding: text.bytes, as: UTF8.self)
    #expect(all.hasSuffix("\r\n"))
    #expect(all.replacing("\r\n", with: "").utf8.allSatisfy { $0 != 13 && $0 != 10 })
    let lines = all.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    for line in lines {
      #expect(line.utf8.count <= 76)
      #expect(line.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    }
    return lines.dropLast()
  }

  @Test func `is one of RFC 5322 with one part`() {
    #expect(
      lines(MailerHost.mail()) == [
        "Date: Thu, 01 Jan 2026 00:00:00 +0000", "From: Sluice <no-reply@example.com>",
        "To: <ada@example.com>", "Subject: Hello", "Message-ID: <msg_1@example.com>",
        "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable",
        "",
        "Hello, Ada.",
      ])
  }

  @Test func `has its text and its HTML as alternatives`() {
    let lines = lines(MailerHost.mail(html: "<p>Hello</p>"))
    #expect(lines.contains(#"Content-Type: multipart/alternative; boundary="=_msg_1""#))
    #expect(lines.filter { $0 == "--=_msg_1" }.count == 2)
    #expect(lines.last == "--=_msg_1--")
    #expect(lines.contains("Content-Type: text/html; charset=utf-8"))
    #expect(lines.contains("<p>Hello</p>"))
  }

  @Test(arguments: [
    ("Sluice", "Sluice"), ("Ada & Co", "Ada & Co"), ("Acme, Inc.", #""Acme, Inc.""#),
    (#"A "B" \ C"#, #""A \"B\" \\ C""#), ("Bücher", "=?utf-8?B?QsO8Y2hlcg==?="),
    ("=?x", "=?utf-8?B?PT94?="), ("a  b", #""a  b""#),
  ])
  func `names its sender in a way that every reader understands`(name: String, written: String) {
    #expect(
      lines(MailerHost.mail(), name: name).contains("From: \(written) <no-reply@example.com>"))
  }

  @Test func `puts the address on a line of its own behind a long name`() {
    let lines = lines(MailerHost.mail(), name: String(repeating: "Bücher ", count: 10) + "abcdef")
    #expect(lines.contains(" <no-reply@example.com>"))
  }

  /// RFC 2047 §2 and §5: words of at most 75 characters, none ending inside of a character.
  @Test func `folds a long subject into encoded words`() {
    let subject = String(repeating: "Grüße 🎉 ", count: 20)
    let all = lines(MailerHost.mail(subject: subject))
    let start = all.firstIndex { $0.hasPrefix("Subject: ") } ?? 0
    var words = [String(all[start].dropFirst("Subject: ".count))]
    for line in all[(start + 1)...].prefix(while: { $0.hasPrefix(" ") }) {
      words.append(String(line.dropFirst()))
    }
    #expect(words.count > 3)
    #expect(words.allSatisfy { $0.hasPrefix("=?utf-8?B?") && $0.hasSuffix("?=") && $0.count <= 75 })
  }

  /// RFC 2045 §6.7.
  @Test(arguments: [
    ("", [""]), ("a=b", ["a=3Db"]), ("ü", ["=C3=BC"]), ("tab\t", ["tab=09"]), ("end ", ["end=20"]),
    ("a b", ["a b"]), ("one\ntwo", ["one", "two"]), ("one\r\ntwo\rthree", ["one", "two", "three"]),
    ("a\n\nb", ["a", "", "b"]), ("\u{0}", ["=00"]),
    (String(repeating: "x", count: 76), [String(repeating: "x", count: 76)]),
    (
      String(repeating: "x", count: 77),
      [String(repeating: "x", count: 75) + "=", "xx"]
    ),
  ])
  func `writes its text as quoted-printable`(text: String, lines: [String]) {
    #expect(QuotedPrintable.lines(of: text) == lines)
  }

  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 +0000"), (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 +0000"),
    (1_798_761_599_999, "Thu, 31 Dec 2026 23:59:59 +0000"),
  ])
  func `is dated as RFC 5322 writes it`(milliseconds: Int64, text: String) {
    #expect(MailDate.text(of: Timestamp(unixMilliseconds: milliseconds)) == text)
  }

  @Test func `is refused when it could say more than it should`() {
    let refused: [Mail] = [
      MailerHost.mail(to: "ada@example.com\r\nBcc: eve@example.com"),
      MailerHost.mail(to: "ada@example.com>, <eve@example.com"), MailerHost.mail(to: "ada"),
      MailerHost.mail(to: "a b@example.com"), MailerHost.mail(to: "ada@@example.com"),
      MailerHost.mail(to: "ada@example.com\0"), MailerHost.mail(subject: ""),
      MailerHost.mail(subject: "Hi\r\nBcc: eve@example.com"), MailerHost.mail(subject: "Hi\nX: y"),
      MailerHost.mail(subject: "Hi\u{2028}X: y"), MailerHost.mail(subject: "Hi\u{85}X: y"),
      MailerHost.mail(subject: String(repeating: "s", count: 201)),
      MailerHost.mail(text: String(repeating: "t", count: 65_537)),
      MailerHost.mail(html: String(repeating: "h", count: 262_145)),
      MailerHost.mail(category: "Greeting"), MailerHost.mail(category: ""),
      MailerHost.mail(category: String(repeating: "c", count: 41)),
      MailerHost.mail().with { $0.key = "" }, MailerHost.mail().with { $0.key = "auth. x" },
      MailerHost.mail().with { $0.key = String(repeating: "k", count: 65) },
    ]
    for mail in refused { #expect(throws: HostError.self) { try mail.check() } }
    #expect(throws: Never.self) {
      try MailerHost.mail(subject: String(repeating: "ß", count: 200), category: "a.b-c_1").check()
    }
  }

  @Test func `names the product, and escapes it in HTML`() {
    let mail = MailerHost.mail(
      subject: "{product}: hello", text: "From {product}.", html: "<b>{product}</b>")
    let named = mail.naming("A & <B>")
    #expect(named.subject == "A & <B>: hello")
    #expect(named.text == "From A & <B>.")
    #expect(named.html == "<b>A &amp; &lt;B&gt;</b>")
  }

  @Test func `replaces names in its own text, once, and nothing in values`() {
    let mail = MailerHost.mail(
      subject: "{inviter}", text: "{{inviter}} {app} {other} {product}{", html: "<p>{app}</p>",
      values: ["inviter": "{product}@example.com", "app": "<{inviter}> {app}"])
    let named = mail.naming("{app}")
    #expect(named.subject == "{product}@example.com")
    #expect(named.text == "{{product}@example.com} <{inviter}> {app} {other} {app}{")
    #expect(named.html == "<p>&lt;{inviter}&gt; {app}</p>")
    #expect(named.values == nil)
  }

  @Test(arguments: [
    ["product": "Other"], ["": "x"], ["a b": "x"], ["A": "x"],
    [String(repeating: "a", count: 41): "x"], ["a": String(repeating: "x", count: 257)],
    ["a": "x\r\nBcc: eve@example.com"], ["a": "x\u{2028}y"], ["a": "\u{0}"],
    Dictionary(uniqueKeysWithValues: "abcdefghijklmnopq".map { (String($0), "x") }),
  ])
  func `has values of one short line each`(values: [String: String]) {
    #expect(throws: HostError.self) { try MailerHost.mail(values: values).check() }
    #expect(throws: Never.self) {
      try MailerHost.mail(values: ["a_b": String(repeating: "ß", count: 256), "c": ""]).check()
    }
  }
}
