import Foundation
import Testing

/// Who may know whom.
@Suite struct `Forbidden arrows` {
  struct Package: Decodable {
    struct Target: Decodable {
      var name: String
      var path: String
      var targetDependencies: [String]?
      var productDependencies: [String]?
    }
    var targets: [Target]
  }

  /// Asked for in a folder of its own, because the build that runs the tests holds the usual one.
  static let package = Result<Package, any Error> {
    let scratch = FileManager.default.temporaryDirectory.appending(
      path: "sluice-architecture-\(ProcessInfo.processInfo.processIdentifier)")
    defer { try? FileManager.default.removeItem(at: scratch) }
    let json = try Tree.output(
      "swift", "package", "--scratch-path", scratch.path(), "describe", "--type", "json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Package.self, from: Data(json.utf8))
  }

  static func isPlugin(_ target: Package.Target) -> Bool {
    target.path.hasPrefix("Plugins/") || target.path.hasPrefix("examples/")
  }

  // The gateway must run without any one feature: a feature is loaded, never linked.
  @Test func `no target in Sources depends on a plugin`() throws {
    let targets = try Self.package.get().targets
    let plugins = Set(targets.filter(Self.isPlugin).map(\.name))
    #expect(plugins.isSuperset(of: ["auth", "AuthPlugin", "chat", "hello-swift"]))
    for target in targets where target.path.hasPrefix("Sources/") {
      let known = plugins.intersection(target.targetDependencies ?? [])
      #expect(known == [], "\(target.name)")
    }
    for (file, source) in try SwiftSource.files(under: "Sources") {
      for line in source.imports {
        #expect(!plugins.contains(line.module), "\(file):\(line.line)")
      }
    }
  }

  // Plugins meet through services and events alone, so that each can be switched off, replaced or written anew; and the
  // SDK is all they see of us, so that a plugin written elsewhere can do what ours can.
  @Test func `plugins depend only on what plugins are built with and on system libraries`() throws {
    let shared: Set<String> = [
      "PluginKit", "PluginCrypto", "CSluice", "CSSL", "CArgon2", "CCrypt", "CCurl", "CResolv",
      "CSpawn",
    ]
    let targets = try Self.package.get().targets.filter(Self.isPlugin)
    for target in targets {
      let isEntry = !target.name.hasSuffix("Plugin")
      let own = targets.filter { $0.path.hasPrefix(Self.folder(of: target.path)) }.map(\.name)
      let allowed = isEntry ? shared.union(own) : shared.subtracting(["CSluice"])
      let used = Set(target.targetDependencies ?? [])
      #expect(used.isSubset(of: allowed), "\(target.name)")
      #expect(target.productDependencies ?? [] == [], "\(target.name)")
      for (file, source) in try SwiftSource.files(under: target.path) {
        for line in source.imports {
          let isKnown = allowed.union(["Glibc", "Synchronization"]).contains(line.module)
          #expect(isKnown, "\(file):\(line.line) imports \(line.module)")
        }
      }
    }
    #expect(targets.count >= 12)
  }

  private static func folder(of path: String) -> String {
    String(path.prefix(upTo: path.range(of: "/Sources/")!.lowerBound)) + "/"
  }

  // A codec that reads a socket or a clock cannot be tested by tables nor be fuzzed. Synchronization and Glibc would be
  // the ways to both.
  @Test func `Wire imports nothing`() throws {
    try expectImports(of: "Wire", among: [])
  }

  // As Wire, but for the library that does the framing: plugins link Wire, and are not to link that.
  @Test func `HTTP2 has neither sockets nor a clock`() throws {
    try expectImports(of: "HTTP2", among: ["Wire", "CNghttp2"])
  }

  // As HTTP2: plugins are not to link zlib.
  @Test func `Deflate has neither sockets nor a clock`() throws {
    try expectImports(of: "Deflate", among: ["Wire", "CZlib"])
  }

  // Encryption is a state machine like a codec: what it needs of the world are files of certificates, read before it serves.
  @Test func `TLS knows no loop, no socket and no protocol inside it`() throws {
    try expectImports(of: "TLS", among: ["CSSL", "Glibc", "Synchronization"])
    for (file, source) in try SwiftSource.files(under: "Sources/TLS") {
      let isReader = file.hasSuffix("/CertificateFile.swift")
      let isWriter = file.hasSuffix("/SelfSignedCertificate.swift")
      for (index, line) in source.code.enumerated() {
        #expect(
          !line.contains(#/\b(socket|connect|send|recv|poll|epoll_\w+)\(\w*,/#),
          "\(file):\(index + 1)")
        let opens = line.contains(#/\b(open|read|write|stat|rename)\(/#) && !line.contains("func ")
        #expect(!opens || isReader || isWriter, "\(file):\(index + 1) does I/O")
      }
    }
  }

  // One room knows how OpenSSL is to be set up so that nothing weak is offered.
  @Test func `only TLS calls OpenSSL's functions for TLS`() throws {
    let found = try uses(of: #/\b(SSL_\w+|TLS_\w+_method)\b/#)
    #expect(found.filter { !$0.hasPrefix("Sources/TLS/") } == [])
    #expect(!found.isEmpty)
  }

  // Loops serve what is not HTTP too, and a protocol here would be there twice.
  @Test func `EventLoop knows no protocol`() throws {
    try expectImports(of: "EventLoop", among: ["CUV", "Glibc", "Synchronization"])
  }

  // Plugins link it, each its own: it is to bring no more than the one library.
  @Test func `PluginCrypto knows PluginKit and OpenSSL alone`() throws {
    try expectImports(of: "PluginCrypto", among: ["CSSL", "PluginKit"])
  }

  // Storage and fan-out must be usable from a plugin's test host and, one day, from another process.
  @Test(arguments: ["Store", "Bus"]) func `knows neither HTTP nor the gateway`(
    target: String
  ) throws {
    try expectImports(
      of: target, among: ["CSQLite", "Glibc", "Synchronization", "FoundationEssentials"])
  }

  // What asks others must be usable without what is asked by others.
  @Test func `Client knows neither the gateway nor plugins`() throws {
    try expectImports(
      of: "Client", among: ["EventLoop", "Wire", "CCurl", "Glibc", "Synchronization"])
  }

  // The gateway serves whoever gives it routes; what a plugin is it learns from no manifest.
  @Test func `Gateway knows no plugin, no store and no bus`() throws {
    try expectImports(
      of: "Gateway",
      among: [
        "EventLoop", "Deflate", "HTTP2", "Wire", "TLS", "CSluice", "CSSL", "Glibc",
        "Synchronization",
      ])
  }

  private func expectImports(of target: String, among allowed: Set<String>) throws {
    let files = try SwiftSource.files(under: "Sources/\(target)")
    #expect(files.count > 1)
    for (file, source) in files {
      for line in source.imports where !allowed.contains(line.module) {
        Issue.record("\(file):\(line.line) imports \(line.module)")
      }
    }
  }

  // One place decides what comes into the process, and reads its ELF headers first.
  @Test func `only PluginHost loads images`() throws {
    let found = try uses(of: #/\b(dlopen|dlmopen|dlsym)\b/#)
    let loaders = found.filter { $0.hasPrefix("Sources/PluginHost/") }
    #expect(found == loaders)
    #expect(!loaders.isEmpty)
    // libcurl comes with thirty others, so it is loaded when it is asked for: by a constant name.
    let inC = try ["Sources", "Plugins"].flatMap { folder in
      try (Tree.files(under: folder, ".c") + Tree.files(under: folder, ".h")).filter {
        try Tree.text($0).contains(#/\b(dlopen|dlmopen|dlsym)\b/#)
      }
    }
    #expect(inC == ["Sources/CCurl/library.c"])
  }

  // A Swift image cannot be unloaded: the runtime keeps pointers into its metadata, and the next cast follows them.
  @Test func `nobody unloads an image`() throws {
    #expect(try uses(of: #/\bdlclose\b/#) == [])
  }

  // One room knows which calls of libuv are safe from which thread.
  @Test func `only EventLoop calls libuv`() throws {
    let found = try uses(of: #/\b(uv_\w+|UV_\w+)\b/#)
    #expect(found.filter { !$0.hasPrefix("Sources/EventLoop/") } == [])
    #expect(!found.isEmpty)
  }

  /// Where code, not a comment or a literal, has the pattern.
  private func uses(of pattern: some RegexComponent) throws -> [String] {
    var found: [String] = []
    for folder in ["Sources", "Plugins", "examples"] {
      for (file, source) in try SwiftSource.files(under: folder) {
        for (index, line) in source.code.enumerated() where line.contains(pattern) {
          found.append("\(file):\(index + 1)")
        }
      }
    }
    return found
  }
}
