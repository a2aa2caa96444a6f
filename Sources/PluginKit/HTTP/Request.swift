internal import CSluice

/// One request, read through the host. Loop thread only.
///
/// It is good until it is answered or its peer is gone. In an `async` handler the peer may go during
/// any `await`: then what is optional is nil, and what is required throws `RequestGone`, which ends
/// the handler quietly. The handler's task is cancelled too.
@frozen
public struct Request {
  // The context outlives every handler: the host keeps the shard until its requests have ended, and a
  // handler's task holds the context. A strong reference would cost every synchronous request ARC.
  @usableFromInline unowned(unsafe) let context: ShardContext
  /// The number by which the host knows the request.
  public let token: UInt64

  @inlinable
  init(context: ShardContext, token: UInt64) {
    self.context = context
    self.token = token
  }
}

/// The request was read after its peer had gone.
public struct RequestGone: Error {
  /// For tests; a request throws it by itself.
  public init() {}
}

extension Request {
  /// "GET", "POST", … as sent; "" when the peer is gone.
  public var method: String { read { $0.pointee.method($1, token) }.text }

  /// The path as sent, without the query, not decoded; "" when the peer is gone.
  public var path: String { read { $0.pointee.path($1, token) }.text }

  /// What stands in place of the `index`-th `{…}` of the route's pattern, from 0, percent-decoded.
  ///
  /// - Throws: `RequestGone`; also when the pattern has no such parameter.
  public func parameter(_ index: Int) throws -> String {
    guard index >= 0, let (http, host) = context.http else { throw RequestGone() }
    let value = Bytes(http.pointee.path_parameter(host, token, UInt32(clamping: index)))
    guard value.isPresent else { throw RequestGone() }
    return value.text
  }

  /// The first query parameter called `name`, decoded.
  public func query(_ name: String) -> String? {
    let value = name.withSlice { name in read { $0.pointee.query($1, token, name) } }
    return value.isPresent ? value.text : nil
  }

  /// The first header field called `name`, in any case. `Authorization` is never shown.
  public func header(_ name: String) -> String? {
    let value = name.withSlice { name in read { $0.pointee.header($1, token, name) } }
    return value.isPresent ? value.text : nil
  }

  /// The body of a route with `"body": "buffer"`, valid until the answer. Absent when the peer is gone.
  public var body: Bytes { read { $0.pointee.body($1, token) } }

  /// The id that also stands in `x-request-id`, in the log and in every problem document.
  public var id: String { read { $0.pointee.request_id($1, token) }.text }

  /// The client's address, without the port: the connection's peer, or what a proxy says that the operator trusts.
  public var peer: String { read { $0.pointee.peer($1, token) }.text }

  /// The subject of the certificate that the client's TLS connection has shown and the gateway has verified, as RFC 4514
  /// writes it; nil when there is none, and without `sluice.client-certificate/1`.
  public var clientCertificate: String? {
    guard
      let (certificate, host) = context.link.find(
        "sluice.client-certificate/1", sluice_client_certificate_v1_t.self)
    else { return nil }
    let subject = Bytes(certificate.pointee.subject(host, token))
    return subject.isPresent ? subject.text : nil
  }

  /// Who is asking.
  public var principal: Principal {
    guard let (http, host) = context.http else { return .anonymous }
    var value = sluice_principal_v1_t()
    guard http.pointee.principal(host, token, &value) == SLUICE_OK else { return .anonymous }
    return Principal(value)
  }

  /// The body as a value.
  ///
  /// - Throws: `Problem` 400 `invalid_request` with the JSON pointer of what is wrong; `RequestGone`.
  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    let body = body
    guard body.isPresent else { throw RequestGone() }
    do {
      return try JSON.decode(type, from: body)
    } catch let error as JSONError {
      throw Problem.invalid(
        "The body is not what is expected here.",
        errors: [Problem.Fault(pointer: error.pointer, message: error.message)])
    }
  }

  @inline(__always)
  private func read(
    _ getter: (UnsafePointer<sluice_http_v1_t>, UnsafePointer<sluice_host_v1_t>) -> sluice_slice_t
  ) -> Bytes {
    guard let (http, host) = context.http else { return Bytes(.absent) }
    return Bytes(getter(http, host))
  }
}
