internal import CSluice
internal import Gateway
internal import Glibc

/// A plugin's image in the process, with the tables that it offers. Immutable; it is never unloaded.
///
/// `@unchecked Sendable`: the tables are constant and have static lifetime (plugin.h).
final class LoadedPlugin: @unchecked Sendable {
  let manifest: PluginManifest
  /// The copy that runs; nil when the file itself does.
  private let file: PluginImageFile?
  /// The SHA-256 of the library that runs.
  let libraryDigest: Digest
  let entry: UnsafePointer<sluice_plugin_v1_t>
  let http: UnsafePointer<sluice_http_handler_v1_t>?
  let requestCredential: UnsafePointer<sluice_request_credential_v1_t>?
  let phases: UnsafePointer<sluice_phase_handler_v1_t>?
  let webSocket: UnsafePointer<sluice_websocket_handler_v1_t>?
  let webSocketCredential: UnsafePointer<sluice_websocket_credential_v1_t>?
  let messages: UnsafePointer<sluice_message_handler_v1_t>?
  let provider: UnsafePointer<sluice_service_provider_v1_t>?
  let subscriber: UnsafePointer<sluice_bus_subscriber_v1_t>?
  let listener: UnsafePointer<sluice_event_listener_v1_t>?
  let alarm: UnsafePointer<sluice_alarm_handler_v1_t>?
  /// The plugin's numbers for the handlers of its routes, in the manifest's order.
  let routeHandlers: [UInt32]
  let socketHandlers: [UInt32]
  let phaseHandlers: [UInt32]
  /// The plugin's numbers for the handlers of its socket messages, in the manifest's order.
  let messageHandlers: [UInt32]

  private typealias Entry = @convention(c) () -> UnsafePointer<sluice_plugin_v1_t>?

