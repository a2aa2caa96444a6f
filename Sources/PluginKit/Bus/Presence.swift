internal import CSluice

/// `sluice.presence/1`: who is in a channel, on whichever loop. Loop thread only.
///
/// A member is there until `leave`, and no longer than the shard that brought it in.
public struct Presence {
  /// The type of the ephemeral event that tells of an announced member that has come; its data is the member's `info`.
  public static let joined: StaticString = "sluice.presence.joined"
  /// The same of one that has gone.
  public static let left: StaticString = "sluice.presence.left"

  /// A client that is in a channel.
  public struct Member: Sendable {
    /// Its name among the channel's members.
    public let client: String
    /// Who it is.
    public let user: String
    /// As it was given.
    public let info: RawJSON
    /// When it came.
    public let joinedAt: Timestamp
  }

  unowned(unsafe) let context: ShardContext

  /// Brings a member in.
  ///
  /// - Parameters:
  ///   - client: its name among the channel's members, 1 to 255 bytes.
  ///   - user: who it is, 1 to 255 bytes.
  ///   - info: at most 4 KiB.
  ///   - isAnnounced: whether the channel's subscribers are told when it comes and goes.
  /// - Throws: `HostError` `.conflict` when the channel has a member of that name, `.overloaded` when the
  ///   tenant has a million; `ExtensionUnavailable`.
  public func join(
    _ channel: String, client: String, user: String, info: RawJSON = "{}",
    isAnnounced: Bool = false
  ) throws {
    let (presence, host) = try table()
    try context.check(
      channel.withSlice { channel in
        client.withSlice { client in
          user.withSlice { user in
            info.bytes.withSlice {
              presence.pointee.join(
                host, channel, client, user, $0, isAnnounced ? SLUICE_PRESENCE_ANNOUNCE : 0)
            }
          }
        }
      }, "join")
  }

  /// Lets a member go that this shard brought in; one that is not there is ignored.
  public func leave(_ channel: String, client: String) {
    guard let (presence, host) = try? table() else { return }
    _ = channel.withSlice { channel in
      client.withSlice { presence.pointee.leave(host, channel, $0) }
    }
  }

  /// Members in the order of their names, those above `after`.
  ///
  /// - Parameter limit: 1 to 1,000.
  public func members(
    of channel: String, after: String? = nil, limit: Int = 1_000
  ) async throws -> [Member] {
    let (presence, host) = try table()
    let block = try await context.call { completion, call in
      channel.withSlice { channel in
        after.withSlice {
          presence.pointee.list(host, channel, $0, UInt32(clamping: limit), completion, call)
        }
      }
    }
    guard let rows = try RowBlock(block).statements.first else { return [] }
    return try rows.map { row in
      Member(
        client: try row["client", String.self], user: try row["user", String.self],
        info: try row["info", RawJSON.self],
        joinedAt: Timestamp(unixMilliseconds: try row["joined_ms", Int64.self]))
    }
  }

  /// How many clients there are, and how many users behind them.
  public func stats(of channel: String) async throws -> (clients: Int, users: Int) {
    let (presence, host) = try table()
    let block = try await context.call { completion, call in
      channel.withSlice { presence.pointee.stats(host, $0, completion, call) }
    }
    guard let row = try RowBlock(block).statements.first?.first else { return (0, 0) }
    return (try row["clients", Int.self], try row["users", Int.self])
  }

  private func table() throws -> HostFunctions<sluice_presence_v1_t> {
    try context.link.require("sluice.presence/1", sluice_presence_v1_t.self)
  }
}
