import Glibc
import PluginKit
import Testing

@testable import ControlPlugin

/// A folder of its own, which goes with it.
private final class Bench {
  let anchor: AuditAnchor

  init() throws {
    var path = Array("/tmp/sluice-anchor-XXXXXX".utf8CString)
    anchor = AuditAnchor(folder: String(cString: try #require(mkdtemp(&path))))
  }

  deinit {
    unlink(anchor.folder + "/" + AuditAnchor.file)
    rmdir(anchor.folder)
  }
}

@Suite struct `What is noted of the audit log's end` {
  private func link(_ seq: Int64, _ hash: String, after previous: String) -> AuditLink {
    AuditLink(
      head: AuditHead(seq: seq, hash: hash), before: AuditHead(seq: seq - 1, hash: previous))
  }

  @Test func `goes on with the log`() throws {
    let bench = try Bench()
    let anchor = bench.anchor
    #expect(try anchor.known() == nil)
    #expect(try anchor.note(link(7, "g", after: "f"), trusting: nil) == nil)
    #expect(try anchor.note(link(8, "h", after: "g"), trusting: nil) == nil)
    #expect(try anchor.note(link(8, "h", after: "g"), trusting: nil) == nil)
    #expect(try anchor.known() == AuditHead(seq: 8, hash: "h"))
    withExtendedLifetime(bench) {}
  }

  /// As when other loops write too, or a crash came between an entry and its note.
  @Test func `passes over entries once the log is known to have the one that stands there`() throws
  {
    let bench = try Bench()
    let anchor = bench.anchor
    let first = AuditHead(seq: 7, hash: "g")
    #expect(try anchor.note(link(7, "g", after: "f"), trusting: nil) == nil)
    #expect(try anchor.note(link(9, "i", after: "h"), trusting: nil) == first)
    #expect(try anchor.known() == first)
    #expect(try anchor.note(link(9, "i", after: "h"), trusting: first) == nil)
    let last = AuditHead(seq: 9, hash: "i")
    #expect(try anchor.note(link(8, "h", after: "g"), trusting: first) == last)
    #expect(try anchor.note(link(8, "h", after: "g"), trusting: last) == nil)
    #expect(try anchor.known() == last)
    withExtendedLifetime(bench) {}
  }

  @Test func `gives way to no entry of a log that was cut off and has grown since`() throws {
    let bench = try Bench()
    let anchor = bench.anchor
    let known = AuditHead(seq: 7, hash: "g")
    #expect(try anchor.note(link(7, "g", after: "f"), trusting: nil) == nil)
    for other in [
      link(5, "E", after: "d"), link(6, "F", after: "E"), link(7, "G", after: "F"),
      link(8, "H", after: "G"), link(9, "I", after: "H"),
    ] {
      #expect(try anchor.note(other, trusting: nil) == known)
    }
    #expect(try anchor.known() == known)
    withExtendedLifetime(bench) {}
  }

  @Test func `is not replaced where it cannot be read`() throws {
    let bench = try Bench()
    let anchor = bench.anchor
    let file = open(anchor.folder + "/" + AuditAnchor.file, O_WRONLY | O_CREAT, 0o600)
    #expect(write(file, "nothing\n", 8) == 8)
    close(file)
    #expect(throws: HostError.self) { try anchor.note(link(1, "a", after: "0"), trusting: nil) }
    #expect(throws: HostError.self) { try anchor.known() }
    withExtendedLifetime(bench) {}
  }
}
