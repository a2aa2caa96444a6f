import Foundation
import Testing

/// What `make build` has made. `make test` builds first; without a build these fail and say so.
@Suite(
  .disabled(
    if: getenv("SLUICE_SANITIZER") != nil, "a sanitizer's own symbols are in what is built with it")
)
struct `Built files` {
  static let folder = ".build/release"

  /// Shipped plugins and examples, by their paths from the folder.
  static let plugins: [String] =
    ["auth", "control", "mailer", "branding", "realtime", "chat", "uploads", "webhooks"].map {
      "plugins/\($0)/lib\($0).so"
    }
    + ["app-examples/tally/libtally.so"]
    + (["hello-swift", "conformance", "hello-c"] + (hasRust ? ["hello-rust"] : [])).map {
      "examples/\($0)/lib\($0).so"
    }

  /// `make build` leaves the example in Rust out where there is no cargo.
  static let hasRust = (try? Tree.run(["cargo", "--version"]).status) == 0

  // Anything else that a plugin exports can be picked up by another plugin's loader, and is then a promise.
  @Test(arguments: plugins) func `a plugin exports its entry and nothing else`(
    plugin: String
  ) throws {
    let path = "\(Self.folder)/\(plugin)"
    try #require(Tree.exists(path), "not built: run `make build`")
    let symbols = try Tree.output("nm", "-D", "--defined-only", "--extern-only", path)
    let names = symbols.split(separator: "\n").compactMap { $0.split(separator: " ").last }
    #expect(names == ["sluice_plugin_entry_v1"])
  }

  /// Lines of links.txt: a file and the libraries that it names, as `readelf -d` shows them.
  static let links = Result<[String: Set<String>], any Error> {
    var links: [String: Set<String>] = [:]
    let text = try Tree.text("Tests/ArchitectureTests/links.txt")
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ").map(String.init)
      guard words.count > 1, links.updateValue(Set(words.dropFirst()), forKey: words[0]) == nil
      else { throw Failure("links.txt: \(line)") }
    }
    return links
  }

  // A library that is linked by accident is started in every gateway, updated by nobody and found by an attacker.
  @Test(arguments: plugins + ["sluice"]) func `a file links what links.txt says`(
    file: String
  ) throws {
    let path = "\(Self.folder)/\(file)"
    try #require(Tree.exists(path), "not built: run `make build`")
    let expected = try #require(try Self.links.get()[file], "links.txt has no line for \(file)")
    let section = try Tree.output("readelf", "-dW", path)
    let linked = section.split(separator: "\n").filter { $0.contains("(NEEDED)") }
      .compactMap { $0.firstMatch(of: #/\[(.+)\]/#).map { String($0.1) } }
      // The loader is named after the machine.
      .filter { !$0.hasPrefix("ld-linux") }
    #expect(Set(linked).subtracting(expected) == [], "linked, but not in links.txt")
    #expect(expected.subtracting(linked) == [], "in links.txt, but not linked")
  }

  @Test func `links.txt names nothing that is not built`() throws {
    let known = Set(Self.plugins + ["sluice", "examples/hello-rust/libhello-rust.so"])
    #expect(Set(try Self.links.get().keys).subtracting(known) == [])
  }
}
