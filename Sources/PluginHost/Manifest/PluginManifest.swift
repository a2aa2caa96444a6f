/// A plugin as its author describes it: the content of `plugin.json`, checked.
public struct PluginManifest: Sendable {
  /// The id; also the name of the plugin's folder.
  public var id: String
  /// By semantic versioning; for people and logs. A new version is known by what its files say.
  public var version: String
  /// The major of the ABI that it was built for.
  public var abi: Int
  /// One sentence for lists and for `/openapi.json`.
  public var summary: String
  /// The shared object, absolute or relative to the working directory like ``folder``. It may not exist.
  public var library: String
  /// What its code needs to run.
  public var runtime: Runtime
  /// Where its code runs; `process` is refused in this version.
  public var isolation: Isolation
  /// The tenants that it suits.
  public var tenants: TenantScope
  /// In the manifest's order; no two of one plugin meet.
  public var routes: [Route]
  /// WebSocket endpoints, in the manifest's order.
  public var sockets: [SocketRoute]
  /// What clients may send over a socket, in the manifest's order.
  public var messages: [SocketMessage]
  /// The namespaces that are its own; no other plugin of a tenant may claim one of them.
  public var channels: [ChannelNamespace]
  /// Its parts in everybody's requests. Not empty only where it asks for `sluice.phases/1`.
  public var phases: [PhaseHandler]
  /// Services that it answers.
  public var provides: [ProvidedService]
  /// Services that it calls.
  public var requires: [RequiredService]
  /// Events that it may emit; others are refused.
  public var emits: [EmittedEvent]
  /// Events that it hears, of whatever plugin.
  public var listens: [DottedPattern]
  /// What it asks for, in the manifest's order; ``PluginSelection/granted(to:)`` is what it gets.
  public var capabilities: [Capability]
  /// In the order of their numbers, from 1 without a gap.
  public var migrations: [Migration]
  /// What one instance of it may use.
  public var limits: PluginLimits
  /// What one tenant's settings must be.
  public var settings: Schema
  /// The plugin's folder.
  public var folder: String
  /// The manifest's text, for errors that are found later.
  var source: ConfigText

  /// The prefix of the names of its tables, before the underscore that follows it.
  public var tablePrefix: String {
    String(id.map { $0 == "-" ? "_" : $0 })
  }

  /// Whether it is a version beside the standard one, by its folder's name.
  public var isBeside: Bool { FilePath.name(of: folder).contains("@") }

  /// `id@version`.
  public var identity: String { "\(id)@\(version)" }

  /// The scopes that its routes, sockets and messages ask for, in no order and some of them more than once.
  var scopes: [String] {
    routes.flatMap(\.scopes) + sockets.flatMap(\.scopes) + messages.flatMap(\.scopes)
  }

  /// Whether both say the same, with all the files that they name but the library.
  func isSame(as other: PluginManifest) -> Bool {
    source.bytes == other.source.bytes && migrations == other.migrations
      && emits.map(\.schema) == other.emits.map(\.schema)
  }

  /// A problem with the value at `pointer` of this manifest.
  func problem(
    at pointer: String, _ message: String, suggestion: String? = nil, rival: String? = nil
  ) -> ConfigProblem {
    ConfigProblem(
      file: source.name, position: source.locate(pointer)?.value, pointer: pointer,
      message: message, suggestion: suggestion, plugin: id, rival: rival)
  }

  /// The place of a value for the eyes of an author: `FILE:LINE:COLUMN: POINTER`.
  func place(of pointer: String) -> String {
    guard let position = source.locate(pointer)?.value else { return "\(source.name): \(pointer)" }
    return "\(source.name):\(position.line):\(position.column): \(pointer)"
  }
}

/// What a plugin's code needs to run.
public enum Runtime: String, Sendable, CaseIterable {
  /// The C library alone: C, C++, Rust, Zig.
  case c
  /// Built with the gateway, shares its Swift runtime.
  case swiftBundled = "swift-bundled"
  /// Carries a Swift runtime of its own.
  case swiftStatic = "swift-static"
}

/// Where a plugin's code runs.
public enum Isolation: String, Sendable, CaseIterable {
  case inProcess = "in-process"
  case process
}

/// The kinds of tenant that a plugin suits.
public enum TenantScope: String, Sendable, CaseIterable {
  case platform, apps, both

