internal import CSluice
internal import PluginKit

/// A request on its way through the plugin. Its memory is made unusable when its token dies.
final class TestExchange {
  struct Head: Sendable {
    var method: String
    var path: String
    var parameters: [String]
    var query: [(String, String)]
    var headers: [(String, String)]
    var body: [UInt8]
    var id: String
    var principal: Principal
    var clientCertificate: String?
    var peer = "127.0.0.1"
  }

  let method: TestMemory
  let path: TestMemory
  let parameters: [TestMemory]
  let query: [(name: String, value: TestMemory)]
  let headers: [(name: String, value: TestMemory)]
  let body: TestMemory
  let id: TestMemory
  let peer: TestMemory
  let principal: TestPrincipal
  let clientCertificate: TestMemory?
  let handler: UInt32
  /// The phase that it is in; nil with the handler of its route.
  let phase: TestPhaseState?
  private let answered: @Sendable (TestReply) -> Void
  private(set) var fields: [(name: String, value: String)] = []
  private(set) var begun: TestPieces?
  /// The plugin's calls that wait for the peer to read on.
  private var waiting: (function: sluice_completion_fn, context: UInt64)?
  /// Whether the peer reads; else every piece is taken, and the plugin is told that it is behind.
  var isReading = true
  private var bodyIsRead = false

  init(
    _ head: Head, handler: UInt32, phase: TestPhaseState? = nil,
    answered: @escaping @Sendable (TestReply) -> Void
  ) {
    method = TestMemory(Array(head.method.utf8))
    path = TestMemory(Array(head.path.utf8))
    parameters = head.parameters.map { TestMemory(Array($0.utf8)) }
    query = head.query.map { ($0.0, TestMemory(Array($0.1.utf8))) }
    headers = head.headers.map { ($0.0.lowercased(), TestMemory(Array($0.1.utf8))) }
    body = TestMemory(head.body)
    id = TestMemory(Array(head.id.utf8))
    peer = TestMemory(Array(head.peer.utf8))
    principal = TestPrincipal(head.principal)
    clientCertificate = head.clientCertificate.map { TestMemory(Array($0.utf8)) }
    self.handler = handler
    self.phase = phase
    self.answered = answered
  }

  func setHeader(_ name: String, _ value: String) -> sluice_status_t {
    let reserved = ["content-length", "transfer-encoding", "connection", "date", "x-request-id"]
    let isToken =
      !name.isEmpty
      && name.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
          || "!#$%&'*+-.^_`|~".utf8.contains($0)
      }
    let isText = value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    guard isToken && isText && !reserved.contains(name.lowercased()) else {
      return SLUICE_E_INVALID
    }
    fields.append((name.lowercased(), value))
    let size = fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    return size > 8_192 ? SLUICE_E_TOO_LARGE : SLUICE_OK
  }

  func answer(_ status: Int, _ contentType: String?, _ body: [UInt8]) {
    answered(
      TestReply(status: status, contentType: contentType, headers: fields, body: body))
  }

  func begin(_ status: Int, _ contentType: String?) -> sluice_status_t {
    guard begun == nil else { return SLUICE_E_WRONG_STATE }
    begun = TestPieces(status: status, contentType: contentType, headers: fields)
    return SLUICE_OK
  }

  func write(
    _ piece: [UInt8], _ completion: @escaping sluice_completion_fn, _ context: UInt64
  ) -> sluice_status_t {
    guard begun != nil else { return SLUICE_E_WRONG_STATE }
    guard waiting == nil else { return SLUICE_E_OVERLOADED }
    begun?.body += piece
    guard !isReading else { return SLUICE_OK }
    waiting = (completion, context)
    return SLUICE_PENDING
  }

  /// The call that has waited, when its time has come.
  func takeWaiting() -> (function: sluice_completion_fn, context: UInt64)? {
    defer { waiting = nil }
    return waiting
  }

  func end() -> sluice_status_t {
    guard let begun else { return SLUICE_E_WRONG_STATE }
    answered(
      TestReply(
        status: begun.status, contentType: begun.contentType, headers: begun.headers,
        body: begun.body))
    return SLUICE_OK
  }

  /// The body as a stream of one piece.
  func nextPiece() -> [UInt8] {
    defer { bodyIsRead = true }
    return bodyIsRead ? [] : Array(UnsafeBufferPointer(body.buffer))
  }
}

/// What has come of an answer in pieces.
public struct TestPieces: Sendable {
  /// The HTTP status.
  public let status: Int
  /// As the plugin gave it.
  public let contentType: String?
  /// What the plugin added, names in lower case.
  public let headers: [(name: String, value: String)]
  /// All pieces so far.
  public internal(set) var body: [UInt8] = []

  /// The body as text.
  public var text: String { String(decoding: body, as: UTF8.self) }
}

/// Bytes that the plugin borrows. Overwritten when they go, so that a borrower who stays is found out.
final class TestMemory {
  let buffer: UnsafeMutableBufferPointer<UInt8>

  init(_ bytes: [UInt8]) {
    let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count + 1)
    _ = memory.initialize(from: bytes + [0])
    buffer = UnsafeMutableBufferPointer(rebasing: memory[..<bytes.count])
  }

  deinit {
    buffer.update(repeating: 0xDD)
    buffer.baseAddress?.deallocate()
  }

  var slice: sluice_slice_t {
    sluice_slice_t(bytes: UnsafePointer(buffer.baseAddress), length: UInt64(buffer.count))
  }
}

/// A principal in the contract's form.
final class TestPrincipal {
  let principal: Principal
  private let kind: UInt32
  private let id: TestMemory
  private let scopes: TestMemory
  private let claims: TestMemory
  private let expiresAt: Int64

  init(_ principal: Principal) {
    self.principal = principal
    kind =
      switch principal.kind {
      case .anonymous: SLUICE_PRINCIPAL_ANONYMOUS
      case .account: SLUICE_PRINCIPAL_ACCOUNT
      case .key: SLUICE_PRINCIPAL_KEY
      case .user: SLUICE_PRINCIPAL_USER
      }
    id = TestMemory(Array(principal.id.utf8))
    scopes = TestMemory(Array(principal.scopes.sorted().joined(separator: " ").utf8))
    claims = TestMemory(principal.claims.bytes)
    expiresAt = principal.expiresAt?.unixMilliseconds ?? 0
  }

  var value: sluice_principal_v1_t {
    sluice_principal_v1_t(
      kind: kind, reserved: 0, id: id.slice, scopes: scopes.slice, claims: claims.slice,
      expires_at_ms: expiresAt)
  }

  static var anonymous: sluice_principal_v1_t {
    // Literals live for ever.
    let empty = ("" as StaticString).utf8Start
    let object = ("{}" as StaticString).utf8Start
    return sluice_principal_v1_t(
      kind: SLUICE_PRINCIPAL_ANONYMOUS, reserved: 0, id: sluice_slice_t(bytes: empty, length: 0),
      scopes: sluice_slice_t(bytes: empty, length: 0),
      claims: sluice_slice_t(bytes: object, length: 2), expires_at_ms: 0)
  }
}
