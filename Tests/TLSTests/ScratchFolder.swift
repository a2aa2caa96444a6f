import Foundation
import TLS

/// A folder that is gone when its owner is.
final class ScratchFolder {
  let path: String

  init() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-tls-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.path()
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws -> String {
    let file = path + "/" + name
    try Data(text.utf8).write(to: URL(filePath: file))
    return file
  }

  func text(of file: String) throws -> String { try String(contentsOfFile: file, encoding: .utf8) }

  /// A self-signed certificate for these names.
  func certificate(for names: String...) throws -> CertificateSource {
    try SelfSignedCertificate.provide(for: names, in: path, now: unixNow).source
  }
}

var unixNow: Int64 { Int64(Date().timeIntervalSince1970) }

extension TLSContext {
  /// A context that must not warn.
  static func strict(
    _ settings: TLSSettings, tickets: TicketKeys? = nil, now: Int64 = unixNow
  ) throws -> TLSContext {
    var warnings: [CertificateError] = []
    let context = try TLSContext(
      reading: settings, tickets: tickets ?? TicketKeys()!, now: now, allowsLapsed: false,
      warnings: &warnings)
    if let first = warnings.first { throw first }
    return context
  }
}
