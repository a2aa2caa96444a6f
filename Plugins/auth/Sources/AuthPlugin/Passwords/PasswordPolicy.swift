internal import PluginKit

/// Which passwords are taken: those that nobody guesses first. There are no rules of composition, which make passwords worse (NIST SP
/// 800-63B §5.1.1.2).
struct PasswordPolicy: Sendable {
  /// In Unicode scalars, as the manifest's schema counts.
  static let lengths = 8...128

  /// The operator's list; nil without one.
  let breached: BreachedPasswords?

  init(_ settings: AccountSettings) {
    let path = settings.breachedPasswordsFile
    breached = path.isEmpty ? nil : BreachedPasswords(path: path)
  }

  /// Why a password is not taken; nil when it is. [worker-thread, for the operator's list is a file]
  ///
  /// - Parameters:
  ///   - email: of the account, in lower case.
  ///   - name: of its owner.
  func refusal(of password: String, email: String, name: String) -> String? {
    let count = password.unicodeScalars.count
    guard PasswordPolicy.lengths.contains(count) else {
      return "A password has \(PasswordPolicy.lengths.lowerBound) to "
        + "\(PasswordPolicy.lengths.upperBound) characters."
    }
    // As it is written, and as it is read.
    let readings = Set([password, FoldedText.of(password)])
    let words = PasswordPolicy.words(of: email, name)
      .union(PasswordPolicy.words(of: FoldedText.of(email), FoldedText.of(name)))
    let likeness = LikenessToOwner(words: words)
    if readings.contains(where: {
      PasswordPolicy.isSimilar($0, toAnyOf: words) || likeness.isMainPart(of: $0)
    }) {
      return "It is too much like the name or the e-mail address. Choose another one."
    }
    if readings.contains(where: { CommonPasswords.contains($0) || breached?.contains($0) == true })
    {
      return "It is among the passwords that are tried first. Choose another one."
    }
    return nil
  }

  /// Whether the operator's list can be looked into; true where there is none. [worker-thread]
  var seesBreached: Bool { breached?.refusal == nil }

  /// What somebody who knows the owner would begin with.
  private static func words(of email: String, _ name: String) -> Set<[Unicode.Scalar]> {
    let halves = email.split(separator: "@")
    let local = halves.first.map(String.init) ?? ""
    let domain = halves.last?.split(separator: ".").first.map(String.init) ?? ""
    let pieces =
      local.split { !$0.isLetter && !$0.isNumber }.map(String.init)
      + name.split { !$0.isLetter && !$0.isNumber }.map(String.init)
    return Set(([email, local, domain, name] + pieces).map(letters).filter { $0.count >= 3 })
  }

  /// Whether little is left of the password when the word is taken out of it, forwards or backwards.
  private static func isSimilar(
    _ password: String, toAnyOf words: Set<[Unicode.Scalar]>
  ) -> Bool {
    let password = letters(of: password)
    guard !password.isEmpty else { return false }
    return words.contains { word in
      guard password.count - word.count < 4 else { return false }
      let backwards = Array(word.reversed())
      return password.contains(word) || password.contains(backwards)
    }
  }

  /// Letters and digits alone, in lower case.
  private static func letters(of text: String) -> [Unicode.Scalar] {
    text.lowercased().unicodeScalars.filter {
      $0.properties.isAlphabetic || $0.properties.numericType != nil
    }
  }
}
