internal import CSluice
internal import PluginKit
internal import Synchronization

/// What the test host knows. Its `context` in the contract's host table points here.
final class TestWorld: @unchecked Sendable {
  // The loop's thread owns every `var`; the `let`s are immutable or guard themselves.
  let loop = TestLoop()
  let control = TestLoop()
  let workers = TestLoop()
  /// What the workers' thread waits for while a test holds it.
  let workersAreReleased = Signal()
  /// Jobs that the workers' thread has not begun.
  let waitingJobs = Atomic<Int>(0)
  let shared: TestShared
  let manifest: TestManifest
  let store: TestStore
  let config: TestMemory
  let refusal = TestRefusal()
  /// The plugin's folder of files, which is thrown away with the store's.
  let filesFolder: String
  let files: TestMemory
  let instanceTable: UnsafeMutablePointer<sluice_host_v1_t>
  let shardTable: UnsafeMutablePointer<sluice_host_v1_t>
  private var names: [UnsafeMutablePointer<UInt8>] = []

  var handlers = TestHandlers()
  var instance: UInt64 = 0
  var shard: UInt64 = 0
  private var lastToken: UInt64 = 0
  var exchanges: [UInt64: TestExchange] = [:]
  var connections: [UInt64: TestPeer] = [:]
  var groups: [UInt64: Set<UInt64>] = [:]
  var subscriptions: [(token: UInt64, channel: String, context: UInt64)] = []
  var members: [String: [String: TestMember]] = [:]
  /// Why the shard is drained.
  var ending = SLUICE_ENDING_NOT
  var published: [TestPublication] = []
  var events: [TestPublication] = []
  var timers: [UInt64: TestTimer] = [:]
  var secrets: [String: [UInt8]] = [:]
  /// Values lent to the plugin; they go when the loop has nothing more to do.
  var lent: [UnsafeMutableBufferPointer<UInt8>] = []
  /// What clients may ask the plugin itself for, and what it has counted of what they say.
  var admissible = Int.max
  var countedMessages = 0
  var alarm: TestAlarm?
  /// The wake-up in the plugin's hands, or 0, and the earliest time that was set since it began.
  var wakeToken: UInt64 = 0
  var askedMeanwhile: Int64?
  /// What stands for others' servers.
  var server: (@Sendable (Client.Request) throws -> Client.Response)?
  var providers: [TestProvider] = []
  var messageTakers: [String: @Sendable (ClientMessage) throws -> [UInt8]] = [:]
  var socketNames: [String: TestMemory] = [:]
  var eventTypes = TestMemory(Array("[]".utf8))
  var formerEventTypes: [TestMemory] = []
  var calls: [UInt64: @Sendable (sluice_status_t, [UInt8]) -> Void] = [:]
  var deliveries: [UInt64: (sequence: Int64, done: @Sendable (sluice_status_t) -> Void)] = [:]
  var tenants = TestTenants()
  /// What `room` of the store says.
  var hasRoom = true
  /// Whether answers without a length may begin.
  var hasConnectionRoom = true
  /// How often the plugin had the tenant's credentials asked for again.
  var forgotten = 0
  private var idleWaiters: [@Sendable () -> Void] = []

