internal import CSluice

// The functions of the contract's plugin table. Each finds its Swift object behind the number that the
// host keeps, and lets no error out.

func entryTable(id: StaticString, version: StaticString) -> sluice_plugin_v1_t {
  sluice_plugin_v1_t(
    struct_size: UInt32(MemoryLayout<sluice_plugin_v1_t>.size),
    abi_major: UInt16(SLUICE_ABI_MAJOR), abi_minor: UInt16(SLUICE_ABI_MINOR),
    id: sluice_slice_t(id), version: sluice_slice_t(version),
    create: create, destroy: destroy, open: open, drain: drain, close: close,
    get_extension: entryExtension)
}

private func create(
  _ host: UnsafePointer<sluice_host_v1_t>, _ instance: UnsafeMutablePointer<UInt64>
) -> sluice_status_t {
  guard let plugin = PluginImage.current else { return SLUICE_E_INTERNAL }
  let link = HostLink(host)
  // The instance keeps nothing of the context: it is shared by the loops, and the context is not.
  defer { link.sever() }
  do {
    let made = try plugin.create(InstanceContext(link))
    instance.pointee = UInt64(UInt(bitPattern: Unmanaged.passRetained(made).toOpaque()))
    return SLUICE_OK
  } catch let error as ConfigurationError {
    Config(link: link).refuse(error)
    return SLUICE_E_CONFIG
  } catch {
    Log(link: link).error("the instance cannot be made", ["error": "\(error)"])
    return ErrorAnswer(error).status
  }
}

private func destroy(_ instance: UInt64) {
  Unmanaged<LoadedInstance>.from(context: instance)?.release()
}

private func open(
  _ instance: UInt64, _ host: UnsafePointer<sluice_host_v1_t>,
  _ shard: UnsafeMutablePointer<UInt64>
) -> sluice_status_t {
  guard let made = Unmanaged<LoadedInstance>.from(context: instance)?.takeUnretainedValue() else {
    return SLUICE_E_INVALID
  }
  let context = ShardContext(HostLink(host), handlers: made.handlers)
  context.executor.enter()
  do {
    context.adopt(try made.makeShard(context))
    context.executor.leave()
    shard.pointee = UInt64(UInt(bitPattern: Unmanaged.passRetained(context).toOpaque()))
    return SLUICE_OK
  } catch {
    context.log.error("the shard cannot be made", ["error": "\(error)"])
    context.end()
    return ErrorAnswer(error).status
  }
}

private func drain(_ shard: UInt64) {
  ShardContext.with(shard) { context in
    context.executor.enter()
    (context.shard as? any PluginShard)?.drain()
    context.executor.leave()
  }
}

private func close(_ shard: UInt64) {
  guard let context = Unmanaged<ShardContext>.from(context: shard)?.takeRetainedValue() else {
    return
  }
  context.executor.enter()
  context.end()
}

extension ShardContext {
  /// Lends the context behind the host's number, without touching its reference count.
  @inline(__always)
  static func with<Value>(_ number: UInt64, _ body: (ShardContext) -> Value) -> Value {
    Unmanaged<ShardContext>.fromOpaque(
      UnsafeRawPointer(bitPattern: UInt(number)).unsafelyUnwrapped
    )._withUnsafeGuaranteedRef { body($0) }
  }

  /// Ends everything of the shard: tasks are cancelled, what they wait for is resumed, and what that
  /// makes ready runs now, while the host is still there.
  func end() {
    for task in requestTasks.values { task.cancel() }
    for task in tasks.values { task.cancel() }
    closeTimers()
    cancelPendingCalls()
    executor.drain()
    // What they begin now, with the host still there, ends now too.
    closeTimers()
    cancelPendingCalls()
    sever()
    executor.close()
    adopt(nil)
  }
}
