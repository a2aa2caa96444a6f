internal import CSluice

extension ShardContext {
  /// What the tenant's events of a type are called on sockets, as their owner's manifest has it: `sluice.event-names/1`.
  /// nil where they have no name but their type, or the extension is not granted. Loop thread only.
  public func socketName(ofEvent type: String) -> String? {
    guard let (names, host) = link.find("sluice.event-names/1", sluice_event_names_v1_t.self) else {
      return nil
    }
    var name = sluice_slice_t.absent
    let status = type.withSlice { names.pointee.socket_name(host, $0, &name) }
    return status == SLUICE_OK ? name.text : nil
  }
}