  init(manifest: TestManifest, tenant: String, config: [UInt8]) throws {
    self.manifest = manifest
    self.config = TestMemory(config)
    let shared = TestShared()
    self.shared = shared
    let history = manifest.history
    // The store tells of commits before it completes them, on a thread of its own.
    let door = WorldDoor()
    store = try TestStore(
      tenant: tenant, owner: manifest.tablePrefix,
      history: { channel in
        let name = TestWorld.namespace(of: channel)
        return shared.bounds(of: name)
          ?? TestBounds(size: history[name] ?? 1_000, seconds: 0)
      },
      now: { shared.now }, committed: { events in door.world?.committed(events) })
    filesFolder = store.folder + "/files"
    try TestFiles.make(filesFolder)
    files = TestMemory(Array(filesFolder.utf8))
    instanceTable = .allocate(capacity: 1)
    shardTable = .allocate(capacity: 1)
    for (table, loop) in [(instanceTable, SLUICE_NO_LOOP), (shardTable, 0)] {
      table.initialize(
        to: sluice_host_v1_t(
          struct_size: UInt32(MemoryLayout<sluice_host_v1_t>.size),
          abi_major: UInt16(SLUICE_ABI_MAJOR), abi_minor: UInt16(SLUICE_ABI_MINOR),
          context: UInt64(UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())),
          loop_index: loop, loop_count: 1, host_name: keep("sluice-test"),
          host_version: keep("0"), plugin: keep(manifest.id), tenant: keep(tenant),
          get_extension: testExtension))
    }
    door.world = self
  }

  deinit {
    instanceTable.deallocate()
    shardTable.deallocate()
    for name in names { name.deallocate() }
    for value in lent { value.deallocate() }
  }

  static func of(_ host: UnsafePointer<sluice_host_v1_t>) -> TestWorld {
    Unmanaged<TestWorld>.fromOpaque(
      UnsafeRawPointer(bitPattern: UInt(host.pointee.context)).unsafelyUnwrapped
    ).takeUnretainedValue()
  }

  /// Text that lives as long as the tables.
  private func keep(_ text: String) -> sluice_slice_t {
    let bytes = Array(text.utf8)
    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
    copy.initialize(from: bytes, count: bytes.count)
    names.append(copy)
    return sluice_slice_t(bytes: copy, length: UInt64(bytes.count))
  }

  func token() -> UInt64 {
    lastToken += 1
    return lastToken
  }

  /// Lends bytes until the plugin has returned from what it is called for.
  func lend(_ bytes: [UInt8]) -> sluice_slice_t {
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, bytes.count))
    _ = copy.initialize(fromContentsOf: bytes)
    lent.append(copy)
    return sluice_slice_t(bytes: UnsafePointer(copy.baseAddress), length: UInt64(bytes.count))
  }

  // MARK: Threads

  /// Whether a call that belongs to the loop comes from there; if not, the test hears of it.
  func isOnLoop(_ function: StaticString) -> Bool {
    if loop.isCurrent { return true }
    shared.violate("\(function) was called off the loop's thread")
    return false
  }

  /// Has `body` done on the loop, and counts it until it is done.
  func later(_ body: @escaping @Sendable () -> Void) {
    shared.begin()
    loop.post {
      body()
      self.end()
    }
  }

  /// Ends what `shared.begin` began. Loop thread.
  func end() {
    // What was lent is made unusable, so that a plugin that keeps a slice is found out.
    for value in lent {
      value.update(repeating: 0xDD)
      value.deallocate()
    }
    lent = []
    guard shared.end() else { return }
    let waiters = idleWaiters
    idleWaiters = []
    for waiter in waiters { waiter() }
  }

  /// Calls `waiter` when nothing is under way. Loop thread.
  func whenIdle(_ waiter: @escaping @Sendable () -> Void) {
    if shared.isIdle { waiter() } else { idleWaiters.append(waiter) }
  }

  /// Ends an asynchronous call of the plugin, on the loop, after the plugin has returned.
  func complete(
    _ completion: @escaping sluice_completion_fn, _ context: UInt64, _ status: sluice_status_t,
    _ result: [UInt8]? = nil
  ) {
    later {
      completion(
        context, status,
        result.map { self.lend($0) } ?? sluice_slice_t(bytes: nil, length: 0))
    }
  }

  /// Ends an asynchronous call with what `answer` makes, or with the status and words of what it throws.
  func complete(
    _ completion: @escaping sluice_completion_fn, _ context: UInt64,
    with answer: () throws -> [UInt8]
  ) -> sluice_status_t {
    do {
      complete(completion, context, SLUICE_OK, try answer())
    } catch let error as HostError {
      complete(completion, context, error.status.rawValue, Array(error.text.utf8))
    } catch {
      complete(completion, context, SLUICE_E_INTERNAL, Array("\(error)".utf8))
    }
    return SLUICE_PENDING
  }

  // MARK: Events

  /// Events that are on disk; on the store's thread.
  private func committed(_ events: [TestStore.CommittedEvent]) {
    later {
      for event in events {
        let record = TestPublication(event)
        self.events.append(record)
        self.deliver(record)
      }
    }
  }

  /// Hands a publication to the shard's subscriptions. Loop thread.
  func deliver(_ publication: TestPublication) {
    guard let channel = publication.channel, let subscriber = handlers.subscriber else { return }
    for subscription in subscriptions where subscription.channel == channel {
      // One handler may end the subscription of the next.
      guard subscriptions.contains(where: { $0.token == subscription.token }) else { continue }
      var event = self.event(publication)
      subscriber.pointee.publication(shard, subscription.context, &event)
    }
  }

  func event(_ publication: TestPublication) -> sluice_event_v1_t {
    let absent = sluice_slice_t(bytes: nil, length: 0)
    return sluice_event_v1_t(
      sequence: publication.sequence, offset: publication.offset, time_ms: publication.time,
      type: publication.type.map { lend(Array($0.utf8)) } ?? absent,
      id: lend(Array(publication.id.utf8)),
      channel: publication.channel.map { lend(Array($0.utf8)) } ?? absent,
      epoch: publication.epoch.map { lend(Array($0.utf8)) } ?? absent,
      data: lend(publication.data.bytes))
  }
}

/// The way from the store to the world, which is made after it.
private final class WorldDoor: @unchecked Sendable {
  // Set before the store has anything to tell, on the thread that makes both.
  weak var world: TestWorld?
}

/// The plugin's own tables.
struct TestHandlers {
  var http: UnsafePointer<sluice_http_handler_v1_t>?
  var requestCredential: UnsafePointer<sluice_request_credential_v1_t>?
  var phases: UnsafePointer<sluice_phase_handler_v1_t>?
  var websocket: UnsafePointer<sluice_websocket_handler_v1_t>?
  var credential: UnsafePointer<sluice_websocket_credential_v1_t>?
  var messages: UnsafePointer<sluice_message_handler_v1_t>?
  var subscriber: UnsafePointer<sluice_bus_subscriber_v1_t>?
  var listener: UnsafePointer<sluice_event_listener_v1_t>?
  var provider: UnsafePointer<sluice_service_provider_v1_t>?
  var alarm: UnsafePointer<sluice_alarm_handler_v1_t>?
}

struct TestTimer {
  var due: Int64
  let distance: Int64
  let function: sluice_completion_fn
  let context: UInt64
}

struct TestProvider: Sendable {
  let service: String
  let key: String?
  let method: UInt32
  let answer: @Sendable ([UInt8]) throws -> [UInt8]
}
