import Foundation

/// A folder for one test, gone with it.
final class ScratchFolder {
  let path: String

  init() {
    var template = Array("/tmp/sluice-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { fatalError("mkdtemp failed") }
    path = String(cString: made)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Writes a file below the folder, making the folders on its way; gives its whole path.
  @discardableResult
  func write(_ text: String, to name: String) -> String {
    let file = "\(path)/\(name)"
    try! FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try! Data(text.utf8).write(to: URL(fileURLWithPath: file))
    return file
  }
}
