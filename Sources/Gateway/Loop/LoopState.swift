internal import EventLoop
internal import TLS
internal import Wire

typealias LoopPointer = UnsafeMutablePointer<LoopState>

/// Everything that one loop's connections share, behind one pointer that C callbacks reach without counting
/// references. Confined to the loop's thread.
struct LoopState: ~Copyable {
  let eventLoop: EventLoop
  let index: Int
  var settings: GatewaySettings
  let headLimits: RequestHeadLimits
  let output: OutputBuffer
  /// Whose bytes `output` holds.
  var outputOwner: ConnectionPointer?
  var tokens: TokenTable
  var requests = RequestPool()
  var directory = LoopDirectory()
  /// What all plugins would serve; nil until the owner has said.
  var installed: InstalledRoutes?
  var identities = IdentityCache()
  /// Keys whose use is to be told of; each stands here once.
  var usedKeys: [KeyUse] = []
  let metrics: LoopMetrics
  var access: AccessLog
  var dates: DateCache
  var prefix = AnswerPrefix()
  var requestIDs: RequestIDSource
  let shared: GatewayShared
  let host: any TenantHost
  /// Where heads are parsed to before they need memory of their own.
  let fields: UnsafeMutableBufferPointer<HeaderField>

  var handshakes: DeadlineList
  var idle: DeadlineList
  var heads: DeadlineList
  var bodies: DeadlineList
  var pending: DeadlineList
  var writes: DeadlineList
  var pings: DeadlineList

  var http2: HTTP2Loop

  var listeners: [Listener] = []
  /// Those of them that speak TLS, in the order of ``Gateway/listen(on:secure:)``.
  var secureListeners: [SecureListenerPointer] = []
  /// Where this loop's TLS sessions read and write; there is one when there is a listener with TLS.
  var transfer: TLSTransfer?
  var isDraining = false
  var overload = LoopOverload()
  /// Tenants that have something to add to what they use.
  var tenantsInUse: [Tenant] = []
  /// The last host name that was looked up, and where it leads.
  var lastHost = HostMemory()
  /// Connections that go on when no plugin is being called.
  var resuming: [ConnectionPointer] = []
  /// Requests with a claim that their plugins have in hand and nobody waits for, by their tokens; swept once a second.
  var orphans: [UInt64: OrphanedRequest] = [:]
  /// Those of them that were given up.
  var lapsed = LapsedRequests()
  /// Groups with something to send at the end of this tick.
  var groups = GroupOutbox()
  var groupHook: TickHook
  var compression = CompressionPool()
  /// Never freed: a watchdog may look at it at any time.
  let mark: UnsafeMutablePointer<CallMark>

  init(
    eventLoop: EventLoop, settings: GatewaySettings, shared: GatewayShared, host: any TenantHost,
    seed: UInt64, groupHook: TickHook
  ) {
    self.eventLoop = eventLoop
    index = eventLoop.index
    self.settings = settings
    self.shared = shared
    self.host = host
    self.groupHook = groupHook
    headLimits = RequestHeadLimits(
      headBytes: settings.headBytes, targetBytes: settings.targetBytes,
      fields: settings.headerFields)
    output = eventLoop.output
    mark = .allocate(capacity: 1)
    mark.initialize(to: CallMark())
    tokens = TokenTable(loop: eventLoop.index)
    metrics = LoopMetrics()
    access = AccessLog(writer: shared.accessLog)
    dates = DateCache()
    requestIDs = RequestIDSource(seed: seed)
    fields = .allocate(capacity: max(settings.headerFields, 1))
    handshakes = DeadlineList(duration: settings.handshakeTimeout)
    // Connections between two requests are many, and looked at once a second anyway.
    idle = DeadlineList(duration: settings.idleTimeout, slack: min(1000, settings.idleTimeout / 4))
    heads = DeadlineList(duration: settings.headTimeout)
    bodies = DeadlineList(duration: settings.bodyTimeout)
    pending = DeadlineList(duration: settings.requestTimeout)
    writes = DeadlineList(duration: settings.writeTimeout)
    pings = DeadlineList(duration: settings.pingInterval)
    http2 = HTTP2Loop(settings: settings)
  }

  deinit {
    tokens.destroy()
    compression.destroy()
    metrics.destroy()
    access.destroy()
    dates.destroy()
    prefix.destroy()
    requestIDs.destroy()
    fields.deallocate()
    transfer?.destroy()
  }
}
