internal import CSluice
internal import Synchronization

/// Where a shard or an instance is in its life (plugin.h), for whoever checks calls.
enum LifeState: UInt8, AtomicRepresentable {
  case loaded, created, active, draining, retired

  var name: String {
    switch self {
    case .loaded: "LOADED"
    case .created: "CREATED"
    case .active: "ACTIVE"
    case .draining: "DRAINING"
    case .retired: "RETIRED"
    }
  }
}

/// What `debug.thread_checks` adds: each function of the contract looks at its thread and state tag first, and a call
/// that breaks it is named in the log and answered without being done.
///
/// Which tables a plugin gets is decided where it asks for them, so without the option no call looks at anything. With it
/// host tables, shards and instances are kept for ever, so that a call after the end is seen too.
enum CallCheck {
  /// For [loop-thread & ACTIVE|DRAINING]: what to answer instead, or nil to go on.
  static func onLoop(_ host: UnsafePointer<sluice_host_v1_t>, _ function: StaticString) -> Int32? {
    guard host.pointee.loop_index != SLUICE_NO_LOOP else {
      return refuse(instance(host), function, thread: "the loop's", state: nil)
    }
    let shard = shard(host)
    guard shard.eventLoop.isCurrent else {
      return refuse(shard.instance, function, thread: "the loop's", state: nil)
    }
    return inState(shard, function, lastState: .draining)
  }

  /// For [any-thread & ACTIVE|DRAINING] of a shard.
  static func anyThread(_ host: UnsafePointer<sluice_host_v1_t>, _ function: StaticString) -> Int32?
  {
    inState(shard(host), function, lastState: .draining)
  }

  /// For [any-thread & CREATED|ACTIVE|DRAINING], of shards and instances; `lastState` where it ends before.
  static func anywhere(
    _ host: UnsafePointer<sluice_host_v1_t>, _ function: StaticString,
    lastState: LifeState = .draining
  ) -> Int32? {
    guard host.pointee.loop_index == SLUICE_NO_LOOP else {
      return inState(shard(host), function, lastState: lastState)
    }
    let instance = instance(host)
    let state = instance.life.load(ordering: .acquiring)
    guard state != .retired else {
      return refuse(instance, function, thread: nil, state: state)
    }
    return nil
  }

  /// For [loop-thread & ACTIVE|DRAINING] of shards and [control-thread & LOADED|CREATED] of instances.
  static func onOwnThread(_ host: UnsafePointer<sluice_host_v1_t>, _ function: StaticString)
    -> Int32?
  {
    guard host.pointee.loop_index == SLUICE_NO_LOOP else { return onLoop(host, function) }
    let instance = instance(host)
    guard instance.host.control.isCurrent else {
      return refuse(instance, function, thread: "the control", state: nil)
    }
    return anywhere(host, function)
  }

  /// For [control-thread & LOADED]: while `create` runs.
  static func whileCreating(_ host: UnsafePointer<sluice_host_v1_t>, _ function: StaticString)
    -> Int32?
  {
    let instance = instance(host)
    guard instance.host.control.isCurrent else {
      return refuse(instance, function, thread: "the control", state: nil)
    }
    let state = instance.life.load(ordering: .acquiring)
    guard state == .loaded else { return refuse(instance, function, thread: nil, state: state) }
    return nil
  }

  private static func inState(_ shard: Shard, _ function: StaticString, lastState: LifeState)
    -> Int32?
  {
    let state = shard.life.load(ordering: .acquiring)
    guard state.rawValue <= lastState.rawValue else {
      return refuse(shard.instance, function, thread: nil, state: state)
    }
    return nil
  }

  /// Names the call; `thread` is the one that it should have come from, `state` the one in which it may not come.
  private static func refuse(
    _ instance: Instance, _ function: StaticString, thread: String?, state: LifeState?
  ) -> Int32 {
    instance.host.misuses.add(1, ordering: .relaxed)
    var fields: [String: ConfigValue] = [
      "tenant": .string(instance.tenant), "plugin": .string(instance.plugin.manifest.id),
      "function": .string("\(function)"),
    ]
    let message: String
    if let thread {
      message = "a plugin called a function from another thread than \(thread) thread"
    } else {
      message = "a plugin called a function in a state in which it may not be called"
    }
    if let state { fields["state"] = .string(state.name) }
    instance.host.log.write(.error, message, fields: fields)
    return thread == nil ? SLUICE_E_WRONG_STATE : SLUICE_E_WRONG_THREAD
  }
}
