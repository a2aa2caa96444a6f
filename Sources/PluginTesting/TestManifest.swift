internal import Glibc
internal import PluginKit

/// What the test host needs to know of `plugin.json`.
public struct TestManifest: Sendable {
  /// One of the manifest's `routes`, as far as a test needs it.
  public struct Route: Decodable, Sendable {
    /// In capitals, as in the manifest.
    public var method: String
    /// A pattern such as "/notes/{id}".
    public var path: String
    /// Other patterns that lead to the same handler.
    public var aliases: [String]?
    /// What the plugin registers its code under.
    public var handler: String
  }

  struct Socket: Decodable, Sendable {
    var path: String
    var handler: String
  }

  struct Channels: Decodable, Sendable {
    struct History: Decodable, Sendable {
      var size: Int
    }
    var namespace: String
    var history: History?
  }

  struct Limits: Decodable, Sendable {
    var workerJobs: Int?

    enum CodingKeys: String, CodingKey {
      case workerJobs = "worker_jobs"
    }
  }

  struct EventType: Decodable, Sendable {
    var type: String
    var ephemeral: Bool?
  }

  /// One migration, by its number from 1 in the list's order.
  public struct Migration: Sendable {
    /// As in the file's name, after the number.
    public var name: String
    /// One or more statements.
    public var sql: String

    /// - Parameter sql: one or more statements.
    public init(name: String, sql: String) {
      self.name = name
      self.sql = sql
    }
  }

  /// The plugin's id, which is also the prefix of its tables.
  public var id: String
  /// The plugin's version, as the context tells it.
  public var version: String
  /// What `get_extension` grants; nil grants everything.
  public var capabilities: [String]?
  /// What `TestHost.request` looks for a path in; a host without a manifest has none and calls handlers by
  /// name.
  public var routes: [Route] = []
  var sockets: [Socket] = []
  /// How many events a channel keeps, by its namespace; channels of others keep 1,000.
  public var history: [String: Int] = [:]
  /// The types that may be emitted; nil allows all.
  public var emits: [String]?
  /// How many jobs may wait for the worker's thread beside the one that runs; one more is `.overloaded`.
  public var workerJobs = 256
  /// Run in this order before the shard is opened.
  public var migrations: [Migration] = []

  /// A plugin without a manifest file, which is granted everything.
  public init(id: String, version: String = "0.0.0", migrations: [Migration] = []) {
    self.id = id
    self.version = version
    self.migrations = migrations
  }

  /// Reads `plugin.json` and the migrations that it names.
  ///
  /// - Parameter path: the file, relative to the working directory or absolute.
  /// - Throws: `TestFailure`, and `JSONError` with the pointer of what is wrong.
  public init(file path: String) throws {
    struct File: Decodable {
      var id: String
      var version: String
      var capabilities: [String]?
      var routes: [Route]?
      var sockets: [Socket]?
      var channels: [Channels]?
      var emits: [EventType]?
      var limits: Limits?
      var migrations: String?
    }
    let file = try JSON.decode(File.self, from: try TestFiles.read(path))
    id = file.id
    version = file.version
    capabilities = file.capabilities ?? []
    routes = file.routes ?? []
    sockets = file.sockets ?? []
    for channel in file.channels ?? [] {
      history[channel.namespace] = channel.history?.size ?? 0
    }
    emits = (file.emits ?? []).filter { $0.ephemeral != true }.map(\.type)
    workerJobs = file.limits?.workerJobs ?? workerJobs
    if let folder = file.migrations {
      let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      let base = parent.isEmpty ? folder : parent.joined(separator: "/") + "/" + folder
      let names = try TestFiles.names(in: base)
      // As the gateway chooses, for SQLite.
      migrations = try names.filter { name in
        name.hasSuffix(".sql") && !name.hasSuffix(".postgres.sql")
          && (name.hasSuffix(".sqlite.sql")
            || !names.contains("\(name.dropLast(4)).sqlite.sql"))
      }.map { name in
        let sql = String(decoding: try TestFiles.read(base + "/" + name), as: UTF8.self)
        let words = name.dropFirst(5).dropLast(4)
        return Migration(
          name: String(words.hasSuffix(".sqlite") ? words.dropLast(7) : words), sql: sql)
      }
    }
  }

  /// What the plugin's tables begin with, before an underscore.
  var tablePrefix: String { String(id.map { $0 == "-" ? "_" : $0 }) }

  /// The handler of a request, and what stands in place of the pattern's parameters.
  func route(_ method: String, _ path: String) -> (handler: String, parameters: [String])? {
    for route in routes where route.method == method {
      for pattern in [route.path] + (route.aliases ?? []) {
        if let parameters = TestManifest.match(pattern, path) {
          return (route.handler, parameters)
        }
      }
    }
    return nil
  }

  static func match(_ pattern: String, _ path: String) -> [String]? {
    let wanted = pattern.split(separator: "/", omittingEmptySubsequences: false)
    let given = path.split(separator: "/", omittingEmptySubsequences: false)
    guard wanted.count == given.count else { return nil }
    var parameters: [String] = []
    for (want, have) in zip(wanted, given) {
      if want.hasPrefix("{") && want.hasSuffix("}") && !have.isEmpty {
        parameters.append(String(have))
      } else if want != have {
        return nil
      }
    }
    return parameters
  }
}

/// The test is not set up as it should be, or the plugin did what a host would not let pass.
public struct TestFailure: Error, CustomStringConvertible {
  public let description: String

  /// - Parameter description: what is wrong and, where it helps, what to do.
  public init(_ description: String) {
    self.description = description
  }
}

enum TestFiles {
  static func read(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw TestFailure("\(path): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      guard count >= 0 else { throw TestFailure("\(path): \(String(cString: strerror(errno)))") }
      if count == 0 { return content }
      content += buffer[..<count]
    }
  }

  static func names(in folder: String) throws -> [String] {
    guard let directory = opendir(folder) else {
      throw TestFailure("\(folder): \(String(cString: strerror(errno)))")
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// A new folder for the files of one host.
  static func makeFolder() throws -> String {
    var template = Array("/tmp/sluice-plugin-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw TestFailure("/tmp: \(String(cString: strerror(errno)))")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Makes a folder inside of one that is there.
  static func make(_ folder: String) throws {
    guard mkdir(folder, 0o700) == 0 else {
      throw TestFailure("\(folder): \(String(cString: strerror(errno)))")
    }
  }

  static func removeFolder(_ folder: String) {
    for name in (try? names(in: folder)) ?? [] {
      let path = folder + "/" + name
      if unlink(path) != 0 { removeFolder(path) }
    }
    rmdir(folder)
  }
}
