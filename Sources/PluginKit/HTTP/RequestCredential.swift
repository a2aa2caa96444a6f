internal import CSluice

/// How the app and the user of a request are found in its query or body, where its head shows no credential: for a route
/// with `"credential": "first-message"` in the manifest.
///
/// Both functions belong to no shard and keep nothing: they may run on several loops at once, and must not block.
public struct RequestCredential {
  /// What leads to a request's app.
  public enum Found: Sendable, Equatable {
    /// A user's token, or a key: it says who is asking too.
    case credential(String)
    /// The app's id. Who is asking is nobody in particular, which the route's `auth` must allow.
    case app(String)
  }

  let find: @Sendable (QueryString, Bytes) throws -> Found?
  let refuse: @Sendable (QueryString, Bytes, Status) -> RequestRefusal?

  /// - Parameters:
  ///   - find: what leads to the app; nil when nothing does, so that host name or `?app=` must. The body is the whole, and
  ///     borrowed. A `Problem`, `HostError` or `JSONError` refuses the request.
  ///   - refuse: an answer of the plugin's own in place of the problem document, when the credential that was found is
  ///     `.unauthenticated`, `.expired` or `.denied`; nil leaves it at the problem.
  public init(
    find: @escaping @Sendable (QueryString, Bytes) throws -> Found?,
    refuse: @escaping @Sendable (QueryString, Bytes, Status) -> RequestRefusal? = { _, _, _ in nil }
  ) {
    self.find = find
    self.refuse = refuse
  }
}

/// The answer to a request whose credential is refused.
public struct RequestRefusal: Sendable {
  /// 200 to 599.
  public let status: Int
  /// At most 256 bytes.
  public let contentType: StaticString
  /// The whole body.
  public let body: [UInt8]

  /// - Parameters: as the properties; see there for the bounds.
  public init(status: Int, contentType: StaticString, body: [UInt8]) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }
}

/// A request's query as it was sent, borrowed until the function returns that it was given to.
public struct QueryString {
  private let bytes: Bytes

  init(_ slice: sluice_slice_t) { bytes = Bytes(slice) }

  /// The first parameter called `name`, decoded; nil when there is none, or its percent-encoding is broken.
  public subscript(name: String) -> String? {
    for item in bytes.split(separator: UInt8(ascii: "&")) {
      let parts = item.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard Self.decode(parts[0]) == name else { continue }
      return Self.decode(parts.count > 1 ? parts[1] : item[item.endIndex...])
    }
    return nil
  }

  private static func decode(_ raw: Slice<Bytes>) -> String? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(raw.count)
    var rest = raw
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): decoded.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit)
        else { return nil }
        decoded.append(high << 4 | low)
      default: decoded.append(byte)
      }
    }
    return String(validating: decoded, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
  }
}

extension Registry {
  /// Has app and user of a route's requests looked for in query and body; see ``RequestCredential``.
  ///
  /// - Parameter name: what the manifest calls the handler under `routes`.
  public mutating func credential(ofRoute name: String, _ credential: RequestCredential) {
    plan.add(credentialOfRoute: name, credential)
  }
}

extension HandlerPlan {
  fileprivate func requestCredential(_ handler: UInt32) -> RequestCredential? {
    guard routeNames.indices.contains(Int(handler)) else { return nil }
    return requestCredentials[routeNames[Int(handler)]]
  }
}

func requestCredentialOf(
  _ handler: UInt32, _ query: sluice_slice_t, _ body: sluice_slice_t,
  _ found: UnsafeMutablePointer<UInt32>, _ put: sluice_sink_fn, _ sink: UInt64
) -> sluice_status_t {
  guard let credential = PluginImage.current?.handlers.plan.requestCredential(handler) else {
    return SLUICE_E_UNSUPPORTED
  }
  return statusOfSearch {
    switch try credential.find(QueryString(query), Bytes(body)) {
    case .credential(let text):
      found.pointee = SLUICE_FOUND_CREDENTIAL
      text.withSlice { put(sink, $0) }
    case .app(let id):
      found.pointee = SLUICE_FOUND_APP
      id.withSlice { put(sink, $0) }
    case nil: break
    }
  }
}

/// Looks for a credential in what a client has said, and tells the host what came of it.
func statusOfSearch(_ search: () throws -> Void) -> sluice_status_t {
  do {
    try search()
    return SLUICE_OK
  } catch let error as HostError {
    return error.status.rawValue
  } catch is JSONError {
    return SLUICE_E_INVALID
  } catch {
    return ErrorAnswer(error).status
  }
}

func requestRefusalOf(
  _ handler: UInt32, _ query: sluice_slice_t, _ body: sluice_slice_t, _ why: sluice_status_t,
  _ put: sluice_sink_fn, _ sink: UInt64, _ contentType: UnsafeMutablePointer<sluice_slice_t>
) -> UInt32 {
  guard let credential = PluginImage.current?.handlers.plan.requestCredential(handler),
    let refusal = credential.refuse(QueryString(query), Bytes(body), Status(rawValue: why))
  else { return 0 }
  refusal.body.withSlice { put(sink, $0) }
  contentType.pointee = sluice_slice_t(refusal.contentType)
  return UInt32(clamping: refusal.status)
}
