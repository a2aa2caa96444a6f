import Foundation
import Testing

@testable import PluginHost

@Suite struct `The folders of plugins` {
  private let data = FileManager.default.temporaryDirectory
    .appending(path: "folders-\(UUID().uuidString)").path()

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test func `are there for each plugin and tenant, for the gateway's user alone`() throws {
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: data) }
    let folder = try TenantFolders.make("notes", of: "shop", in: data)
    #expect(folder.hasPrefix("/") && folder.hasSuffix("/files/shop/notes"))
    #expect(try TenantFolders.make("notes", of: "shop", in: data) == folder)
    for path in ["/files", "/files/shop", "/files/shop/notes"] {
      #expect(try mode(data + path) == 0o700)
    }
  }

  @Test func `go with their tenant, and nothing goes that a link names`() throws {
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: data) }
    let folder = try TenantFolders.make("notes", of: "shop", in: data)
    let other = try TenantFolders.make("notes", of: "rival", in: data)
    try FileManager.default.createDirectory(
      atPath: folder + "/a/b", withIntermediateDirectories: true)
    for path in [folder + "/a/b/file", folder + "/.hidden", other + "/kept"] {
      try Data("x".utf8).write(to: URL(filePath: path))
    }
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/link", withDestinationPath: other)
    TenantFolders.remove(of: "shop", in: data)
    #expect(!FileManager.default.fileExists(atPath: data + "/files/shop"))
    #expect(FileManager.default.fileExists(atPath: other + "/kept"))
    TenantFolders.remove(of: "shop", in: data)
  }

  @Test func `say where they cannot be made`() {
    #expect {
      try TenantFolders.make("notes", of: "shop", in: "/nowhere/at all")
    } throws: { error in
      "\(error)" == "/nowhere/at all/files: No such file or directory"
    }
  }
}
