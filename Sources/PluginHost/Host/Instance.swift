internal import CSluice
internal import Client
internal import Store
internal import Synchronization

/// One plugin's instance for one tenant: created with settings that never change, destroyed when the last of its shards
/// is closed.
///
/// `@unchecked Sendable`: made and destroyed on the control thread; between the two nothing in it changes but `refusal` and
/// `folder`, which only the control thread touches, and `namespaces`, which is complete before any shard is opened.
final class Instance: @unchecked Sendable {
  let plugin: LoadedPlugin
  let tenant: String
  let granted: Set<Capability>
  let config: PermanentText
  let host: Host
  /// Whether calls of the plugin are checked (`debug.thread_checks`).
  let isChecked: Bool
  /// Where it is in its life; written by the control thread, for ``CallCheck`` on any thread.
  let life = Atomic<LifeState>(.loaded)
  /// The plugin's own word for the instance.
  private(set) var value: UInt64 = 0
  /// What the plugin said through `refuse` while `create` ran.
  var refusal: [SettingsProblem] = []
  /// What the plugin declared through `keep` while `create` ran.
  var namespaces: [String: HistoryBounds] = [:]
  /// The plugin's folder of files for the tenant, once it has asked; only the control thread touches it.
  var folder: PermanentText?
  private let names: HostTableNames
  private let table: UnsafeMutablePointer<sluice_host_v1_t>

  /// Creates the instance. [control-thread]
  ///
  /// - Throws: ``TenantFailure`` with the plugin's reason.
  init(_ plugin: LoadedPlugin, tenant: String, config: String, granted: Set<Capability>, host: Host)
    throws(TenantFailure)
  {
    self.plugin = plugin
    self.tenant = tenant
    self.granted = granted
    self.host = host
    isChecked = host.configuration.debug.threadChecks
    self.config = PermanentText(config)
    names = HostTableNames(plugin: plugin.manifest.id, tenant: tenant)
    table = .allocate(capacity: 1)
    table.initialize(to: names.table(context: 0, loop: SLUICE_NO_LOOP, loops: host.loopCount))
    table.pointee.context = UInt64(UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque()))
    table.pointee.get_extension = instanceExtension
    // Here and not with the first request, which is made on a loop.
    if granted.contains(.client) { HTTPClient.prepare() }
    let status = plugin.entry.pointee.create(table, &value)
    guard status == SLUICE_OK else {
      let reasons = refusal
      retire()
      throw TenantFailure(
        code: status == SLUICE_E_CONFIG ? .config : .plugin,
        message: "plugin \"\(plugin.manifest.id)\" cannot be created: "
          + (reasons.isEmpty
            ? "status \(status)" : reasons.map(\.description).joined(separator: "; ")),
        problems: reasons)
    }
    life.store(.created, ordering: .releasing)
  }

  /// Ends the instance; all its shards are closed. [control-thread]
  func destroy() {
    plugin.entry.pointee.destroy(value)
    retire()
  }

  /// As a shard's.
  private func retire() {
    life.store(.retired, ordering: .releasing)
    if isChecked {
      _ = Unmanaged.passRetained(self)
    } else {
      table.deallocate()
    }
  }
}

/// What is wrong with a tenant's settings for a plugin.
public struct SettingsProblem: Sendable, Hashable, CustomStringConvertible {
  /// An RFC 6901 pointer into the settings.
  public let pointer: String
  /// What is wrong there, and what would be right.
  public let message: String
  public var description: String { "\(pointer.isEmpty ? "/" : pointer): \(message)" }
}

/// Why a tenant cannot be served as it is, or as somebody wants it to be.
public struct TenantFailure: Error, Sendable, CustomStringConvertible {
  /// What sort of failure; the contract's status follows from it.
  public enum Code: Sendable {
    /// There is no such tenant or plugin.
    case notFound
    /// A plugin that the tenant has switched on is not installed, or not in the version that it has chosen.
    case missing
    /// Settings are refused.
    case config
    /// The set of plugins does not fit together.
    case plan
    /// A plugin failed.
    case plugin
    /// The tenant's file cannot be used.
    case store
    /// The change is malformed.
    case invalid
    /// Something else stands in its place.
    case conflict
    /// The listeners' certificates cannot be renewed.
    case certificates
    /// The tenant's plan allows no more.
    case quota
    case overloaded
  }

  /// What a program decides by.
  public let code: Code
  /// What happened, where, and what to do, for the operator: it may name files.
  public let message: String
  /// The same for an app's developers, who learn nothing of the machine; nil where they may have `message`.
  var told: String?
  /// Places in the settings, for ``Code/config``; else empty.
  public var problems: [SettingsProblem] = []
  /// The store's reason, for ``Code/store``.
  var storeCode: StoreError.Code?
  public var description: String { message }

  /// - Parameters:
  ///   - message: in words for whoever asked; it names no secret.
  ///   - told: in words for an app's developers, where `message` names files of the operator's.
  init(code: Code, message: String, told: String? = nil, problems: [SettingsProblem] = []) {
    self.code = code
    self.message = message
    self.told = told
    self.problems = problems
  }

  /// What went wrong in the store, behind these words.
  init(_ error: StoreError, _ words: String) {
    self.init(code: .store, message: "\(words): \(error)")
    storeCode = error.code
  }
}

/// Text at an address that stays, for slices that outlive a call. Immutable.
final class PermanentText: @unchecked Sendable {
  // @unchecked: written in `init` only.
  private let bytes: UnsafeMutableBufferPointer<UInt8>

  init(_ text: String) {
    let utf8 = Array(text.utf8)
    bytes = .allocate(capacity: max(utf8.count, 1))
    bytes.initialize(repeating: 0)
    for (index, byte) in utf8.enumerated() { bytes[index] = byte }
    count = utf8.count
  }

  private let count: Int

  deinit { bytes.deallocate() }

  var slice: sluice_slice_t {
    sluice_slice_t(bytes: UnsafePointer(bytes.baseAddress), length: UInt64(count))
  }
}

/// The names in a host table.
final class HostTableNames: Sendable {
  private static let hostName = PermanentText("sluice")
  private static let hostVersion = PermanentText(Version.current)
  private let plugin: PermanentText
  private let tenant: PermanentText

  init(plugin: String, tenant: String) {
    self.plugin = PermanentText(plugin)
    self.tenant = PermanentText(tenant)
  }

  func table(context: UInt64, loop: UInt32, loops: Int) -> sluice_host_v1_t {
    sluice_host_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_host_v1_t>.size), abi_major: UInt16(SLUICE_ABI_MAJOR),
      abi_minor: UInt16(SLUICE_ABI_MINOR), context: context, loop_index: loop,
      loop_count: UInt32(loops),
      host_name: Self.hostName.slice, host_version: Self.hostVersion.slice, plugin: plugin.slice,
      tenant: tenant.slice, get_extension: shardExtension)
  }
}

/// The gateway's version.
public enum Version {
  /// By semantic versioning; `sluice version` and `/openapi.json` tell it.
  public static let current = "0.1.0"
}
