internal import CSluice

/// `sluice.groups/1`: one message to many connections. Loop thread only.
public struct Groups {
  unowned(unsafe) let context: ShardContext

  /// A new, empty group.
  ///
  /// - Throws: `ExtensionUnavailable`; `HostError` `.overloaded` when the shard has 65,536 groups.
  public func make() throws -> Group {
    let (groups, host) = try context.groupsTable()
    let token = groups.pointee.create(host)
    guard token != 0 else {
      throw HostError(.overloaded, "The shard has too many groups.")
    }
    return Group(shard: context, token: token)
  }
}

/// A set of connections of this shard. What is sent to it is framed once and shared by its members.
/// A connection that ends leaves by itself. Once destroyed every call answers `.stale`.
public struct Group: Hashable {
  unowned(unsafe) let shard: ShardContext
  /// The number by which the host knows the group.
  public let token: UInt64

  /// Adds a connection; it receives what is sent from now on. Twice is once.
  @discardableResult
  public func add(_ connection: Connection) -> Status {
    call { $0.add($1, token, connection.token) }
  }

  /// Removes a connection; `.notFound` if it is no member.
  @discardableResult
  public func remove(_ connection: Connection) -> Status {
    call { $0.remove($1, token, connection.token) }
  }

  /// Sends to every member.
  @discardableResult
  public func send(_ text: String) -> Status {
    text.withSlice { text in call { $0.send($1, token, SLUICE_MESSAGE_TEXT, text) } }
  }

  /// Sends borrowed bytes to every member.
  @discardableResult
  public func send(_ bytes: Bytes, as kind: Message.Kind) -> Status {
    call { $0.send($1, token, kind.rawValue, bytes.slice) }
  }

  /// Sends bytes to every member; `.text` must be valid UTF-8.
  @discardableResult
  public func send(_ bytes: [UInt8], as kind: Message.Kind) -> Status {
    bytes.withSlice { bytes in call { $0.send($1, token, kind.rawValue, bytes) } }
  }

  /// How many members there are.
  public var count: Int {
    guard let (groups, host) = try? shard.groupsTable() else { return 0 }
    return Int(clamping: groups.pointee.count(host, token))
  }

  /// Forgets the group; its members stay connected.
  @discardableResult
  public func destroy() -> Status {
    call { $0.destroy($1, token) }
  }

  private func call(
    _ function: (sluice_groups_v1_t, UnsafePointer<sluice_host_v1_t>) -> sluice_status_t
  ) -> Status {
    guard let (groups, host) = try? shard.groupsTable() else { return .unsupported }
    return Status(rawValue: function(groups.pointee, host))
  }

  public static func == (a: Group, b: Group) -> Bool { a.token == b.token }

  public func hash(into hasher: inout Hasher) { hasher.combine(token) }
}
