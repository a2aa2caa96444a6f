internal import CSluice

/// An event that one of the tenant's plugins may emit, as its manifest says. Any thread.
public struct EventType: Decodable, Sendable {
  /// Such as "notes.item.created".
  public let type: String
  /// The id of the plugin that emits it.
  public let plugin: String
  /// Whether it is told to sockets alone and never stored: no listener hears it.
  public let isEphemeral: Bool
  /// What it is called on sockets, where it has such a name.
  public let socketName: String?
  /// The JSON Schema of its data, whose `examples` are such data.
  public let schema: RawJSON

  private enum CodingKeys: String, CodingKey {
    case type, plugin, schema
    case isEphemeral = "ephemeral"
    case socketName = "socket_name"
  }
}

extension ShardContext {
  /// The events that the tenant's plugins may emit, in the order of their types: `sluice.event-types/1`. Loop thread only.
  ///
  /// - Throws: `ExtensionUnavailable`; `HostError` when the shard is closed.
  public func eventTypes() throws -> [EventType] {
    let (types, host) = try link.require("sluice.event-types/1", sluice_event_types_v1_t.self)
    return try JSON.decode(from: Array(types.pointee.list(host).text.utf8))
  }
}
