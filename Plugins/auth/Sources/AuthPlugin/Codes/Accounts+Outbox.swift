internal import PluginKit

/// Letters that are handed to the mailer until it has taken them: a letter is committed with its code, so neither a crash nor a mailer whose
/// queue is full loses it. The mailer knows a letter that comes again by its key.
struct Outbox {
  /// How long a letter that is being handed over is left to whoever does it, in milliseconds.
  fileprivate static let lease: Int64 = 10_000
  /// The pause after the mailer, or the store, has refused, in milliseconds.
  fileprivate static let pause: Int64 = 10_000

  fileprivate var isAtWork = false
  /// Whether letters may have come since it was last looked.
  fileprivate var isBehind = false
  fileprivate var timer: Timer?

  /// A letter that this loop hands over.
  fileprivate struct Claimed: Decodable {
    var id: String
    var account: String
    var purpose: String
    /// Where it goes; nil is the account's address.
    var address: String?
    /// Until when it is left to this loop.
    var due: Timestamp

    enum CodingKeys: String, CodingKey {
      case id, purpose, address
      case account = "account_id"
      case due = "due_at"
    }
  }
}

extension Accounts {
  /// Looks for letters now, or as soon as those that are being handed over are; behind the answer of whoever asks.
  func handOverLetters() {
    outbox.isBehind = true
    guard !outbox.isAtWork else { return }
    outbox.isAtWork = true
    context.spawn { [self] in
      defer { outbox.isAtWork = false }
      do {
        while outbox.isBehind {
          outbox.isBehind = false
          try await handOverAllDue()
        }
      } catch {
        guard context.isOpen else { return }
        context.log.warning("letters wait for the mailer", ["error": "\(error)"])
        lookAgain(in: Outbox.pause)
      }
    }
  }

  private func handOverAllDue() async throws {
    while let due = try await nextLetterDue() {
      let pause = due.unixMilliseconds - (try now().unixMilliseconds)
      guard pause <= 0 else { return lookAgain(in: pause) }
      // Nothing, where another loop was first.
      if let letter = try await claimLetter() { try await handOver(letter) }
    }
  }

  private func nextLetterDue() async throws -> Timestamp? {
    let rows = try await context.store.read(
      """
      SELECT due_at FROM auth_letters WHERE due_at IS NOT NULL AND expires_at > \(try now())
      ORDER BY due_at LIMIT 1
      """)
    return try rows.first?["due_at", Timestamp.self]
  }

  private func claimLetter() async throws -> Outbox.Claimed? {
    let now = try now()
    let commit = try await context.store.commit {
      SQL(
        """
        UPDATE auth_letters SET due_at = \(now.adding(milliseconds: Outbox.lease))
        WHERE due_at IS NOT NULL AND id = (SELECT id FROM auth_letters
          WHERE due_at <= \(now) AND expires_at > \(now) ORDER BY due_at, id LIMIT 1)
        RETURNING id, account_id, purpose, address, due_at
        """)
    }
    return try commit.statements[0].first?.decode(Outbox.Claimed.self)
  }

  private func handOver(_ letter: Outbox.Claimed) async throws {
    do {
      if let message = try await message(of: letter) { try await send(message) }
    } catch let error as HostError where error.status == .invalid {
      // It would be refused again.
      context.log.error("the mailer does not take a letter", ["error": "\(error)"])
    } catch {
      try await settle(letter, due: try now().adding(milliseconds: Outbox.pause))
      throw error
    }
    try await settle(letter, due: nil)
  }

  /// What the mailer is given; nil where the letter is nobody's any more.
  private func message(of letter: Outbox.Claimed) async throws -> Letter? {
    if let notice = Notice(rawValue: letter.purpose), let address = letter.address {
      return notice.letter(to: address, key: "auth.\(letter.id)")
    }
    guard let purpose = OneTimeCode.Purpose(rawValue: letter.purpose) else { return nil }
    return try await message(
      of: letter.id, to: letter.account, purpose, address: letter.address)
  }

  /// Says when a letter is to be handed over next, unless another loop has claimed it meanwhile.
  private func settle(_ letter: Outbox.Claimed, due: Timestamp?) async throws {
    try await context.store.commit {
      SQL(
        "UPDATE auth_letters SET due_at = \(due) WHERE id = \(letter.id) AND due_at = \(letter.due)"
      )
    }
  }

  private func lookAgain(in milliseconds: Int64) {
    if let timer = outbox.timer { context.timers.cancel(timer) }
    outbox.timer = try? context.timers.after(milliseconds: Int(clamping: milliseconds)) {
      [self] in
      outbox.timer = nil
      handOverLetters()
    }
  }
}
