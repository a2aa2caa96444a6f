import Foundation
import PluginHost
import Testing

@Suite struct `Documentation` {
  @Test func `the page on limits has the table that the program keeps`() throws {
    let page = try String(contentsOfFile: "docs/limits.md", encoding: .utf8)
    #expect(page.contains(Limit.markdown), "the table is now:\n\(Limit.markdown)")
  }

  @Test func `the page on errors has every code that the sources name`() throws {
    let page = try String(contentsOfFile: "docs/errors.md", encoding: .utf8)
    let named = try Regex(#"(?:ProblemCode\(\d{3}, |code: |case \d{3}: )"([a-z]+(?:_[a-z]+)*)""#)
    var codes: Set<String> = []
    for folder in [
      "Sources/Wire", "Sources/Gateway", "Sources/PluginHost", "Sources/PluginKit", "Plugins",
    ] {
      for file in FileManager.default.enumerator(atPath: folder)?.compactMap({ $0 as? String })
        ?? []
      where file.hasSuffix(".swift") {
        let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
        for match in text.matches(of: named) {
          if let code = match.output[1].substring { codes.insert(String(code)) }
        }
      }
    }
    #expect(codes.contains("not_found"))
    let absent = codes.filter { !page.contains("| `\($0)` |") }.sorted()
    #expect(absent == [])
  }
}
