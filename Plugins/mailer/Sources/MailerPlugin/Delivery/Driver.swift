internal import Synchronization

/// A way out for messages.
protocol Driver: Sendable {
  /// How long one attempt may take, in milliseconds.
  var patience: Int64 { get }

  /// Has one message delivered. [worker-thread]
  ///
  /// - Parameter interruption: set from elsewhere when the attempt is to be broken off at once.
  func deliver(_ letter: Letter, until interruption: Interruption) -> Outcome
}

/// A message with its envelope.
struct Letter: Sendable {
  var id: String
  var sender: String
  var recipient: String
  var bytes: [UInt8]
}

/// What an attempt came to.
enum Outcome: Sendable, Equatable {
  case delivered
  /// Not now: another attempt may do it.
  case later(String)
  /// Never: the other side has refused the message or its address for good.
  case never(String)
  case interrupted
}

/// Says to a worker's thread that nobody waits any more.
final class Interruption: Sendable {
  private let flag = Atomic<Bool>(false)

  /// [any-thread]
  var isSet: Bool { flag.load(ordering: .relaxed) }

  /// [any-thread]
  func set() { flag.store(true, ordering: .relaxed) }
}
