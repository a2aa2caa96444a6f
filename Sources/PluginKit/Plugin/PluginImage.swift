internal import CSluice
internal import Glibc
internal import Synchronization

/// The plugins of this image.
///
/// A shared object holds one plugin, and functions of the contract that have no context of their own
/// (`create`, `resolve`, `get_extension`) mean that one. A test process may hold several: then
/// `PluginTesting` says which is meant while it makes such a call.
@_spi(PluginTesting)
public enum PluginImage {
  private struct Entry: @unchecked Sendable {
    let type: ObjectIdentifier
    // Written once and never freed, so any thread may read what it points at.
    let table: UnsafePointer<sluice_plugin_v1_t>
    let plugin: LoadedPlugin
  }

  private static let entries = Mutex<[Entry]>([])

  private static let choice: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()

  static func table<P: Plugin>(
    of type: P.Type, id: StaticString, version: StaticString
  ) -> UnsafePointer<sluice_plugin_v1_t> {
    let key = ObjectIdentifier(type)
    let entry = entries.withLock { entries in
      if let known = entries.first(where: { $0.type == key }) { return known }
      let table = UnsafeMutablePointer<sluice_plugin_v1_t>.allocate(capacity: 1)
      table.initialize(to: entryTable(id: id, version: version))
      let entry = Entry(type: key, table: UnsafePointer(table), plugin: LoadedPlugin(type))
      entries.append(entry)
      return entry
    }
    return entry.table
  }

  /// The plugin that a call without a context means.
  static var current: LoadedPlugin? {
    if let chosen = pthread_getspecific(choice) {
      return Unmanaged<LoadedPlugin>.fromOpaque(chosen).takeUnretainedValue()
    }
    return entries.withLock { $0.first?.plugin }
  }

  /// Has calls of this thread without a context mean `type`, whose table has been asked for, while
  /// `body` runs.
  public static func choosing<P: Plugin, Value>(
    _ type: P.Type, _ body: () throws -> Value
  ) rethrows -> Value {
    let key = ObjectIdentifier(type)
    let plugin = entries.withLock { entries in entries.first { $0.type == key }?.plugin }
    let before = pthread_getspecific(choice)
    // The list of entries keeps the plugin for ever.
    pthread_setspecific(choice, plugin.map { Unmanaged.passUnretained($0).toOpaque() })
    defer { pthread_setspecific(choice, before) }
    return try body()
  }
}
