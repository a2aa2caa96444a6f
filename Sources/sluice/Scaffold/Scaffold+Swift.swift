extension Scaffold {
  /// A plugin in Swift: its code, and the file with the entry function.
  static func swift(id: String, root: String) -> [File] {
    let type = typeName(of: id)
    return [
      File(
        path: "Package.swift",
        text: #"""
          // swift-tools-version: 6.2
          import PackageDescription

          let package = Package(
            name: "\#(id)",
            products: [.library(name: "\#(id)", type: .dynamic, targets: ["\#(id)"])],
            dependencies: [.package(name: "sluice", path: "\#(root)")],
            targets: [
              .target(
                name: "\#(type)Plugin", dependencies: [.product(name: "PluginKit", package: "sluice")],
                // An async function runs where its caller runs, so that the plugin never leaves its loop.
                swiftSettings: [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
              .target(
                name: "\#(id)", dependencies: ["\#(type)Plugin", .product(name: "PluginKit", package: "sluice")],
                linkerSettings: [
                  .unsafeFlags(["-Xlinker", "--version-script=\(Context.packageDirectory)/plugin.version"])
                ]),
            ],
            swiftLanguageModes: [.v6])

          """#),
      File(
        path: "Sources/\(type)Plugin/\(type).swift",
        text: ##"""
          public import PluginKit

          /// One for each tenant: its settings.
          public struct \##(type): Plugin {
            public init(_ context: InstanceContext) throws {}

            public func makeShard(_ context: ShardContext) throws -> \##(type)Shard {
              \##(type)Shard()
            }
          }

          /// One for each tenant and event loop: all mutable state, without locks.
          public final class \##(type)Shard: PluginShard {
            public static func register(_ on: inout Registry<\##(type)Shard>) {
              on.route("hello") { _, _ in .json(#"{"message":"hello from \##(id)"}"#) }
            }
          }

          """##),
      File(
        path: "Sources/\(id)/Entry.swift",
        text: #"""
          public import CSluice
          import \#(type)Plugin
          import PluginKit

          /// The plugin's one exported symbol (`sluice/plugin.h`). [any-thread]
          @c @implementation
          public func sluice_plugin_entry_v1() -> UnsafePointer<sluice_plugin_v1_t> {
            PluginEntry<\#(type)>.table(id: "\#(id)", version: "0.1.0")
          }

          """#),
      File(
        path: "Makefile",
        text: #"""
          # Builds lib\#(id).so into OUT, which becomes a plugin folder: library and manifest.
          OUT ?= build/\#(id)
          SWIFT ?= swift

          .PHONY: all clean
          all:
          	$(SWIFT) build -c release --product \#(id)
          	mkdir -p $(OUT)
          	cp -f --remove-destination .build/release/lib\#(id).so plugin.json $(OUT)

          clean:
          	rm -rf build .build

          """#),
      versionScript,
      File(
        path: "README.md",
        text: #"""
          # \#(id)

          `GET /hello/\#(id)` says hello.

              make                                        # build/\#(id): the library and the manifest
              sluice plugin validate build/\#(id)
              sluice serve --plugins build

          How to go on: `Sources/PluginKit/GUIDE.md` of Sluice's source tree. `Package.swift` names the tree. Build the plugin with the
          compiler that built the gateway: the two share one Swift runtime.

          """#),
    ]
  }
}
