internal import EventLoop
internal import Wire

// What pages of other origins are told (the Fetch standard, §3.2). There are no cookies, so credentials in its sense are never allowed.
extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Whether a page of the origin that the request comes from may have it. One without the field comes from no page.
  var originIsAllowed: Bool {
    guard let origin = field(.origin), let tenant = pointee.tenant else { return true }
    return tenant._withUnsafeGuaranteedRef { $0.origins.allows(origin) }
  }

  /// Adds the fields with which a browser lets the page read the answer. Only of requests with an Origin.
  @inline(never)
  func addCrossOrigin(_ status: Int) {
    guard let origin = field(.origin) else { return }
    guard let tenant = pointee.tenant else {
      // A refusal says nothing of anybody; pages of the gateway's own are for no other origin.
      if status >= 400 { allow(("*" as StaticString).raw) }
      return
    }
    let (isOpen, isAllowed) = tenant._withUnsafeGuaranteedRef {
      ($0.origins.isOpen, $0.origins.allows(origin))
    }
    // What is cached for one origin is not another's, and not for none.
    if !pointee.flags.contains(.isPreflight) {
      add(("vary" as StaticString).raw, ("Origin" as StaticString).raw)
    }
    if isAllowed { allow(isOpen ? ("*" as StaticString).raw : origin) }
  }

  private func allow(_ origin: UnsafeRawBufferPointer) {
    add(("access-control-allow-origin" as StaticString).raw, origin)
    guard !pointee.flags.contains(.isPreflight) else { return }
    add(
      ("access-control-expose-headers" as StaticString).raw,
      ("x-request-id, retry-after, location, idempotency-replayed, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset"
        as StaticString).raw)
  }

  /// Whether a browser asks on behalf of a page what that may send.
  @inline(__always)
  var isPreflight: Bool {
    pointee.head.method == .options && pointee.head.first(.origin) != nil
      && pointee.head.first(.accessControlRequestMethod) != nil
  }

  /// Answers such a question from the routes that there are; no plugin hears of it.
  ///
  /// It carries no credential, so it seldom names its app: then it is asked of all routes that are installed, and whether the
  /// page may read the answer is seen when the request itself comes.
  @inline(never)
  func answerPreflight() {
    pointee.flags.insert(.isPreflight)
    add(
      ("vary" as StaticString).raw,
      ("Origin, Access-Control-Request-Method, Access-Control-Request-Headers" as StaticString).raw)
    guard originIsAllowed else {
      problem(.forbidden, "The app does not allow pages of this origin.")
      return
    }
    let methods = methodsHere
    guard methods != 0 else {
      problem(.notFound, "There is nothing at this path.")
      return
    }
    var names: [String] = []
    for raw in 1..<UInt8(8) where methods >> UInt16(raw) & 1 == 1 {
      if let method = HTTPMethod(rawValue: raw) { names.append("\(method.name)") }
    }
    var list = names.joined(separator: ", ")
    list.withUTF8 {
      add(("access-control-allow-methods" as StaticString).raw, UnsafeRawBufferPointer($0))
    }
    if let wanted = field(.accessControlRequestHeaders), isFieldNames(wanted) {
      add(("access-control-allow-headers" as StaticString).raw, wanted)
    }
    add(("access-control-max-age" as StaticString).raw, ("600" as StaticString).raw)
    answer(
      204, contentType: UnsafeRawBufferPointer(start: nil, count: 0),
      body: UnsafeRawBufferPointer(start: nil, count: 0))
  }

  /// The methods that the path has, a bit each: in the tenant, and on the platform also in apps.
  private var methodsHere: UInt16 {
    let tenant = pointee.tenant.unsafelyUnwrapped.takeUnretainedValue()
    let isPlatform = loop.pointee.directory.platform?.takeUnretainedValue() === tenant
    return withUnsafeMutableBytes(of: &pointee.parameters) { memory in
      let room = memory.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: ByteSpan.self)
      let own = pointee.generation.unsafelyUnwrapped._withUnsafeGuaranteedRef {
        $0.routes.methods(at: path, room)
      }
      guard isPlatform, let installed = loop.pointee.installed else { return own }
      return own | installed.methods(at: path, room)
    }
  }

  /// Whether the bytes are names of fields joined by commas, of a length that is sensible to repeat.
  private func isFieldNames(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count <= 1024
      && bytes.split(separator: 0x2c, omittingEmptySubsequences: false).allSatisfy { part in
        let name = part.drop { $0 == 0x20 }
        return FieldSyntax.isName(UnsafeRawBufferPointer(rebasing: name))
      }
  }
}

extension RouteTable {
  /// The methods that a path has, a bit for each by ``HTTPMethod``'s raw value.
  ///
  /// - Parameter parameters: room for ``parameterLimit`` spans; its content is lost.
  func methods(
    at path: UnsafeRawBufferPointer, _ parameters: UnsafeMutablePointer<ByteSpan>
  ) -> UInt16 {
    // A method that no route has, so that all of them are told.
    switch match(.other, path, parameters: parameters) {
    case .methodNotAllowed(let methods): methods
    case .route, .notFound: 0
    }
  }
}