  /// Whether tenants of that kind may have it.
  public func includes(_ kind: TenantKind) -> Bool {
    switch self {
    case .both: true
    case .platform: kind == .platform
    case .apps: kind == .app
    }
  }
}

/// A namespace of channels, the text before a channel's first colon.
public struct ChannelNamespace: Sendable, Hashable {
  /// Without the colon.
  public var namespace: String
  /// Publications kept; 0 makes the channels ephemeral.
  public var historySize: Int
  /// How long a publication is kept; `nil` when only the size counts.
  public var historySeconds: Int?
  /// Where it stands in the manifest (RFC 6901).
  public var pointer: String
}

/// The stations of a request's way, in their order.
public enum Phase: String, Sendable, CaseIterable {
  case identify, authorize, limit, handle, respond, observe
}

/// A plugin's part in a phase.
public struct PhaseHandler: Sendable, Hashable {
  /// One of the four that plugins may have a part in.
  public var phase: Phase
  /// The name by which the plugin knows its handler.
  public var handler: String
  /// Ids of plugins that this one goes before, where they have a part in the same phase.
  public var before: [String]
  /// Ids of plugins that this one comes after.
  public var after: [String]
  /// Operations, and paths with all below them, that it has a part in; empty is every route.
  public var routes: [String]
  /// Where it stands in the manifest (RFC 6901).
  public var pointer: String

  /// Whether it has a part in requests of a route.
  func includes(operation: String, patterns: [String]) -> Bool {
    routes.isEmpty || routes.contains { Self.matches($0, operation, patterns) }
  }

  /// Whether a route is what `filter` names: an operation, or a path with all below it.
  static func matches(_ filter: String, _ operation: String, _ patterns: [String]) -> Bool {
    guard filter.hasPrefix("/") else { return filter == operation }
    let below = filter == "/" ? filter : filter + "/"
    return patterns.contains { $0 == filter || $0.hasPrefix(below) }
  }
}

/// A service that a plugin answers.
public struct ProvidedService: Sendable, Hashable {
  /// Name and major.
  public var service: ServiceID
  /// The key under which this plugin provides a keyed service.
  public var key: String?
  /// Where it stands in the manifest (RFC 6901).
  public var pointer: String
}

/// A service that a plugin calls.
public struct RequiredService: Sendable, Hashable {
  /// Name and major; another major is another service.
  public var service: ServiceID
  /// The one key that is needed; `nil` is any.
  public var key: String?
  /// Whether the plugin also starts where nobody provides it.
  public var isOptional: Bool
  /// Whether the plugin calls whoever provides it, under every key.
  public var isMany: Bool
  /// Where it stands in the manifest (RFC 6901).
  public var pointer: String

  /// Whether the plugin cannot start before the provider: neither optional nor many.
  public var isHard: Bool { !isOptional && !isMany }
}

/// An event that a plugin may emit.
public struct EmittedEvent: Sendable {
  /// Such as `notes.item.created`; unique in its manifest.
  public var type: String
  /// What its data must be.
  public var schema: ShownSchema
  /// The name under which `/ws` shows it.
  public var socketName: String?
  /// Whether it is told to sockets alone and never stored: no listener hears it.
  public var isEphemeral: Bool
  /// Where it stands in the manifest (RFC 6901).
  public var pointer: String
}

/// What one instance of a plugin may use.
public struct PluginLimits: Sendable, Hashable {
  /// Blocking jobs of one instance that may wait or run.
  public var workerJobs = 256
  /// Threads that do them, for all instances together.
  public var workerThreads = 1
  /// Requests to others' servers that one shard may have under way.
  public var clientRequests = 64
  /// Seconds that one wake-up may take.
  public var alarmSeconds = 60
  /// Timers of one shard that may be armed.
  public var timers = 10_000

  /// The limits of a manifest that says nothing.
  public init() {}
}

/// One step of a plugin's schema.
public struct Migration: Sendable, Hashable {
  /// From 1, without a gap.
  public var number: Int
  /// The words after the number.
  public var name: String
  /// The statements.
  public var sql: String
  /// Whether older versions of the plugin must not use the tables any more: the first line is `-- breaking: true`.
  public var isBreaking: Bool {
    sql.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).first
      .map { $0.split(separator: " ").joined(separator: " ") } == "-- breaking: true"
  }
}
