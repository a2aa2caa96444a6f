import Foundation
import Testing

@testable import Gateway

@Suite struct `The writer of a log` {
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  @Test func `has written every line when it is closed, each thread's in its order`() async throws {
    let path = folder.path + "log"
    let writer = try LogWriter(path: path)
    await withTaskGroup(of: Void.self) { group in
      for thread in 0..<4 {
        group.addTask {
          for number in 0..<2_000 {
            #expect(writer.write(Array("\(thread) \(number)\n".utf8)))
          }
        }
      }
    }
    writer.close()
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 8_000)
    for thread in 0..<4 {
      let own = lines.filter { $0.hasPrefix("\(thread) ") }
      #expect(own.elementsEqual((0..<2_000).map { Substring("\(thread) \($0)") }))
    }
  }

  @Test func `appends to a file that is there, and makes one that only its owner writes`() throws {
    let path = folder.path + "log"
    for text in ["one\n", "two\n"] {
      let writer = try LogWriter(path: path)
      writer.write(Array(text.utf8))
      writer.close()
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "one\ntwo\n")
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect((mode ?? 0) & 0o137 == 0)
  }

  @Test func `refuses a file that cannot be opened, with its name and the reason`() {
    do throws(LogUnavailable) {
      _ = try LogWriter(path: folder.path + "absent/log")
      Issue.record("opened")
    } catch {
      #expect(error.description.contains("absent/log"))
      #expect(error.description.contains("No such file or directory"))
    }
  }

  @Test func `closes though its reader has stopped, and counts what that one never took`() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    let writer = try LogWriter(path: "/proc/self/fd/\(ends[1])")
    // More than a pipe holds.
    let line = [UInt8](repeating: 0x61, count: 999) + [0x0a]
    for _ in 0..<2_000 { #expect(writer.write(line)) }
    writer.close()
    #expect(writer.linesRefused > 1_000)
    #expect(writer.linesRefused < 2_000)
  }

  @Test func `counts the lines that the disk refuses`() throws {
    let writer = try LogWriter(path: "/dev/full")
    #expect(writer.write(Array("one\ntwo\n".utf8)))
    #expect(writer.write(Array("three\n".utf8)))
    writer.close()
    #expect(writer.linesRefused == 3)
  }

  @Test func `begins a line of its own after one that was cut off`() throws {
    let path = folder.path + "log"
    let writer = try LogWriter(path: path)
    writer.write(Array("whole\ncut".utf8))
    writer.write(Array("next\n".utf8))
    writer.close()
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "whole\ncut\nnext\n")
    #expect(writer.linesRefused == 0)
  }

  @Test func `takes nothing once it is closed`() throws {
    let path = folder.path + "log"
    let writer = try LogWriter(path: path)
    #expect(writer.write(Array("before\n".utf8)))
    writer.close()
    #expect(!writer.write(Array("after\n".utf8)))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "before\n")
  }

  @Test func `does not take what passes its bound`() throws {
    let path = folder.path + "log"
    let writer = try LogWriter(path: path)
    #expect(!writer.write([UInt8](repeating: 0x78, count: 8 * 1024 * 1024 + 1)))
    #expect(writer.write(Array("small\n".utf8)))
    writer.close()
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "small\n")
  }
}
