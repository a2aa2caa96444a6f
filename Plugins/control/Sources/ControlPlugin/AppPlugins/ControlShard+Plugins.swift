internal import PluginKit

extension ControlShard {
  /// A plugin as one app has it.
  private struct AppPlugin: Codable, Identifiable {
    var id: String
    var version: String
    var enabled: Bool
    var config: RawJSON
    /// Whether the app has chosen the version; absent where it has not.
    var pinned: Bool?
    /// The settings that are secrets: never what they are.
    var secrets: [Secret]?
  }

  /// A plugin as the host tells of it.
  private struct InstalledPlugin: Codable, Identifiable {
    var id: String
    /// All that there is to tell, its id too.
    var description: RawJSON

    private enum CodingKeys: CodingKey { case id }

    init(from decoder: any Decoder) throws {
      id = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .id)
      description = try RawJSON(from: decoder)
    }

    func encode(to encoder: any Encoder) throws { try description.encode(to: encoder) }
  }

  private struct Secret: Codable {
    /// Where it is among the settings.
    var pointer: String
    var set: Bool
  }

  /// `GET /v1/plugins`: what is installed.
  func listInstalledPlugins(_ request: Request) throws -> Response {
    let installed: [InstalledPlugin] = try context.tenants.installed().decode()
    return try .json(Page(installed, for: request))
  }

  /// `GET /v1/apps/{app}/plugins`
  func listAppPlugins(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readPlugins)
    return try .json(Page(try plugins(of: app), for: request))
  }

  /// `GET /v1/apps/{app}/plugins/{plugin}`
  func readAppPlugin(_ request: Request) async throws -> Response {
    let app = try await app(of: request, for: .readPlugins)
    guard let plugin = try plugin(try request.parameter(1), of: app) else {
      throw Problem.notFound("The app has no such plugin.")
    }
    return try .json(plugin)
  }

  private func plugins(of app: App) throws -> [AppPlugin] {
    guard let plugins = try context.tenants.plugins(of: app.id) else {
      throw ControlShard.unknownApp
    }
    return try plugins.decode()
  }

  private struct Change: Decodable {
    var enabled: Bool
    var config: RawJSON?
    /// "" is the standard version, which a client asks for with null.
    var version: String?

    enum CodingKeys: CodingKey {
      case enabled, config, version
    }

    init(from decoder: any Decoder) throws {
      let members = try decoder.container(keyedBy: CodingKeys.self)
      enabled = try members.decode(Bool.self, forKey: .enabled)
      config = try members.decodeIfPresent(RawJSON.self, forKey: .config)
      if members.contains(.version) {
        version = try members.decodeIfPresent(String.self, forKey: .version) ?? ""
      }
    }
  }

  /// `PUT /v1/apps/{app}/plugins/{plugin}`: in force, without a restart, when it is answered. What is
  /// refused leaves everything as it was.
  func setAppPlugin(_ request: Request) async throws -> Response {
    let change = try request.decode(Change.self)
    let id = try request.parameter(1)
    let app = try await app(of: request, for: .setPlugin)
    // Before anything is noted: nothing can be removed from the log, so it holds no more than was about to be done.
    try await telling(id, of: app) {
      try await context.tenants.checkPlugin(
        id, of: app.id, enabled: change.enabled, config: change.config, version: change.version)
    }
    let record = try audit(request, Permission.setPlugin.action, of: app.id, target: id)
    let set = try await self.change(
      .plugin(id), record, by: Authority(request, .setPlugin, of: app)
    ) {
      (
        before: try plugin(id, of: app),
        intent: try RawJSON(encoding: Intent(former: revision(of: id, of: app.id)))
      )
    } make: {
      try await telling(id, of: app) {
        try await context.tenants.setPlugin(
          id, of: app.id, enabled: change.enabled, config: change.config,
          version: change.version)
      }
      return try plugin(id, of: app)
    }
    guard let set else { throw HostError(.internal, "the plugin \(id) is set and is not there") }
    return try .json(set)
  }

  /// Asks the host about a plugin of an app; what it refuses is told as the client is told of it.
  private func telling(_ plugin: String, of app: App, _ ask: () async throws -> Void) async throws {
    do {
      try await ask()
    } catch let error as HostError {
      // The host says the same of an app that it has no more.
      guard try context.tenants.plan(of: app.id) != nil else { throw ControlShard.unknownApp }
      throw ControlShard.problem(error, plugin: plugin, versions: try versions(of: plugin))
    }
  }

  private struct Versions: Decodable {
    var id: String
    var versions: [String]
  }

  /// Those that are installed of a plugin.
  private func versions(of plugin: String) throws -> [String] {
    let installed: [Versions] = try context.tenants.installed().decode()
    return installed.first { $0.id == plugin }?.versions ?? []
  }

  private func plugin(_ id: String, of app: App) throws -> AppPlugin? {
    try plugins(of: app).first { $0.id == id }
  }

  /// What is noted of a change: the settings that it gives may hold secrets.
  private struct Intent: Codable {
    /// Which revision of its settings the app had; nil when it had none.
    var former: String?
  }

  private struct Revision: Decodable {
    var id: String
    var revision: String
  }

  private func revision(of id: String, of app: String) throws -> String? {
    let known: [Revision]? = try context.tenants.plugins(of: app)?.decode()
    return known?.first { $0.id == id }?.revision
  }

  /// A plugin's settings are in force when their revision is another.
  func lookAtPlugin(_ id: String, _ change: HostChange) throws -> Finding {
    let intent: Intent? = try change.intent?.decode()
    guard let now = try revision(of: id, of: change.app), now != intent?.former,
      let plugins: [AppPlugin] = try context.tenants.plugins(of: change.app)?.decode(),
      let plugin = plugins.first(where: { $0.id == id })
    else { return .unmade }
    return .made(after: try RawJSON(encoding: plugin))
  }

  /// What the host's refusal means to the client, its pointers under `/config`.
  ///
  /// - Parameter versions: those of the plugin that are installed.
  static func problem(_ error: HostError, plugin: String, versions: [String] = []) -> any Error {
    switch error.status {
    case .invalid, .config:
      return Problem.invalid(
        "The settings of the plugin \(plugin) are refused; the old ones go on.",
        errors: HostFault.all(in: error, under: "/config"))
    case .notFound:
      return Problem.notFound(
        error.text.contains("version")
          ? "No plugin called \(plugin) is installed in this version. There are: \(versions.joined(separator: ", "))."
          : "No plugin called \(plugin) is installed for apps.")
    case .limited:
      return Problem(status: 403, code: "quota_exceeded", detail: error.text)
    case .conflict:
      return Problem.conflict(
        error.text.isEmpty ? "The app's plugins would not fit together." : error.text)
    default:
      return error
    }
  }
}
