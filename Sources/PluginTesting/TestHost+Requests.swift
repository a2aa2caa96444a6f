internal import CSluice
@_spi(PluginTesting) public import PluginKit

extension Principal {
  /// An end user of the app.
  public static func user(_ id: String, claims: RawJSON = "{}") -> Principal {
    Principal(kind: .user, id: id, claims: claims)
  }

  /// The app's own server.
  public static func key(_ id: String = "key_test", scopes: [String] = ["*"]) -> Principal {
    Principal(kind: .key, id: id, scopes: scopes)
  }

  /// A developer.
  public static func account(_ id: String) -> Principal {
    Principal(kind: .account, id: id)
  }
}

extension TestHost {
  /// Makes a request and returns its answer.
  ///
  /// - Parameters:
  ///   - target: the path, with a query if there is one.
  ///   - handler: as the manifest calls it; nil finds it by the manifest's routes.
  ///   - parameters: what stands in place of the pattern's `{…}`; nil takes them from `target`.
  ///   - principal: who is asking.
  ///   - clientCertificate: the subject of the certificate that the client's connection has shown.
  ///   - peer: the client's address.
  /// - Throws: `TestFailure` when there is no such route or handler, or no answer within 10 s.
  public func request(
    _ method: String, _ target: String, handler: String? = nil, parameters: [String]? = nil,
    headers: [(String, String)] = [], body: String = "", as principal: Principal = .anonymous,
    clientCertificate: String? = nil, from peer: String = "127.0.0.1"
  ) async throws -> TestReply {
    let pending = try await begin(
      method, target, handler: handler, parameters: parameters, headers: headers, body: body,
      as: principal, clientCertificate: clientCertificate, from: peer)
    return try await pending.reply()
  }

  /// Makes a request and does not wait: for a peer that goes away.
  public func begin(
    _ method: String, _ target: String, handler: String? = nil, parameters: [String]? = nil,
    headers: [(String, String)] = [], body: String = "", as principal: Principal = .anonymous,
    clientCertificate: String? = nil, from peer: String = "127.0.0.1"
  ) async throws -> PendingReply {
    let (path, query) = TestTarget.split(target)
    let route = world.manifest.route(method, path)
    guard let name = handler ?? route?.handler else {
      throw TestFailure("the manifest has no route \(method) \(path)")
    }
    let id = "req_\(world.shared.random(4).reduce(0) { $0 << 8 | UInt32($1) })"
    let head = TestExchange.Head(
      method: method, path: path, parameters: parameters ?? route?.parameters ?? [],
      query: query, headers: headers, body: Array(body.utf8), id: id, principal: principal,
      clientCertificate: clientCertificate, peer: peer)
    let number = try await resolve(name)
    let reply = TestPromise<TestReply>()
    let token = try await onLoop { world in
      guard let http = world.handlers.http else { throw TestFailure("the plugin has no routes") }
      let token = world.token()
      world.exchanges[token] = TestExchange(head, handler: number) { reply.fulfil($0) }
      let status = http.pointee.handle(world.shard, number, token)
      if status == SLUICE_OK, let exchange = world.exchanges[token], exchange.begun == nil {
        world.shared.violate("handler \(name) returned SLUICE_OK without an answer")
        reply.fulfil(TestReply(status: SLUICE_E_INTERNAL))
        world.retire(token)
      } else if status < 0 {
        reply.fulfil(TestReply(status: status))
        world.retire(token)
      }
      return token
    }
    return PendingReply(host: self, token: token, promise: reply)
  }

  private func resolve(_ name: String) async throws -> UInt32 {
    let world = world
    let number = try await resolving { handlers in
      guard let http = handlers.http else { throw TestFailure("the plugin has no routes") }
      return TestHost.number(name, http.pointee.resolve)
    }
    guard let number else {
      throw TestFailure("the plugin \(world.manifest.id) has no handler \"\(name)\"")
    }
    return number
  }

  static func number(
    _ name: String,
    _ resolve: (sluice_slice_t, UnsafeMutablePointer<UInt32>) -> sluice_status_t
  ) -> UInt32? {
    var name = name
    return name.withUTF8 { text in
      var number: UInt32 = 0
      let slice = sluice_slice_t(bytes: text.baseAddress, length: UInt64(text.count))
      return resolve(slice, &number) == SLUICE_OK ? number : nil
    }
  }
}

/// A request that is being answered.
public struct PendingReply: Sendable {
  let host: TestHost
  let token: UInt64
  let promise: TestPromise<TestReply>

  /// The answer, when it has come.
  ///
  /// - Throws: `TestFailure` after 10 s.
  public func reply() async throws -> TestReply {
    try await promise.value("the plugin has not answered the request after 10 s")
  }

  /// What has come so far of an answer in pieces, when `isEnough` says so; nil before its beginning.
  ///
  /// - Throws: `TestFailure` with what has come, after 10 s.
  @discardableResult
  public func pieces(
    until isEnough: @escaping @Sendable (TestPieces) -> Bool = { _ in true }
  ) async throws -> TestPieces {
    for _ in 0..<1_000 {
      let begun = try await host.onLoop { world in
        (world.exchanges[token]?.begun, world.exchanges[token] == nil)
      }
      if let pieces = begun.0, isEnough(pieces) { return pieces }
      if begun.1 {
        let reply = try await reply()
        let pieces = TestPieces(
          status: reply.status, contentType: reply.contentType, headers: reply.headers,
          body: reply.body)
        guard isEnough(pieces) else { throw TestFailure("it ended with: \(pieces.text)") }
        return pieces
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    let text = try await host.onLoop { world in world.exchanges[token]?.begun?.text }
    throw TestFailure("after 10 s there is only: \(text ?? "no answer")")
  }

  /// Has the peer read no more, so that the plugin hears that it is behind; or read on.
  public func setReading(_ isReading: Bool) async throws {
    try await host.onLoop { world in
      guard let exchange = world.exchanges[token] else { return }
      exchange.isReading = isReading
      if isReading, let call = exchange.takeWaiting() {
        world.complete(call.function, call.context, SLUICE_OK, nil)
      }
    }
  }

  /// The peer goes away, if the answer has not been given: the token dies.
  public func cancel() async throws {
    try await host.onLoop { world in
      guard let exchange = world.exchanges[token] else { return }
      world.cancel(token, exchange)
    }
  }
}

enum TestTarget {
  static func split(_ target: String) -> (path: String, query: [(String, String)]) {
    guard let mark = target.firstIndex(of: "?") else { return (target, []) }
    let query = target[target.index(after: mark)...].split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (decode(parts[0]), parts.count > 1 ? decode(parts[1]) : "")
    }
    return (String(target[..<mark]), query)
  }

  private static func decode(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
