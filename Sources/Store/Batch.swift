/// A write: everything in it is committed together and durable, or none of it is.
public struct Batch: Sendable, Equatable {
  /// The most statements and the most events that one batch may hold.
  public static let maximumStatements = 256
  /// Beyond is ``StoreError/Code/tooLarge``, as with statements.
  public static let maximumEvents = 256

  /// Who writes: `notes` may touch what is called `notes_…` and nothing else. See ``Owner``.
  public var owner: String
  /// In the order in which they run, in one transaction.
  public var statements: [Statement]
  /// In the order of their sequences. They are handed to ``StoreOptions/onCommitted`` after the COMMIT.
  public var events: [OutboxEvent]
  /// The delivery that this batch is the effect of.
  public var advance: CursorAdvance?
  /// The request that this batch is the effect of, where it may be repeated.
  public var request: RequestRecord?

  /// Nothing is checked before the batch is submitted.
  public init(
    owner: String, statements: [Statement], events: [OutboxEvent] = [],
    advance: CursorAdvance? = nil, request: RequestRecord? = nil
  ) {
    self.request = request
    self.owner = owner
    self.statements = statements
    self.events = events
    self.advance = advance
  }

  /// The bytes that waiting for its turn costs, approximately.
  var cost: Int {
    var bytes = 128
    for statement in statements {
      bytes += 64 + statement.sql.utf8.count
      for bind in statement.binds {
        bytes += 48
        switch bind.value {
        case .value(.text(let text)): bytes += text.utf8.count
        case .value(.blob(let blob)): bytes += blob.count
        case .value, .reference: break
        }
      }
    }
    for event in events { bytes += 160 + event.data.count }
    return bytes
  }
}

/// Moves a listener's cursor in the same transaction as the effects of what it heard, which makes
/// those effects happen exactly once.
public struct CursorAdvance: Sendable, Equatable {
  /// Who listens, a name of the caller's choosing; unique in the tenant.
  public var listener: String
  /// The sequence of the last event dealt with. The listener must have a cursor below it, else
  /// the batch ends with ``StoreError/Code/conflict`` and no statement's index. It is checked
  /// before the statements run.
  public var sequence: Int64

  /// - Parameter sequence: of the last event dealt with, from 1.
  public init(listener: String, sequence: Int64) {
    self.listener = listener
    self.sequence = sequence
  }
}

/// What a committed batch answers.
public struct BatchReply: Sendable, Equatable {
  /// The rows of every statement, then the events' positions and the epoch.
  public var rows: RowBlock
  /// Where each event of the batch now stands, in the batch's order.
  public var events: [EventPosition]
  /// Of the tenant's file. Offsets of different epochs do not compare.
  public var epoch: String
}
