internal import EventLoop
internal import Glibc
internal import Wire

/// A page that the gateway answers itself, on every host name.
enum BuiltInPage {
  /// The process runs.
  case health
  /// New work is welcome.
  case ready
  case metrics
  case openAPI
  case docs

  @inline(__always)
  init?(_ request: RequestPointer) {
    let path = request.path
    // One bit for each length that any of them has.
    guard path.count < 16, 0b10_0001_1010_0000 >> path.count & 1 == 1 else { return nil }
    self.init(path)
  }

  @inline(never)
  private init?(_ path: UnsafeRawBufferPointer) {
    switch path.count {
    case 5 where Self.isPath(path, "/docs"): self = .docs
    case 7 where Self.isPath(path, "/readyz"): self = .ready
    case 8 where Self.isPath(path, "/healthz"): self = .health
    case 8 where Self.isPath(path, "/metrics"): self = .metrics
    case 13 where Self.isPath(path, "/openapi.json"): self = .openAPI
    default: return nil
    }
  }

  /// Whether the path is this one, of the same length.
  @inline(__always)
  private static func isPath(_ path: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
    memcmp(path.baseAddress.unsafelyUnwrapped, name.utf8Start, name.utf8CodeUnitCount) == 0
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  private static var json: StaticString { "application/json" }

  func answer(_ request: RequestPointer, with page: BuiltInPage) {
    if request.pointee.head.method == .other { return request.refuseMethod() }
    guard request.pointee.head.method == .get || request.pointee.head.method == .head else {
      request.add(("allow" as StaticString).raw, ("GET, HEAD" as StaticString).raw)
      request.problem(.methodNotAllowed, "This page is only read.")
      return
    }
    switch page {
    case .health:
      request.answer(
        200, contentType: Self.json.raw, body: (#"{"status":"ok"}"# as StaticString).raw)
    case .ready: answerReady(request)
    case .metrics: answerMetrics(request)
    case .openAPI: answerOpenAPI(request)
    case .docs: answerDocs(request)
    }
  }

  private func answerReady(_ request: RequestPointer) {
    let isServing = pointee.shared.isReady.load(ordering: .relaxed) && !pointee.isDraining
    if isServing, pointee.shared.sheddingLoops.load(ordering: .relaxed) == 0 {
      request.answer(
        200, contentType: Self.json.raw, body: (#"{"status":"ready"}"# as StaticString).raw)
      return
    }
    request.add(("retry-after" as StaticString).raw, ("5" as StaticString).raw)
    request.problem(
      .overloaded,
      isServing
        ? "The gateway is overloaded and sheds new connections."
        : "The gateway is starting or draining.")
  }

  private func answerOpenAPI(_ request: RequestPointer) {
    let app = request.query(("app" as StaticString).raw).map { String(decoding: $0, as: UTF8.self) }
    guard let text = pointee.host.openAPI(tenant: app) else {
      request.problem(.notFound, "There is no such app.")
      return
    }
    text.withUnsafeBytes { _ = request.answer(200, contentType: Self.json.raw, body: $0) }
  }

  private func answerDocs(_ request: RequestPointer) {
    let type: StaticString = "text/html; charset=utf-8"
    request.answer(200, contentType: type.raw, body: DocsPage.html.raw)
  }

  /// Numbers of all loops, gathered from loop to loop and answered here.
  private func answerMetrics(_ request: RequestPointer) {
    guard pointee.settings.publicMetrics || request.isOfThisMachine else {
      request.problem(.forbidden, "Numbers are shown to the machine itself only.")
      return
    }
    request.pointee.stage = .handling
    let token = request.pointee.token
    let origin = GatewayLoop(state: self)
    let loops = pointee.shared.loops
    gather(loops, []) { samples in
      origin.eventLoop.post { origin.state.finishMetrics(token, samples) }
    }
  }

  private func finishMetrics(_ token: UInt64, _ samples: [[Int64]]) {
    guard let request = request(token), request.pointee.stage == .handling else { return }
    var page = MetricsPage()
    page.add(loops: samples)
    page.add(
      "sluice_resident_memory_bytes", isGauge: true,
      help: "Memory of the process that is resident.",
      value: Int64(EventLoop.residentMemory()))
    pointee.host.addMetrics(to: &page)
    let type: StaticString = "text/plain; version=0.0.4"
    var text = page.text
    text.withUTF8 {
      _ = request.answer(200, contentType: type.raw, body: UnsafeRawBufferPointer($0))
    }
  }
}

/// Collects a copy of each loop's numbers, one loop after the other.
private func gather(
  _ loops: [GatewayLoop], _ samples: [[Int64]], _ done: @escaping @Sendable ([[Int64]]) -> Void
) {
  guard let next = loops.first else { return done(samples) }
  next.eventLoop.post {
    gather(Array(loops.dropFirst()), samples + [next.state.pointee.metrics.snapshot()], done)
  }
}