  /// Loads the image and checks everything that it and its manifest must agree on. [control-thread]
  ///
  /// - Parameters:
  ///   - images: where the copy that runs is kept; nil to load the file itself, for a process that only looks.
  ///   - isFirst: whether the process has no image of the plugin yet. Then the file itself will do where copies cannot
  ///     be run, as in a data directory that is mounted `noexec`.
  /// - Throws: ``PluginLoadError`` that names the file and says what to do.
  init(_ manifest: PluginManifest, images: PluginImages?, isFirst: Bool = true)
    throws(PluginLoadError)
  {
    self.manifest = manifest
    func failure(_ message: String) -> PluginLoadError {
      PluginLoadError(plugin: manifest.id, file: manifest.library, message: message)
    }
    let library: ELFFile
    do throws(ELFError) {
      library = try ELFFile(path: manifest.library)
      try ELFImage(library, path: manifest.library).check()
    } catch {
      throw failure("\(error)")
    }
    libraryDigest = library.bytes.withUnsafeBytes { Digest(of: $0) }
    // A path without a slash would be looked for among the system's libraries.
    let own = manifest.library.contains("/") ? manifest.library : "./" + manifest.library
    var copy: PluginImageFile?
    do throws(PluginImagesUnavailable) {
      copy = try images?.copy(library.bytes, of: manifest)
    } catch {
      throw failure("cannot be copied to be loaded: \(error.description)")
    }
    func open(_ path: String) -> UnsafeMutableRawPointer? {
      dlopen(path, RTLD_NOW | RTLD_LOCAL | Int32(RTLD_NODELETE))
    }
    var opened = copy.flatMap { open($0.path) }
    if opened == nil {
      copy = nil
      opened = isFirst ? open(own) : nil
    }
    guard let image = opened else {
      throw failure("cannot be loaded: \(Self.lastError)")
    }
    file = copy
    guard let symbol = dlsym(image, "sluice_plugin_entry_v1") else {
      throw failure("does not export sluice_plugin_entry_v1; see include/sluice/plugin.h")
    }
    guard let entry = unsafeBitCast(symbol, to: Entry.self)() else {
      throw failure(
        "sluice_plugin_entry_v1 returned NULL; it must return the plugin's table (plugin.h)")
    }
    guard entry.pointee.abi_major == UInt16(SLUICE_ABI_MAJOR) else {
      throw failure(
        "was built for version \(entry.pointee.abi_major).\(entry.pointee.abi_minor) of the contract; this gateway has "
          + "\(SLUICE_ABI_MAJOR).\(SLUICE_ABI_MINOR): build it again with this gateway's include/sluice"
      )
    }
    guard entry.pointee.struct_size >= UInt32(MemoryLayout<sluice_plugin_v1_t>.size) else {
      throw failure("has an entry table of \(entry.pointee.struct_size) bytes, which is too small")
    }
    guard Self.isWhole(entry) else {
      throw failure("has an entry table with a function that is NULL and may not be (plugin.h)")
    }
    let (id, version) = (String(entry.pointee.id), String(entry.pointee.version))
    guard id == manifest.id, version == manifest.version else {
      throw failure("says that it is \(id)@\(version), but its manifest says \(manifest.identity)")
    }
    self.entry = entry
    func table<T>(_ name: String, _ type: T.Type) -> UnsafePointer<T>? {
      entry.pointee.get_extension(name)?.assumingMemoryBound(to: T.self)
    }
    http = table(SLUICE_EXT_HTTP_HANDLER, sluice_http_handler_v1_t.self)
    requestCredential = table(
      SLUICE_EXT_REQUEST_CREDENTIAL, sluice_request_credential_v1_t.self)
    phases = table(SLUICE_EXT_PHASE_HANDLER, sluice_phase_handler_v1_t.self)
    webSocket = table(SLUICE_EXT_WEBSOCKET_HANDLER, sluice_websocket_handler_v1_t.self)
    webSocketCredential = table(
      SLUICE_EXT_WEBSOCKET_CREDENTIAL, sluice_websocket_credential_v1_t.self)
    messages = table(SLUICE_EXT_MESSAGE_HANDLER, sluice_message_handler_v1_t.self)
    provider = table(SLUICE_EXT_SERVICE_PROVIDER, sluice_service_provider_v1_t.self)
    subscriber = table(SLUICE_EXT_BUS_SUBSCRIBER, sluice_bus_subscriber_v1_t.self)
    listener = table(SLUICE_EXT_EVENT_LISTENER, sluice_event_listener_v1_t.self)
    alarm = table(SLUICE_EXT_ALARM_HANDLER, sluice_alarm_handler_v1_t.self)
    var routes: [UInt32] = []
    for route in manifest.routes {
      guard let resolve = http?.pointee.resolve else {
        throw failure("has routes in its manifest, but does not offer \(SLUICE_EXT_HTTP_HANDLER)")
      }
      guard let handler = Self.resolve(route.handler, resolve) else {
        throw failure(
          "does not know the handler \"\(route.handler)\" (\(manifest.place(of: route.pointer)))")
      }
      if route.credential == .firstMessage, requestCredential == nil {
        throw failure(
          "has a route whose credential may stand in query or body, but does not offer "
            + "\(SLUICE_EXT_REQUEST_CREDENTIAL) (\(manifest.place(of: route.pointer)))")
      }
      routes.append(handler)
    }
    var sockets: [UInt32] = []
    for socket in manifest.sockets {
      guard let resolve = webSocket?.pointee.resolve else {
        throw failure(
          "has sockets in its manifest, but does not offer \(SLUICE_EXT_WEBSOCKET_HANDLER)")
      }
      guard let handler = Self.resolve(socket.handler, resolve) else {
        throw failure(
          "does not know the handler \"\(socket.handler)\" (\(manifest.place(of: socket.pointer)))")
      }
      if socket.credential == .firstMessage, webSocketCredential == nil {
        throw failure(
          "has a socket whose credential comes in the first message, but does not offer "
            + "\(SLUICE_EXT_WEBSOCKET_CREDENTIAL) (\(manifest.place(of: socket.pointer)))")
      }
      sockets.append(handler)
    }
    var parts: [UInt32] = []
    for part in manifest.phases {
      guard let resolve = phases?.pointee.resolve, let phase = part.phase.served else {
        throw failure(
          "has phases in its manifest, but does not offer \(SLUICE_EXT_PHASE_HANDLER)")
      }
      guard let handler = Self.resolve(part.handler, { resolve($0, phase.rawValue, $1) }) else {
        throw failure(
          "does not know the handler \"\(part.handler)\" of the phase \(part.phase.rawValue) "
            + "(\(manifest.place(of: part.pointer)))")
      }
      parts.append(handler)
    }
    var said: [UInt32] = []
    for message in manifest.messages {
      guard let resolve = messages?.pointee.resolve else {
        throw failure(
          "has messages in its manifest, but does not offer \(SLUICE_EXT_MESSAGE_HANDLER)")
      }
      guard let handler = Self.resolve(message.handler, resolve) else {
        throw failure(
          "does not know the handler \"\(message.handler)\" "
            + "(\(manifest.place(of: message.pointer)))")
      }
      said.append(handler)
    }
    if !manifest.provides.isEmpty, provider == nil {
      throw failure(
        "provides a service in its manifest, but does not offer \(SLUICE_EXT_SERVICE_PROVIDER)")
    }
    if !manifest.listens.isEmpty, listener == nil {
      throw failure("listens in its manifest, but does not offer \(SLUICE_EXT_EVENT_LISTENER)")
    }
    if manifest.capabilities.contains(.alarm), alarm == nil {
      throw failure(
        "asks for \(SLUICE_EXT_ALARM) in its manifest, but does not offer \(SLUICE_EXT_ALARM_HANDLER)"
      )
    }
    routeHandlers = routes
    socketHandlers = sockets
    phaseHandlers = parts
    messageHandlers = said
  }

