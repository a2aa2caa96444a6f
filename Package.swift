// swift-tools-version: 6.2
import PackageDescription

// One target per room. Forbidden arrows between them are tested in Tests/Architecture.

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Rooms in which an async function runs where its caller runs, so that a plugin never leaves its loop.
let onLoop: [SwiftSetting] =
  strict + [
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ]

/// Rooms that say with each import whether it is part of their interface.
let explicitImports: [SwiftSetting] = strict + [.enableUpcomingFeature("InternalImportsByDefault")]

/// A plugin is two targets: `<Name>Plugin` with its code, which tests link, and a library with the entry function alone.
struct PluginRoom {
  let id: String
  let module: String
  let folder: String
  var libraries: [Target.Dependency] = []

  var product: Product { .library(name: id, type: .dynamic, targets: [id]) }

  var targets: [Target] {
    [
      .target(
        name: module, dependencies: ["PluginKit"] + libraries,
        path: "\(folder)/Sources/\(module)", swiftSettings: onLoop),
      .target(
        name: id, dependencies: [.byName(name: module), "PluginKit", "CSluice"],
        path: "\(folder)/Sources/\(id)", swiftSettings: onLoop,
        linkerSettings: [
          .unsafeFlags([
            "-Xlinker",
            "--version-script=\(Context.packageDirectory)/Sources/PluginKit/plugin.version",
          ])
        ]),
    ]
  }
}

let plugins = [
  PluginRoom(
    id: "auth", module: "AuthPlugin", folder: "Plugins/auth",
    libraries: ["CSSL", "CArgon2", "CCrypt", "PluginCrypto"]),
  PluginRoom(
    id: "control", module: "ControlPlugin", folder: "Plugins/control",
    libraries: ["CResolv", "PluginCrypto"]),
  PluginRoom(
    id: "mailer", module: "MailerPlugin", folder: "Plugins/mailer",
    libraries: ["CCurl", "PluginCrypto"]),
  PluginRoom(id: "branding", module: "BrandingPlugin", folder: "Plugins/branding"),
  PluginRoom(
    id: "realtime", module: "RealtimePlugin", folder: "Plugins/realtime",
    libraries: ["PluginCrypto"]),
  PluginRoom(id: "chat", module: "ChatPlugin", folder: "Plugins/chat"),
  PluginRoom(
    id: "uploads", module: "UploadsPlugin", folder: "Plugins/uploads",
    libraries: ["CSpawn", "PluginCrypto"]),
  PluginRoom(
    id: "webhooks", module: "WebhooksPlugin", folder: "Plugins/webhooks",
    libraries: ["CSSL", "PluginCrypto"]),
  PluginRoom(
    id: "hello-swift", module: "HelloSwiftPlugin", folder: "examples/plugins/hello-swift"),
  PluginRoom(id: "tally", module: "TallyPlugin", folder: "examples/plugins/tally"),
  PluginRoom(
    id: "conformance", module: "ConformancePlugin", folder: "examples/plugins/conformance"),
]

