import Glibc

/// The languages for which there is a scaffold.
enum ScaffoldLanguage: String, CaseIterable {
  case swift, c, rust
}

/// The files of a new plugin: one route that answers a greeting, ready to build.
struct Scaffold {
  struct File {
    /// Relative to the plugin's folder.
    let path: String
    let text: String
  }

  /// Why a scaffold was not written.
  struct WriteError: Error, CustomStringConvertible {
    let description: String
  }

  let files: [File]

  /// - Parameters:
  ///   - id: the plugin's id.
  ///   - root: Sluice's source tree, whose headers and Swift packages the plugin is built with.
  init(id: String, language: ScaffoldLanguage, root: String) {
    let own =
      switch language {
      case .swift: Scaffold.swift(id: id, root: root)
      case .c: Scaffold.c(id: id, root: root)
      case .rust: Scaffold.rust(id: id)
      }
    files = [Scaffold.manifest(id: id, language: language)] + own
  }

  /// Writes the files into a folder that must not exist yet, so that nobody's work is overwritten.
  func write(to folder: String) throws(WriteError) {
    guard mkdir(folder, 0o755) == 0 else {
      throw WriteError(
        description: errno == EEXIST
          ? "\(folder) is there already; nothing was written"
          : "\(folder) cannot be made: \(String(cString: strerror(errno)))")
    }
    for file in files {
      try Self.makeFolders(of: file.path, in: folder)
      let path = "\(folder)/\(file.path)"
      guard let stream = fopen(path, "wxe") else { throw .ofSystem(path) }
      let text = Array(file.text.utf8)
      let written = fwrite(text, 1, text.count, stream)
      guard fclose(stream) == 0, written == text.count else { throw .ofSystem(path) }
    }
  }

  private static func makeFolders(of path: String, in folder: String) throws(WriteError) {
    var folder = folder
    for name in path.split(separator: "/").dropLast() {
      folder += "/\(name)"
      guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw .ofSystem(folder) }
    }
  }

  /// `my-plugin` as `MyPlugin`, the name of a Swift type and module.
  static func typeName(of id: String) -> String {
    id.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  private static func manifest(id: String, language: ScaffoldLanguage) -> File {
    let capabilities =
      language == .swift
      ? #"["sluice.http/1", "sluice.loop/1", "sluice.log/1"]"# : #"["sluice.http/1"]"#
    return File(
      path: "plugin.json",
      text: """
        {
          "id": "\(id)",
          "version": "0.1.0",
          "abi": 1,
          "summary": "Says hello.",
          "library": "lib\(id).so",
          "runtime": "\(language == .swift ? "swift-bundled" : "c")",
          "tenants": "both",
          "routes": [
            {
              "method": "GET",
              "path": "/hello/\(id)",
              "operation": "hello\(typeName(of: id))",
              "summary": "Says hello.",
              "handler": "hello",
              "auth": ["none"],
              "responses": { "200": { "description": "The greeting" } }
            }
          ],
          "capabilities": \(capabilities)
        }

        """)
  }

  /// The version script that hides everything but the entry function.
  static let versionScript = File(
    path: "plugin.version",
    text: """
      /* What a plugin exports: its entry point and nothing else. */
      { global: sluice_plugin_entry_v1; local: *; };

      """)
}

extension Scaffold.WriteError {
  /// The reason of the last failed system call.
  fileprivate static func ofSystem(_ path: String) -> Self {
    Self(description: "\(path): \(String(cString: strerror(errno)))")
  }
}

/// Sluice's source tree, as seen from the program.
enum SourceTree {
  /// The nearest folder above the program with the contract's headers; else the folder of installed headers' parent.
  static var root: String {
    var folder = ProgramFolder.path
    while !folder.isEmpty {
      if access("\(folder)/include/sluice/sluice.h", R_OK) == 0 { return folder }
      folder = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? ""
    }
    return "/usr"
  }
}
