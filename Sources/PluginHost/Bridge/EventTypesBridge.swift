internal import CSluice

/// `sluice.event-types/1` (ext/event-types.h).
enum EventTypesBridge {
  static let table = PermanentTable(
    sluice_event_types_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_event_types_v1_t>.size), reserved: 0,
      list: { host in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent, let set = shard.set else { return .absent }
        return sluice_slice_t(UnsafeRawBufferPointer(set.eventTypes.bytes))
      }))

  /// As ``table``; the function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_event_types_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_event_types_v1_t>.size), reserved: 0,
      list: { host in
        guard CallCheck.onLoop(host, "sluice.event-types/1 list") == nil else { return .absent }
        return table.pointer.pointee.list(host)
      }))
}

/// The events of a set's plugins as JSON, in memory that plugins borrow for as long as the set lives.
final class EventTypes {
  let bytes: UnsafeMutableRawBufferPointer

  init(of manifests: some Sequence<PluginManifest>) {
    let events = manifests.flatMap { manifest in manifest.emits.map { (manifest.id, $0) } }
      .sorted { $0.1.type < $1.1.type }
    let text = Array(ConfigValue.array(events.map { Self.shown($0.1, of: $0.0) }).json.utf8)
    bytes = .allocate(byteCount: text.count, alignment: 1)
    bytes.copyBytes(from: text)
  }

  deinit { bytes.deallocate() }

  private static func shown(_ event: EmittedEvent, of plugin: String) -> ConfigValue {
    var members: [ConfigValue.Member] = [
      .init("type", .string(event.type)), .init("plugin", .string(plugin)),
      .init("ephemeral", .boolean(event.isEphemeral)),
    ]
    if let name = event.socketName { members.append(.init("socket_name", .string(name))) }
    return .object(members + [.init("schema", event.schema.value)])
  }
}
