import CSluice
import Foundation
import Wire

@testable import EventLoop
@testable import Gateway

/// What `body` writes, as text.
func written(_ body: (inout ByteWriter) -> Void) -> String {
  var writer = ByteWriter(growingFrom: 16)
  defer { writer.deallocate() }
  body(&writer)
  return writer.text
}

/// Calls `body` with the bytes of `text`.
func withBytes<R>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
  try Array(text.utf8).withUnsafeBytes(body)
}

/// A route whose handler is never called.
func route(
  _ method: HTTPMethod, _ patterns: String..., operation: String = "op"
) -> (patterns: [String], route: Route) {
  let handler: RequestFunction = { _, _, _ in SLUICE_OK }
  return (
    patterns,
    Route(
      method: method, pattern: patterns[0], operation: operation, plugin: 0,
      target: .request(handler, cancelled: nil, handler: 0), auth: .none)
  )
}

extension RouteTable {
  struct Found: Equatable {
    var match: Match
    /// As they stand in the path; empty unless a route was found.
    var parameters: [String]
  }

  /// Looks a path up, with the parameters that the found route's pattern has.
  func find(_ method: HTTPMethod, _ path: String) -> Found {
    let spans = UnsafeMutablePointer<ByteSpan>.allocate(capacity: Self.parameterLimit)
    spans.initialize(repeating: .empty, count: Self.parameterLimit)
    defer { spans.deallocate() }
    return withBytes(path) { bytes in
      let match = match(method, bytes, parameters: spans)
      guard case .route(let index) = match else { return Found(match: match, parameters: []) }
      let count = routes[index].pattern.filter { $0 == "{" }.count
      return Found(
        match: match,
        parameters: (0..<count).map { spans[$0].text(in: bytes.baseAddress.unsafelyUnwrapped) })
    }
  }
}

/// A set of methods as `RouteTable.Match` has it.
func methods(_ list: HTTPMethod...) -> RouteTable.Match {
  .methodNotAllowed(list.reduce(0) { $0 | 1 << UInt16($1.rawValue) })
}

/// A folder that is removed with the test.
final class ScratchFolder {
  /// Ends in a slash.
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(
      path: UUID().uuidString, directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path()
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension PeerAddress {
  /// The address that these 16 bytes are.
  init(bytes: [UInt8]) {
    let words = bytes.withUnsafeBytes {
      ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    self.init(high: words.0, low: words.1, port: 443)
  }

  init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
    self.init(bytes: [UInt8](repeating: 0, count: 10) + [0xff, 0xff, a, b, c, d])
  }
}