let package = Package(
  name: "sluice",
  products: [
    .executable(name: "sluice", targets: ["sluice"]),
    // What a plugin of somebody else is built with.
    .library(name: "PluginKit", targets: ["PluginKit"]),
    .library(name: "PluginCrypto", targets: ["PluginCrypto"]),
  ] + plugins.map(\.product),
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    .systemLibrary(name: "CSluice", path: "include"),
    .systemLibrary(name: "CUV", providers: [.apt(["libuv1-dev"])]),
    .systemLibrary(name: "CSSL", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CJansson", providers: [.apt(["libjansson-dev"])]),
    .systemLibrary(name: "CArgon2", providers: [.apt(["libargon2-dev"])]),
    .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
    .systemLibrary(name: "CResolv", providers: [.apt(["libc6-dev"])]),
    .systemLibrary(name: "CSpawn", providers: [.apt(["libc6-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CNghttp2", providers: [.apt(["libnghttp2-dev"])]),

    // Loads libcurl (libcurl4-openssl-dev) when it is first asked for.
    .target(name: "CCurl"),

    .target(name: "Wire", swiftSettings: strict),
    .target(name: "Deflate", dependencies: ["Wire", "CZlib"], swiftSettings: explicitImports),
    .target(name: "HTTP2", dependencies: ["Wire", "CNghttp2"], swiftSettings: explicitImports),
    .target(name: "PluginCrypto", dependencies: ["CSSL", "PluginKit"], swiftSettings: onLoop),
    .target(name: "TLS", dependencies: ["CSSL"], swiftSettings: explicitImports),
    .target(name: "EventLoop", dependencies: ["CUV"], swiftSettings: strict),
    .target(name: "Store", dependencies: ["CSQLite"], swiftSettings: strict),
    .target(name: "Bus", swiftSettings: explicitImports),
    .target(
      name: "Client", dependencies: ["EventLoop", "Wire", "CCurl"], swiftSettings: explicitImports),
    .target(
      name: "Gateway",
      dependencies: ["EventLoop", "Deflate", "HTTP2", "Wire", "TLS", "CSluice", "CSSL"],
      swiftSettings: explicitImports),
    .target(
      name: "PluginHost",
      dependencies: [
        "Gateway", "EventLoop", "Wire", "TLS", "Store", "Bus", "Client", "CSluice", "CSSL",
        "CJansson",
      ],
      swiftSettings: explicitImports),
    .target(
      name: "PluginKit", dependencies: ["CSluice", "Wire"],
      exclude: ["plugin.version", "GUIDE.md"],
      swiftSettings: onLoop),
    .target(
      name: "PluginTesting", dependencies: ["CSluice", "PluginCrypto", "PluginKit", "Store"],
      swiftSettings: onLoop),
    .executableTarget(
      name: "sluice",
      dependencies: [
        "PluginHost", "Gateway", "EventLoop",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: explicitImports),

    // What strangers' bytes are tried on: by libFuzzer (`make fuzz`), and with the corpus by the tests.
    .target(
      name: "FuzzTargets", dependencies: ["Deflate", "HTTP2", "Wire", "PluginHost"],
      path: "Tests/Fuzz/Targets",
      swiftSettings: strict),
    .testTarget(
      name: "FuzzTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Tests",
      swiftSettings: strict),

    .testTarget(name: "WireTests", dependencies: ["Wire"], swiftSettings: strict),
    .testTarget(name: "DeflateTests", dependencies: ["Deflate", "Wire"], swiftSettings: strict),
    .testTarget(
      name: "HTTP2Tests", dependencies: ["HTTP2", "Wire", "CNghttp2"], swiftSettings: strict),
    .testTarget(name: "ClientTests", dependencies: ["Client", "Wire"], swiftSettings: strict),
    .testTarget(name: "TLSTests", dependencies: ["TLS", "CSSL"], swiftSettings: strict),
    .testTarget(name: "EventLoopTests", dependencies: ["EventLoop", "CUV"], swiftSettings: strict),
    .testTarget(name: "StoreTests", dependencies: ["Store", "CSQLite"], swiftSettings: strict),
    .testTarget(
      name: "GatewayTests", dependencies: ["Gateway", "Deflate", "EventLoop", "Wire", "CSluice"],
      swiftSettings: strict),
    .testTarget(name: "BusTests", dependencies: ["Bus"], swiftSettings: strict),
    // How tests run other programs.
    .target(name: "Commands", path: "Tests/Commands", swiftSettings: strict),
    .testTarget(
      name: "ArchitectureTests", dependencies: ["Commands"], exclude: ["links.txt"],
      swiftSettings: strict),
    .testTarget(
      name: "PluginHostTests",
      dependencies: ["Commands", "PluginHost", "EventLoop", "Gateway", "TLS", "Wire", "Store"],
      swiftSettings: strict),
    .testTarget(
      name: "PluginKitTests",
      dependencies: [
        "PluginKit", "PluginCrypto", "PluginTesting", "CSluice", "HelloSwiftPlugin", "TallyPlugin",
        "ConformancePlugin",
      ], swiftSettings: onLoop),
    // What tests of plugins share that have the gateway's reading of a manifest at hand.
    .target(
      name: "DeclaredRoutes", dependencies: ["PluginHost", "PluginKit", "PluginTesting", "Wire"],
      path: "Tests/DeclaredRoutes", swiftSettings: onLoop),
    .testTarget(
      name: "AuthPluginTests",
      dependencies: ["AuthPlugin", "DeclaredRoutes", "PluginKit", "PluginTesting"],
      swiftSettings: onLoop),
    .testTarget(
      name: "ControlPluginTests",
      dependencies: [
        "ControlPlugin", "DeclaredRoutes", "PluginKit", "PluginTesting", "PluginHost", "CSSL",
      ],
      swiftSettings: onLoop),
    .testTarget(
      name: "MailerPluginTests",
      dependencies: ["MailerPlugin", "PluginKit", "PluginTesting", "CCurl"],
      swiftSettings: onLoop),
    .testTarget(
      name: "RealtimePluginTests", dependencies: ["RealtimePlugin", "PluginKit", "PluginTesting"],
      swiftSettings: onLoop),
    .testTarget(
      name: "ChatPluginTests", dependencies: ["ChatPlugin", "PluginKit", "PluginTesting"],
      swiftSettings: onLoop),
    .testTarget(
      name: "UploadsPluginTests", dependencies: ["PluginCrypto", "PluginKit", "UploadsPlugin"],
      swiftSettings: onLoop),
    .testTarget(
      name: "WebhooksPluginTests",
      dependencies: ["PluginCrypto", "PluginKit", "PluginTesting", "WebhooksPlugin"],
      swiftSettings: onLoop),
  ] + plugins.flatMap(\.targets),
  swiftLanguageModes: [.v6])

// The driver has no `main`: libFuzzer brings it.
if Context.environment["SLUICE_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzTargets", "CSluice"], path: "Tests/Fuzz/Driver",
      swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])]))
}