  /// Whether the plugin is what its folder holds now, byte for byte.
  func isStill(_ found: PluginManifest) -> Bool {
    guard manifest.isSame(as: found), let file = try? ELFFile(path: found.library) else {
      return false
    }
    return file.bytes.withUnsafeBytes { Digest(of: $0) } == libraryDigest
  }

  /// Whether the functions that must be there are there. What C left out, Swift would call.
  private static func isWhole(_ entry: UnsafePointer<sluice_plugin_v1_t>) -> Bool {
    let raw = UnsafeRawPointer(entry)
    let needed = [
      MemoryLayout<sluice_plugin_v1_t>.offset(of: \.create),
      MemoryLayout<sluice_plugin_v1_t>.offset(of: \.destroy),
      MemoryLayout<sluice_plugin_v1_t>.offset(of: \.open),
      MemoryLayout<sluice_plugin_v1_t>.offset(of: \.close),
      MemoryLayout<sluice_plugin_v1_t>.offset(of: \.get_extension),
    ]
    return needed.allSatisfy { offset in
      offset.map { raw.load(fromByteOffset: $0, as: UInt.self) != 0 } ?? false
    }
  }

  private static func resolve(
    _ name: String, _ function: (sluice_slice_t, UnsafeMutablePointer<UInt32>) -> sluice_status_t
  ) -> UInt32? {
    var name = name
    var number: UInt32 = 0
    let status = name.withUTF8 { function(sluice_slice_t(UnsafeRawBufferPointer($0)), &number) }
    return status == SLUICE_OK ? number : nil
  }

  private static var lastError: String {
    dlerror().map { String(cString: $0) } ?? "for no stated reason"
  }
}

/// Why a plugin's shared object is refused.
public struct PluginLoadError: Error, Sendable, CustomStringConvertible {
  /// The plugin's id, as in its manifest.
  public let plugin: String
  /// The shared object's path.
  public let file: String
  /// What is wrong with it, in words for its author.
  public let message: String
  public var description: String { "plugin \"\(plugin)\": \(file): \(message)" }
}

extension String {
  /// A copy of a slice's text.
  init(_ slice: sluice_slice_t) {
    self.init(
      decoding: UnsafeBufferPointer(start: slice.bytes, count: Int(slice.length)), as: UTF8.self)
  }
}
