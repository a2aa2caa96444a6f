extension Batch {
  /// Checks what can be known without the database.
  func validate() throws(StoreError) {
    try Self.validate(owner: owner)
    guard statements.count <= Self.maximumStatements else {
      throw StoreError(
        .invalid, "\(statements.count) statements; at most \(Self.maximumStatements) are allowed")
    }
    guard events.count <= Self.maximumEvents else {
      throw StoreError(
        .invalid, "\(events.count) events; at most \(Self.maximumEvents) are allowed")
    }
    for (index, event) in events.enumerated() {
      func refuse(_ reason: String) -> StoreError {
        StoreError(.invalid, "event \(index): \(reason)")
      }
      guard !event.type.isEmpty else { throw refuse("its type is empty") }
      guard !event.id.isEmpty else { throw refuse("its id is empty") }
      guard event.channel != "" else { throw refuse("its channel is empty; use nil for none") }
      guard event.historySize >= 0, event.historyTTLSeconds >= 0 else {
        throw refuse("its history's size or time is negative")
      }
      if let replaced = event.replaced {
        guard event.channel != nil, (1...255).contains(replaced.utf8.count) else {
          throw refuse("it takes the place of others without a channel, or by an id that is none")
        }
      }
    }
    if let advance {
      guard (1...128).contains(advance.listener.utf8.count), advance.sequence > 0 else {
        throw StoreError(
          .invalid, "a cursor needs a listener of 1 to 128 bytes and a sequence above 0")
      }
    }
  }

  static func validate(owner: String) throws(StoreError) {
    guard Owner.isValid(owner) else {
      throw StoreError(
        .invalid,
        "\"\(owner.prefix(80))\" is no owner name: a letter, then up to 31 of a-z, 0-9 and _")
    }
  }
}
