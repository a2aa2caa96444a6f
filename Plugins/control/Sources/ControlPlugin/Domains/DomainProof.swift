internal import PluginKit
internal import Synchronization

/// What shows that a host name is an app's: a TXT record beneath it, which only whoever has the name can make.
struct DomainProof: Codable {
  /// The record to make.
  struct Record: Codable {
    var type = "TXT"
    var name: String
    var value: String
  }

  var record: Record
  /// How often it was looked for.
  var checks: Int64
  var checkedAt: Timestamp?
  /// When the host name is forgotten, if it is not proven by then. Nil in records of before.
  var expiresAt: Timestamp?
  /// Why it was not found the last time.
  var failure: String?

  enum CodingKeys: String, CodingKey {
    case record, checks, failure
    case checkedAt = "checked_at"
    case expiresAt = "expires_at"
  }

  /// How long an app waits between two looks, in milliseconds.
  static let pause: Int64 = 5_000
  static let tokenLength = 20

  init(
    host: String, token: String, expiresAt: Timestamp, checks: Int64 = 0,
    checkedAt: Timestamp? = nil, failure: String? = nil
  ) {
    record = Record(name: "_sluice-challenge." + host, value: "sluice-domain=" + token)
    self.checks = checks
    self.checkedAt = checkedAt
    self.expiresAt = expiresAt
    self.failure = failure
  }

  /// Why an answer of the DNS is no proof; nil when it is one.
  func refusal(of answer: NameServer.Answer) -> String? {
    switch answer {
    case .texts(let texts) where texts.contains(record.value): nil
    case .texts(let texts):
      "\(record.name) has \(texts.count) TXT record\(texts.count == 1 ? "" : "s"), and none is "
        + record.value + "."
    case .nothing: "\(record.name) has no TXT record, or none that is known everywhere yet."
    case .silence: "No name server has answered for \(record.name). Try again later."
    }
  }
}

/// Looks for records that are under way, over all loops: each may wait for seconds, in a thread that others wait for. [any-thread]
final class ProofDesk: Sendable {
  /// One less than the manifest's `limits.worker_threads`: the audit log has one to itself.
  static let lookups = 4

  private let accounts = Mutex<Set<String>>([])

  /// Whether an account may have one made now, which ends with `leave`.
  func enter(_ account: String) -> Bool {
    accounts.withLock { accounts in
      guard accounts.count < ProofDesk.lookups else { return false }
      return accounts.insert(account).inserted
    }
  }

  func leave(_ account: String) {
    accounts.withLock { accounts in _ = accounts.remove(account) }
  }
}
