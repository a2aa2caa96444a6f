internal import CSluice
public import PluginKit

/// What a plugin makes of the first message of a socket.
public enum TestGreeting: Sendable, Equatable {
  /// The credential that it has found; nil when the peer is nobody in particular.
  case credential(String?)
  /// It refuses the peer with this status.
  case refused(Status)
}

/// What a peer is told that is not let in.
public struct TestFarewell: Sendable, Equatable {
  /// The text message before the close frame, if there is one.
  public let message: String?
  /// The close code.
  public let code: Int
  /// The close frame's words; "" when there are none.
  public let reason: String

  /// - Parameters: as the properties.
  public init(message: String? = nil, code: Int, reason: String = "") {
    self.message = message
    self.code = code
    self.reason = reason
  }
}

extension TestHost {
  /// Asks the plugin where in a first message the credential is.
  ///
  /// - Parameter handler: as the manifest calls it under `sockets`.
  /// - Throws: `TestFailure` when the plugin has no such socket, or looks for no credentials.
  public func greet(_ handler: String, _ message: String) async throws -> TestGreeting {
    let (number, table) = try await greeter(handler)
    let box = TestSink()
    var status: sluice_status_t = 0
    try choosing {
      status = message.withTestSlice { message in
        table.pointee.credential_of(
          number, SLUICE_MESSAGE_TEXT, message, { TestSink.of($0).put($1) }, box.word)
      }
    }
    return status < 0 ? .refused(Status(rawValue: status)) : .credential(box.text)
  }

  /// Asks the plugin what to tell a peer that is refused.
  ///
  /// - Parameter message: nil for a peer that has said nothing.
  /// - Throws: as `greet`.
  public func refusal(
    _ handler: String, of message: String?, because why: Status
  ) async throws -> TestFarewell {
    let (number, table) = try await greeter(handler)
    let box = TestSink()
    var reason = sluice_slice_t(bytes: nil, length: 0)
    func ask(_ message: sluice_slice_t) -> UInt32 {
      table.pointee.refusal(
        number, SLUICE_MESSAGE_TEXT, message, why.rawValue, { TestSink.of($0).put($1) }, box.word,
        &reason)
    }
    var code: UInt32 = 0
    try choosing {
      code = message?.withTestSlice(ask) ?? ask(sluice_slice_t(bytes: nil, length: 0))
    }
    return TestFarewell(message: box.text, code: Int(code), reason: reason.text)
  }

  private func greeter(
    _ handler: String
  ) async throws -> (UInt32, UnsafePointer<sluice_websocket_credential_v1_t>) {
    let found = try await resolving { handlers -> Greeter? in
      guard let table = handlers.credential,
        let number = handlers.websocket.flatMap({ TestHost.number(handler, $0.pointee.resolve) })
      else { return nil }
      return Greeter(number: number, table: table)
    }
    guard let found else { throw TestFailure("\"\(handler)\" looks for no credentials") }
    return (found.number, found.table)
  }
}

/// What a plugin makes of a request's query and body.
public enum TestFinding: Sendable, Equatable {
  /// What leads to the app; nil when nothing does.
  case found(RequestCredential.Found?)
  /// It refuses the request with this status.
  case refused(Status)
}

extension TestHost {
  /// Asks the plugin what in a request leads to its app.
  ///
  /// - Parameters:
  ///   - handler: as the manifest calls it under `routes`.
  ///   - query: as it would be sent, without the question mark; nil is none.
  /// - Throws: `TestFailure` when the plugin has no such route, or looks for nothing in its requests.
  public func find(
    _ handler: String, query: String? = nil, body: String = ""
  ) async throws -> TestFinding {
    let finder = try await finder(handler)
    let box = TestSink()
    var kind = SLUICE_FOUND_NOTHING
    var status: sluice_status_t = 0
    try choosing {
      status = finder.lend(query, body) {
        finder.table.pointee.credential_of(
          finder.number, $0, $1, &kind, { TestSink.of($0).put($1) }, box.word)
      }
    }
    guard status >= 0 else { return .refused(Status(rawValue: status)) }
    switch kind {
    case SLUICE_FOUND_CREDENTIAL: return .found(box.text.map { .credential($0) })
    case SLUICE_FOUND_APP: return .found(box.text.map { .app($0) })
    default: return .found(nil)
    }
  }

  /// Asks the plugin for an answer of its own to a refused credential; nil leaves it at the problem document.
  ///
  /// - Throws: as `find`.
  public func refusal(
    _ handler: String, query: String? = nil, body: String = "", because why: Status
  ) async throws -> TestReply? {
    let finder = try await finder(handler)
    guard let refusal = finder.table.pointee.refusal else { return nil }
    let box = TestSink()
    var type = sluice_slice_t(bytes: nil, length: 0)
    var status: UInt32 = 0
    try choosing {
      status = finder.lend(query, body) {
        refusal(
          finder.number, $0, $1, why.rawValue, { TestSink.of($0).put($1) }, box.word, &type)
      }
    }
    guard status != 0 else { return nil }
    return TestReply(
      status: Int(status), contentType: type.text, headers: [], body: Array((box.text ?? "").utf8))
  }

  private func finder(_ handler: String) async throws -> Finder {
    let found = try await resolving { handlers -> Finder? in
      guard let table = handlers.requestCredential,
        let number = handlers.http.flatMap({ TestHost.number(handler, $0.pointee.resolve) })
      else { return nil }
      return Finder(number: number, table: table)
    }
    guard let found else { throw TestFailure("\"\(handler)\" looks for no credentials") }
    return found
  }
}

private struct Finder: @unchecked Sendable {
  // A table of static lifetime, which nothing changes.
  let number: UInt32
  let table: UnsafePointer<sluice_request_credential_v1_t>

  func lend<Value>(
    _ query: String?, _ body: String, _ ask: (sluice_slice_t, sluice_slice_t) -> Value
  ) -> Value {
    body.withTestSlice { body in
      query?.withTestSlice { ask($0, body) } ?? ask(sluice_slice_t(bytes: nil, length: 0), body)
    }
  }
}

private struct Greeter: @unchecked Sendable {
  // A table of static lifetime, which nothing changes.
  let number: UInt32
  let table: UnsafePointer<sluice_websocket_credential_v1_t>
}

/// Takes bytes from a plugin while one call lasts.
private final class TestSink {
  private(set) var text: String?

  var word: UInt64 { UInt64(UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())) }

  static func of(_ word: UInt64) -> TestSink {
    Unmanaged.fromOpaque(UnsafeRawPointer(bitPattern: UInt(word))!).takeUnretainedValue()
  }

  func put(_ bytes: sluice_slice_t) { text = bytes.text }
}

extension String {
  fileprivate func withTestSlice<Value>(_ body: (sluice_slice_t) -> Value) -> Value {
    var copy = self
    return copy.withUTF8 {
      body(sluice_slice_t(bytes: $0.baseAddress, length: UInt64($0.count)))
    }
  }
}
