internal import CSluice
internal import EventLoop
internal import Wire

/// What a request is told that leads to no route, or whose credential nobody knows. Cold: nothing here is on the way of a
/// request that is served.
extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// There is no route, or none with this method.
  @inline(never)
  func refuseRoute(_ match: RouteTable.Match) {
    if pointee.head.isAboutServer {
      // RFC 9110 §9.3.7: a ping of the server as a whole.
      let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
      answer(204, contentType: nothing, body: nothing)
      return
    }
    if pointee.flags.contains(.namesNoApp) { return refuseUnknownApp() }
    // Whatever there is or is not, it is not told to whoever shows what may be guessed.
    if pointee.flags.contains(.isUnproven) { return refuseCredential() }
    if pointee.flags.contains(.isClaimed) { return refuseClaimant(match) }
    refuse(match)
  }

  /// Whoever has come here by a token that nobody has looked at learns what this app lacks when the token is good. Else it
  /// could be told from the answer which apps there are.
  private func refuseClaimant(_ match: RouteTable.Match) {
    let loop = loop
    guard let credential = loop.credential(of: self) else { return refuseCredential() }
    pointee.stage = .identifying
    let token = pointee.token
    let generation = pointee.generation.unsafelyUnwrapped.takeUnretainedValue()
    loop.pointee.host.identify(.bearer, credential, in: generation, on: GatewayLoop(state: loop)) {
      answer in
      guard let request = loop.request(token), request.pointee.stage == .identifying else { return }
      if case .known = answer {
        request.refuse(match)
      } else {
        request.refuseCredential(as: answer)
      }
      loop.request(token)?.continueLater()
    }
  }

  /// The credential is not good, or nobody can tell.
  func refuseCredential(as answer: IdentityAnswer) {
    switch answer {
    case .known, .unknown: refuseCredential()
    case .denied(let reason): refuseCredential(reason: reason)
    case .expired:
      pointee.greeting?.pointee.hasExpired = true
      refuseCredential(SLUICE_E_EXPIRED)
    case .unavailable:
      problem(.pluginUnavailable, "Credentials cannot be checked now. Try again later.")
    }
  }

  private func refuse(_ match: RouteTable.Match) {
    // RFC 9110 §9.1: what nobody here knows is not the path's fault.
    if pointee.head.method == .other { return refuseMethod() }
    switch match {
    case .route: return
    case .notFound: refusePath()
    case .methodNotAllowed(let methods):
      var allowed: [String] = []
      for raw in 1..<UInt8(8) where methods >> UInt16(raw) & 1 == 1 {
        if let method = HTTPMethod(rawValue: raw) { allowed.append("\(method.name)") }
      }
      var list = allowed.joined(separator: ", ")
      list.withUTF8 { add(("allow" as StaticString).raw, UnsafeRawBufferPointer($0)) }
      problem(.methodNotAllowed, "This path does not take that method; see the Allow field.")
    }
  }

  /// The method is none of those that the gateway knows.
  func refuseMethod() {
    problem(.notImplemented, "The gateway does not know this method.")
  }

  private func refusePath() {
    // What was asked for may well exist, for whoever has a credential that is good.
    if pointee.flags.contains(.isUnknown) { return refuseCredential() }
    let tenant = pointee.tenant.unsafelyUnwrapped.takeUnretainedValue()
    let isNoApp = pointee.flags.contains(.namesNoApp)
    let onPlatform =
      !isNoApp && loop.pointee.directory.platform?.takeUnretainedValue() === tenant
    let enabled =
      isNoApp ? [] : pointee.generation.unsafelyUnwrapped.takeUnretainedValue().pluginIDs
    let absence = withUnsafeMutableBytes(of: &pointee.parameters) { parameters in
      loop.pointee.installed?.absence(
        of: pointee.head.method, path, onPlatform: onPlatform, with: enabled,
        parameters: parameters.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: ByteSpan.self))
    }
    switch absence {
    case nil: problem(.notFound, "There is nothing at this path.")
    case .notEnabled(_, let auth, let takesToken)
    where isNoApp || !onPlatform && auth.wantsCredential && loop.credential(of: self) == nil:
      // Which plugins an app has is told to those who show that they belong to it, and whether there is such an app.
      if auth.wantsCredential { return refuseNobody(takesToken) }
      problem(.notFound, "There is no such app.")
    case .notEnabled(let plugin, _, _):
      problem(
        .pluginNotEnabled,
        detail: "This path belongs to the plugin \"\(plugin)\", which is not switched on for "
          + (onPlatform ? "the platform." : "this app."))
    case .otherKind(let auth, let takesToken):
      refuseKind(auth, onPlatform: onPlatform, takesToken)
    }
  }

  /// The path is an app's and the request is at the platform, or the other way round.
  private func refuseKind(_ auth: RouteAuth, onPlatform: Bool, _ takesToken: Bool) {
    guard auth.wantsCredential else {
      problem(
        .notFound,
        onPlatform
          ? "This path is an app's: name the app by a credential, its host name or ?app=."
          : "This path is the platform's, and the request names an app.")
      return
    }
    add(("www-authenticate" as StaticString).raw, ("Bearer" as StaticString).raw)
    let isShown = loop.credential(of: self) != nil
    switch (onPlatform, isShown) {
    case (true, true):
      problem(
        .unauthenticated,
        "This path is an app's, and the credential is not: use a key or a user's token of the app.")
    case (true, false) where takesToken:
      problem(
        .unauthenticated,
        "This needs a credential of an app: Authorization: Bearer …, or ?token=….")
    case (true, false):
      problem(.unauthenticated, "This needs a credential of an app: Authorization: Bearer …")
    case (false, true):
      problem(
        .unauthenticated,
        "This path is the platform's, and the credential is an app's: use an account's token.")
    case (false, false):
      problem(
        .unauthenticated,
        "This path is the platform's: use an account's token, and name no app.")
    }
  }

  /// An app is named that there is not. Where it matters it is answered as by one that there is: only what is for everybody
  /// tells that it is not.
  func refuseUnknownApp() {
    if pointee.flags.contains(.isUnknown) { return refuseCredential() }
    guard let installed = loop.pointee.installed, pointee.tenant != nil else {
      problem(.notFound, "There is no such app.")
      return
    }
    let match = withUnsafeMutableBytes(of: &pointee.parameters) { parameters in
      installed.match(
        inApps: pointee.head.method, path,
        parameters: parameters.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: ByteSpan.self))
    }
    if case .route = match { return refusePath() }
    refuse(match)
  }

  /// There is no credential where one is needed.
  func refuseNobody(_ takesTokenInQuery: Bool) {
    add(("www-authenticate" as StaticString).raw, ("Bearer" as StaticString).raw)
    problem(
      .unauthenticated,
      takesTokenInQuery
        ? "This needs a credential: Authorization: Bearer …, or ?token=…."
        : "This needs a credential: Authorization: Bearer …")
  }

  /// The credential opens nothing, or is of a scheme that is not taken (RFC 9110 §11.6.1).
  @inline(never)
  ///
  /// - Parameter reason: in place of words that say nothing, for who holds a genuine one.
  func refuseCredential(_ why: Int32 = SLUICE_E_UNAUTHENTICATED, reason: String? = nil) {
    if refusesInPluginsWords(why) { return }
    if let scheme = otherScheme {
      add(("www-authenticate" as StaticString).raw, ("Bearer" as StaticString).raw)
      problem(
        .unauthenticated,
        detail: "The scheme \(scheme) is not accepted here, only Bearer: Authorization: Bearer …")
      return
    }
    // RFC 6750 §3.1.
    let challenge: StaticString =
      why == SLUICE_E_EXPIRED
      ? "Bearer error=\"invalid_token\", error_description=\"The credential has expired\""
      : "Bearer error=\"invalid_token\""
    add(("www-authenticate" as StaticString).raw, challenge.raw)
    if let reason {
      problem(.unauthenticated, detail: reason)
    } else if why == SLUICE_E_EXPIRED {
      problem(.unauthenticated, "The credential has expired.")
    } else {
      problem(
        .unauthenticated,
        pointee.flags.contains(.isMistyped)
          ? "The key is mistyped: its last six characters do not fit the others. Copy all of it again."
          : "The credential is wrong, or was revoked.")
    }
  }

  /// Answers a request that shows two credentials which are not the same.
  func refuseBothCredentials() {
    if refusesInPluginsWords(SLUICE_E_UNAUTHENTICATED) { return }
    add(
      ("www-authenticate" as StaticString).raw,
      ("Bearer error=\"invalid_request\"" as StaticString).raw)
    problem(
      .unauthenticated,
      "Two credentials are shown that are not the same, in Authorization, ?token= or a subprotocol."
    )
  }

  /// The scheme of an Authorization field that has another one than `Bearer`.
  private var otherScheme: String? {
    guard let field = field(.authorization), let end = field.firstIndex(of: 0x20), end <= 32 else {
      return nil
    }
    let scheme = UnsafeRawBufferPointer(rebasing: field[..<end])
    return equalsIgnoringCase(scheme, ("bearer" as StaticString).raw)
      ? nil : String(decoding: scheme, as: UTF8.self)
  }
}
