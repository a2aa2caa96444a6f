internal import CSluice

/// `sluice.event-names/1` (ext/event-names.h).
enum EventNamesBridge {
  static let table = PermanentTable(
    sluice_event_names_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_event_names_v1_t>.size), reserved: 0,
      socket_name: { host, type, target in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard let set = shard.set else { return SLUICE_E_WRONG_STATE }
        guard let name = set.socketNames[String(type)] else { return SLUICE_E_NOT_FOUND }
        target.pointee = sluice_slice_t(UnsafeRawBufferPointer(name))
        return SLUICE_OK
      }))

  /// As ``table``; the function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_event_names_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_event_names_v1_t>.size), reserved: 0,
      socket_name: { host, type, target in
        CallCheck.onLoop(host, "sluice.event-names/1 socket_name")
          ?? table.pointer.pointee.socket_name(host, type, target)
      }))
}

/// The names on sockets of a set's events, in memory that plugins borrow for as long as the set lives.
final class SocketNames {
  private var names: [String: UnsafeMutableRawBufferPointer] = [:]

  init(of manifests: some Sequence<PluginManifest>) {
    for manifest in manifests {
      for event in manifest.emits {
        guard let name = event.socketName, names[event.type] == nil else { continue }
        let bytes = Array(name.utf8)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        memory.copyBytes(from: bytes)
        names[event.type] = memory
      }
    }
  }

  deinit {
    for name in names.values { name.deallocate() }
  }

  subscript(type: String) -> UnsafeMutableRawBufferPointer? { names[type] }
}
