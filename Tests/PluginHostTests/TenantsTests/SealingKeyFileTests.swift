import Glibc
import Synchronization
import Testing

@testable import PluginHost

@Suite struct `Sealing key file` {
  private let folder = ScratchFolder()
  private var path: String { folder.path + "/master.key" }

  private func load(makesMissing: Bool = true) throws -> SealingKey {
    try SealingKey(file: path, makesMissing: makesMissing)
  }

  private func write(_ count: Int, mode: mode_t = 0o600) {
    folder.write(String(repeating: "k", count: count), to: "master.key")
    chmod(path, mode)
  }

  private func refusal(makesMissing: Bool = true) -> String {
    let error = tenantError { try load(makesMissing: makesMissing) }
    #expect(error?.code == .keyFile)
    #expect(error?.message.hasPrefix("the key file \(path): ") == true)
    return error?.message ?? ""
  }

  @Test
  func `is made where there is none, 32 bytes that only the owner can read, and nothing beside it`()
    throws
  {
    let before = umask(0)
    defer { umask(before) }
    let key = try load()
    #expect(key.isNew && key.path == path)
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(status.st_size == 32 && status.st_mode & 0o7777 == 0o600 && status.st_nlink == 1)
    #expect(try FileSystem.names(in: folder.path) == ["master.key"])
  }

  @Test func `is the same key when read again`() throws {
    let first = try load()
    let second = try load()
    #expect(!second.isNew)
    let sealed = try [UInt8](arrayLiteral: 5).withUnsafeBytes {
      try first.seal($0, tenant: "a", name: "b")
    }
    #expect(try second.open(sealed, tenant: "a", name: "b").withBytes { [UInt8]($0) } == [5])
  }

  @Test func `is not made where it must be there`() {
    #expect(refusal(makesMissing: false).contains("there is no such file; make one with"))
    #expect(access(path, F_OK) != 0)
  }

  @Test(arguments: [0o640, 0o604, 0o660, 0o610, 0o677] as [mode_t])
  func `is refused when others have rights to it`(mode: mode_t) {
    write(32, mode: mode)
    let message = refusal()
    #expect(message.contains("mode \(String(mode, radix: 8))") && message.contains("chmod 600"))
  }

  @Test(arguments: [0, 31, 33, 64])
  func `is refused when it has not 32 bytes`(size: Int) {
    write(size)
    #expect(refusal().contains("it has \(size) bytes; a key has exactly 32"))
  }

  @Test func `is refused when it is another user's`() throws {
    guard geteuid() == 0 else { return }
    write(32)
    chown(path, 12_345, 12_345)
    #expect(refusal().contains("it belongs to user 12345"))
  }

  @Test func `is refused when it is a folder`() {
    mkdir(path, 0o700)
    #expect(refusal().contains("not a regular file"))
  }

  @Test func `is refused when it is a named pipe, without waiting for a writer`() {
    mkfifo(path, 0o600)
    #expect(refusal().contains("not a regular file"))
  }

  @Test func `is refused when its path leads through a file`() throws {
    folder.write("", to: "file")
    let error = tenantError { try SealingKey(file: folder.path + "/file/key", makesMissing: true) }
    #expect(error?.code == .keyFile && error?.message.contains("cannot be read") == true)
  }

  @Test func `is refused when its folder is missing`() throws {
    let error = tenantError { try SealingKey(file: folder.path + "/none/key", makesMissing: true) }
    #expect(error?.code == .keyFile && error?.message.contains("cannot be made") == true)
  }

  @Test func `may be a link to a file, as secrets are mounted`() throws {
    let real = folder.write(String(repeating: "k", count: 32), to: "real")
    chmod(real, 0o400)
    symlink(real, path)
    #expect(try load().isNew == false)
  }

  @Test func `is one and the same for all that make it at once`() async throws {
    let path = path
    let keys = try await withThrowingTaskGroup(of: SealingKey.self) { group in
      for _ in 0..<16 { group.addTask { try SealingKey(file: path, makesMissing: true) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(keys.filter(\.isNew).count == 1)
    let sealed = try [UInt8](arrayLiteral: 9).withUnsafeBytes {
      try keys[0].seal($0, tenant: "a", name: "b")
    }
    for key in keys { _ = try key.open(sealed, tenant: "a", name: "b") }
    #expect(try FileSystem.names(in: folder.path) == ["master.key"])
  }
}
