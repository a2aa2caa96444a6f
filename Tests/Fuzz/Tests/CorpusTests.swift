import Foundation
import FuzzTargets
import Testing

/// Every input in the corpus, among them all that has ever broken a promise.
@Suite struct `The corpus of` {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "corpus")

  @Test(arguments: FuzzTarget.allCases) func `a target keeps its promises`(target: FuzzTarget)
    throws
  {
    let folder = Self.folder.appending(path: target.rawValue)
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files { try Data(contentsOf: file).withUnsafeBytes { target.run($0) } }
    target.run(UnsafeRawBufferPointer(start: nil, count: 0))
  }
}
