internal import CSluice

/// The host's table for one instance or one shard, and the extensions asked for through it.
///
/// It belongs to the thread of its owner (the control thread for an instance, the loop for a shard).
/// After `sever()` every extension is absent, so what outlives the host's table cannot reach it.
@usableFromInline
final class HostLink {
  private(set) var table: UnsafePointer<sluice_host_v1_t>?
  private var known: [(id: StaticString, pointer: UnsafeRawPointer?)] = []
  let tenant: String
  let plugin: String

  init(_ table: UnsafePointer<sluice_host_v1_t>) {
    self.table = table
    tenant = table.pointee.tenant.text
    plugin = table.pointee.plugin.text
  }

  func sever() {
    table = nil
    known = []
  }

  /// The extension called `id`; the host gives the same answer always, so it is asked once.
  func find<Table>(
    _ id: StaticString, _ type: Table.Type
  ) -> (UnsafePointer<Table>, UnsafePointer<sluice_host_v1_t>)? {
    guard let table else { return nil }
    let pointer: UnsafeRawPointer?
    if let entry = known.first(where: { $0.id.utf8Start == id.utf8Start }) {
      pointer = entry.pointer
    } else {
      pointer = UnsafeRawPointer(
        table.pointee.get_extension(
          table, UnsafeRawPointer(id.utf8Start).assumingMemoryBound(to: CChar.self)))
      known.append((id, pointer))
    }
    return pointer.map { ($0.assumingMemoryBound(to: Table.self), table) }
  }

  /// As `find`, for what the caller cannot do without.
  func require<Table>(
    _ id: StaticString, _ type: Table.Type
  ) throws -> (UnsafePointer<Table>, UnsafePointer<sluice_host_v1_t>) {
    if let found = find(id, type) { return found }
    guard table != nil else { throw HostError(.cancelled, "The shard is closed.") }
    throw ExtensionUnavailable("\(id)")
  }
}
