/// What making one argon2id hash costs (RFC 9106 §3.1).
struct HashCost: Sendable, Equatable {
  /// KiB.
  var memory: UInt32
  /// Over the memory.
  var passes: UInt32
  /// Threads of one hash, which share the memory.
  var lanes: UInt32

  /// OWASP's floor, in 26 ms of a core.
  static let standard = HashCost(memory: 19_456, passes: 2, lanes: 1)

  /// Memory and passes that resist alike, by OWASP's table: what is set has at least what one of them has.
  static let least: [(memory: UInt32, passes: UInt32)] = [
    (47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5),
  ]
  /// KiB times passes: about a second of a core, so that a full queue is worked off in a minute.
  static let most: UInt32 = 1_048_576

  /// Why it is not taken; nil when it is.
  var refusal: String? {
    guard HashCost.least.contains(where: { memory >= $0.memory && passes >= $0.passes }) else {
      let table = HashCost.least.map { "\($0.memory) with argon2_passes \($0.passes)" }
      return "\(memory) KiB with argon2_passes \(passes) is too weak: at least "
        + table.joined(separator: ", or ") + "."
    }
    guard UInt64(memory) * UInt64(passes) <= HashCost.most else {
      return "\(memory) KiB with argon2_passes \(passes) keeps sign-ins waiting: "
        + "their product is at most \(HashCost.most)."
    }
    return nil
  }

  /// What hashes of this cost begin with.
  var kind: String { "$argon2id$v=19$m=\(memory),t=\(passes),p=\(lanes)$" }
}
