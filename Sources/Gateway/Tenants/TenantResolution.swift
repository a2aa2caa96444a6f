internal import EventLoop
internal import Wire

/// What leads a request to its tenant.
enum TenantResolution {
  case tenant(Unmanaged<Tenant>)
  /// A page of the gateway's own.
  case builtIn(BuiltInPage)
  /// Two sources name different tenants, or one names a tenant and `?app=` none that there is: alike, so that nobody learns
  /// from it which apps there are.
  case disagreement
  /// An app is named that there is not, nothing else names any, and there is no tenant `platform`.
  case unknownApp
  /// Nothing leads anywhere, and there is no tenant `platform`.
  case none
}

/// The host name that was looked up last on a loop, because most requests ask for the same one.
struct HostMemory {
  var name: [UInt8] = []
  var tenant: Tenant?
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Finds the tenant by what the request shows, none of which is verified yet: a known key, the issuer that a JWT
  /// claims, the host name, `?app=`; else it is the platform's.
  @inline(__always)
  func resolveTenant(of request: RequestPointer) -> TenantResolution {
    if let page = BuiltInPage(request) { return .builtIn(page) }
    if !request.pointee.head.hasQuery, !pointee.directory.hasHosts,
      request.pointee.head.first(.authorization) == nil,
      !request.pointee.head.wantsUpgradeWebSocket, !request.pointee.flags.contains(.hasFound)
    {
      // Nothing names a tenant: the way of most requests without a credential.
      return pointee.directory.platform.map { .tenant($0) } ?? .none
    }
    return resolveNamedTenant(of: request)
  }

  @inline(never)
  private func resolveNamedTenant(of request: RequestPointer) -> TenantResolution {
    var found: Tenant?
    if let credential = credential(of: request) {
      let digest = Digest(of: credential)
      request.pointee.identityDigest = digest
      found = tenant(credential, digest, request)
      if found == nil { request.pointee.flags.insert(.isUnknown) }
    } else if let app = request.foundApp {
      guard let named = pointee.directory.tenant(app) else { return unknownApp(of: request) }
      found = named
    }
    if pointee.directory.hasHosts,
      let other = tenant(host: request.bytes(request.pointee.head.authority))
    {
      if let found, found !== other { return .disagreement }
      found = other
    }
    if request.pointee.head.hasQuery, let app = request.query(("app" as StaticString).raw) {
      guard let other = pointee.directory.tenant(String(decoding: app, as: UTF8.self)) else {
        return found == nil ? unknownApp(of: request) : .disagreement
      }
      if let found, found !== other { return .disagreement }
      if request.pointee.flags.contains(.isUnknown) { request.pointee.flags.insert(.isUnproven) }
      found = other
    }
    if let found { return .tenant(.passUnretained(found)) }
    return pointee.directory.platform.map { .tenant($0) } ?? .none
  }

  /// The platform, as far as which a request to an app that there is not goes like one to an app that there is, so that
  /// nobody learns from the way which apps there are.
  private func unknownApp(of request: RequestPointer) -> TenantResolution {
    guard let platform = pointee.directory.platform else { return .unknownApp }
    request.pointee.flags.insert(.namesNoApp)
    if request.pointee.flags.contains(.isUnknown) { request.pointee.flags.insert(.isUnproven) }
    return .tenant(platform)
  }

  private func tenant(
    _ credential: UnsafeRawBufferPointer, _ digest: Digest, _ request: RequestPointer
  ) -> Tenant? {
    let now = Int64(pointee.eventLoop.unixMilliseconds)
    if let entry = pointee.identities.find(digest, now: now), entry.isLeading {
      return entry.tenant
    }
    if let key = pointee.directory.key(digest) { return pointee.directory.tenant(key.tenant) }
    if KeyChecksum.isMistyped(credential) {
      request.pointee.flags.insert(.isMistyped)
      return nil
    }
    guard let issuer = TokenIssuer.claimed(by: credential),
      let tenant = pointee.directory.tenant(issuer)
    else { return nil }
    request.pointee.flags.insert(.isClaimed)
    return tenant
  }

  private func tenant(host: UnsafeRawBufferPointer) -> Tenant? {
    if host.elementsEqual(pointee.lastHost.name) { return pointee.lastHost.tenant }
    var name = String(decoding: host, as: UTF8.self).lowercased()
    if let colon = name.lastIndex(of: ":"), name[name.index(after: colon)...].allSatisfy(\.isNumber)
    {
      name = String(name[..<colon])
    }
    let tenant = pointee.directory.tenant(host: name)
    pointee.lastHost = HostMemory(name: Array(host), tenant: tenant)
    return tenant
  }

  /// The credential that a request shows: the Authorization field, or for a WebSocket also `?token=` and a
  /// subprotocol `bearer.…`, since browsers can set no fields there, or in the first message. A route that is known and
  /// does not take `?token=` has none there. For other requests also what was found in their query or body.
  func credential(of request: RequestPointer) -> UnsafeRawBufferPointer? {
    if let greeting = request.pointee.greeting {
      return greeting.pointee.credential.map { UnsafeRawBufferPointer($0) }
    }
    if let field = request.field(.authorization) {
      let scheme: StaticString = "bearer "
      guard field.count > 7,
        equalsIgnoringCase(UnsafeRawBufferPointer(rebasing: field[..<7]), scheme.raw)
      else {
        return field
      }
      var start = 7
      while start < field.count, field[start] == 0x20 { start += 1 }
      return UnsafeRawBufferPointer(rebasing: field[start...])
    }
    guard request.pointee.head.wantsUpgradeWebSocket else { return request.foundCredential }
    if let token = request.query(("token" as StaticString).raw), token.count > 0 {
      if request.pointee.route < 0 || request.facts.pointee.takesTokenInQuery { return token }
      // It has led to the tenant, and is no credential here.
      request.pointee.identityDigest = nil
    }
    return offeredCredential(of: request) { _ in true }
  }

  /// The first credential among the subprotocols that a request offers of which `isMeant` says so.
  private func offeredCredential(
    of request: RequestPointer, where isMeant: (UnsafeRawBufferPointer) -> Bool
  ) -> UnsafeRawBufferPointer? {
    let fields = UnsafeMutableBufferPointer(
      start: request.pointee.fields, count: request.pointee.head.fieldCount)
    var offers = SubprotocolList(request.pointee.head, fields)
    while let offer = offers.next(in: request.pointee.base) {
      let name = request.bytes(offer)
      guard name.starts(with: ("bearer." as StaticString).raw) else { continue }
      let credential = UnsafeRawBufferPointer(rebasing: name[7...])
      if isMeant(credential) { return credential }
    }
    return nil
  }

  /// Whether a request shows a second credential where its route takes one: nobody can tell which of them is meant.
  ///
  /// - Parameter credential: the one that it goes by.
  func showsAnother(than credential: UnsafeRawBufferPointer, _ request: RequestPointer) -> Bool {
    guard request.pointee.greeting == nil else { return false }
    if request.facts.pointee.takesTokenInQuery, request.pointee.head.hasQuery,
      let token = request.query(("token" as StaticString).raw), token.count > 0,
      !token.elementsEqual(credential)
    {
      return true
    }
    guard request.pointee.head.wantsUpgradeWebSocket else { return false }
    return offeredCredential(of: request) { !$0.elementsEqual(credential) } != nil
  }
}
