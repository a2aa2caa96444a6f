internal import PluginKit

/// What a plugin asks to be sent (`services/mailer.h`).
struct Mail: Codable {
  static let subjectLimit = 200
  static let textLimit = 65_536
  static let htmlLimit = 262_144
  static let keyLimit = 64

  var to: String
  var subject: String
  var text: String
  var html: String?
  var category: String
  /// What whoever asks knows the message by, so that asking twice sends once; nil for no such thing.
  var key: String?
  /// What stands where subject, text and html say `{name}`, by name: texts of others' making, in which nothing is replaced.
  var values: [String: String]?

  /// Refuses what makes no message.
  ///
  /// - Throws: `HostError` `.invalid` with the member that is wrong.
  func check() throws {
    func refuse(_ words: String) -> HostError { HostError(.invalid, words) }
    guard Mailbox.isAddress(to) else { throw refuse("to is no address such as name@example.com") }
    let scalars = subject.unicodeScalars
    guard (1...Mail.subjectLimit).contains(scalars.count) else {
      throw refuse("subject has 1 to \(Mail.subjectLimit) characters")
    }
    // A line break here would begin another header field.
    guard
      !scalars.contains(where: Mail.endsLineOrIsControl)
    else { throw refuse("subject has a control character") }
    guard text.utf8.count <= Mail.textLimit else {
      throw refuse("text has at most \(Mail.textLimit) bytes")
    }
    guard (html?.utf8.count ?? 0) <= Mail.htmlLimit else {
      throw refuse("html has at most \(Mail.htmlLimit) bytes")
    }
    let isCategory =
      (1...40).contains(category.utf8.count) && category.utf8.first.map(Mail.isLetter) == true
      && category.utf8.allSatisfy {
        Mail.isLetter($0) || (0x30...0x39).contains($0) || "_.-".utf8.contains($0)
      }
    guard isCategory else { throw refuse("category is not [a-z][a-z0-9_.-]{0,39}") }
    try checkValues()
    guard let key else { return }
    guard (1...Mail.keyLimit).contains(key.utf8.count),
      key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      throw refuse("key has 1 to \(Mail.keyLimit) printable characters of ASCII, and no space")
    }
  }

  /// The same with the product's name and the values where they are to stand.
  func naming(_ product: String) -> Mail {
    var values = values ?? [:]
    values[Template.product] = product
    var mail = self
    mail.values = nil
    mail.subject = Template.filled(subject, with: values)
    mail.text = Template.filled(text, with: values)
    mail.html = html.map { Template.filled($0, with: values.mapValues(Mail.escaped)) }
    return mail
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }

  /// Line and paragraph separators are no control characters, and end a line all the same.
  static func endsLineOrIsControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value == 0x2028 || scalar.value == 0x2029
      || scalar.properties.generalCategory == .control
  }
}

/// What it is answered.
struct MailAnswer: Codable {
  var id: String
}
