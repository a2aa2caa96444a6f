import Commands
import Foundation
import Glibc
import PluginHost
import Testing

@Suite struct `ELF image` {
  @Test func `a plugin's library says what it is for, exports and needs`() throws {
    let folder = try CompilerFolder()
    let library = try folder.compile("plugin.so", Self.plugin, "-shared")
    let image = try ELFImage(path: library)
    #expect(image.machine == .current)
    #expect(image.isSharedObject)
    #expect(image.exportedSymbols == ["sluice_plugin_entry_v1"])
    #expect(image.surplusSymbols == [])
    #expect(image.neededLibraries == ["libc.so.6"])
    try image.check()
  }

  @Test func `what a library exports beside the entry is named`() throws {
    let folder = try CompilerFolder()
    let library = try folder.compile(
      "plugin.so", Self.plugin + "int more(void) { return 1; }", "-shared")
    #expect(try ELFImage(path: library).surplusSymbols == ["more"])
  }

  @Test(arguments: ["gnu", "sysv"])
  func `both hash tables lead to the symbols`(style: String) throws {
    let folder = try CompilerFolder()
    let library = try folder.compile(
      "plugin.so", Self.plugin, "-shared", "-Wl,--hash-style=\(style)")
    #expect(try ELFImage(path: library).exportedSymbols == ["sluice_plugin_entry_v1"])
  }

  @Test func `a library without the entry is refused`() throws {
    let folder = try CompilerFolder()
    let source = "int other(void) { return 0; }"
    let other = try ELFImage(path: folder.compile("other.so", source, "-shared"))
    #expect(throws: ELFError.entryMissing(symbol: "sluice_plugin_entry_v1", exported: 1)) {
      try other.check()
    }
    let hidden = try ELFImage(
      path: folder.compile("hidden.so", source, "-shared", "-fvisibility=hidden"))
    #expect(throws: ELFError.entryMissing(symbol: "sluice_plugin_entry_v1", exported: 0)) {
      try hidden.check()
    }
  }

  @Test(arguments: [["-pie"], ["-no-pie"], ["-static"]])
  func `an executable is refused`(options: [String]) throws {
    let folder = try CompilerFolder()
    let program = try folder.compile("program", "int main(void) { return 0; }", options)
    let image = try ELFImage(path: program)
    #expect(throws: ELFError.notSharedObject(kind: "an executable")) { try image.check() }
  }

  @Test func `an object that was not linked is refused`() throws {
    let folder = try CompilerFolder()
    let image = try ELFImage(path: folder.compile("object.o", Self.plugin, "-c"))
    #expect(throws: ELFError.notSharedObject(kind: "an object file that was not linked")) {
      try image.check()
    }
  }

  @Test func `a library for another architecture is refused by name`() throws {
    let folder = try CompilerFolder()
    let library = try folder.compile("plugin.so", Self.plugin, "-shared")
    let other = ELFImage.Machine.current == .arm64 ? ELFImage.Machine.amd64 : .arm64
    try folder.change(library) { $0[18] = UInt8(other.number) }
    let image = try ELFImage(path: library)
    let error = #expect(throws: ELFError.self) { try image.check() }
    #expect(
      error?.description.hasPrefix("is for \(other), this machine is \(ELFImage.Machine.current)")
        == true)
  }

  @Test func `another word size or byte order is another architecture`() throws {
    let folder = try CompilerFolder()
    let library = try folder.compile("plugin.so", Self.plugin, "-shared")
    try folder.change(library) {
      $0[4] = 1
      $0[18] = 3
    }
    #expect(
      throws: ELFError.wrongArchitecture(
        architecture: "i386 (32-bit)", machine: ELFImage.Machine.current.description)
    ) { try ELFImage(path: library) }
    try folder.change(library) {
      $0[4] = 2
      $0[5] = 2
      $0[18] = 0
      $0[19] = 22
    }
    #expect(
      throws: ELFError.wrongArchitecture(
        architecture: "s390x (64-bit, big-endian)", machine: ELFImage.Machine.current.description)
    ) { try ELFImage(path: library) }
  }

  @Test func `a library that is cut off anywhere is refused, never read past its end`() throws {
    let folder = try CompilerFolder()
    let library = try folder.compile("plugin.so", Self.plugin, "-shared", "-s")
    let whole = try folder.bytes(of: library)
    for size in stride(from: 0, to: whole.count, by: 37) {
      try folder.change(library) { $0 = Array(whole.prefix(size)) }
      #expect(throws: ELFError.self, "cut at \(size)") { try ELFImage(path: library).check() }
    }
  }

  @Test func `a damaged library is refused or read, and never traps`() throws {
    let folder = try CompilerFolder()
    let library = try folder.compile("plugin.so", Self.plugin, "-shared", "-s")
    let whole = try folder.bytes(of: library)
    let interesting: [UInt8] = [0x00, 0x7f, 0xff]
    for index in 0..<min(whole.count, 1024) {
      for value in interesting where whole[index] != value {
        try folder.change(library) {
          $0 = whole
          $0[index] = value
        }
        try? ELFImage(path: library).check()
      }
    }
  }

  @Test func `what is no object file is refused in words`() throws {
    let folder = try CompilerFolder()
    let text = folder.path + "/text.so"
    try Data("#!/bin/sh\necho this is a script and long enough to be a header\n".utf8)
      .write(to: URL(fileURLWithPath: text))
    #expect(throws: ELFError.notELF) { try ELFImage(path: text) }
    #expect(throws: ELFError.unreadable(reason: "No such file or directory")) {
      try ELFImage(path: folder.path + "/absent.so")
    }
    #expect(throws: ELFError.unreadable(reason: "Not a regular file")) {
      try ELFImage(path: folder.path)
    }
  }

  private static let plugin = "void *sluice_plugin_entry_v1(void) { return 0; }\n"
}

/// A folder for what the C compiler makes, removed with it.
private final class CompilerFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/elf-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func compile(_ name: String, _ source: String, _ options: String...) throws -> String {
    try compile(name, source, options)
  }

  func compile(_ name: String, _ source: String, _ options: [String]) throws -> String {
    let input = path + "/\(name).c"
    let output = path + "/" + name
    try Data(source.utf8).write(to: URL(fileURLWithPath: input))
    let compiler = Command(
      ["cc", "-fPIC", "-Wl,--no-as-needed"] + options + ["-o", output, input])
    let outcome = try compiler.run()
    try #require(outcome.status == 0, "\(outcome.output)")
    return output
  }

  func bytes(of file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
  }

  func change(_ file: String, _ edit: (inout [UInt8]) -> Void) throws {
    var bytes = try bytes(of: file)
    edit(&bytes)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
  }
}
