/// What is known of a plugin type once it is loaded.
final class LoadedPlugin: Sendable {
  let handlers: HandlerTable
  let create: @Sendable (InstanceContext) throws -> LoadedInstance

  init<P: Plugin>(_ type: P.Type) {
    var registry = Registry<P.Shard>()
    P.Shard.register(&registry)
    let handlers = HandlerTable(registry.plan)
    self.handlers = handlers
    create = { context in
      let instance = try P(context)
      return LoadedInstance(handlers) { try instance.makeShard($0) }
    }
  }
}

/// One instance behind the number that the host keeps for it.
final class LoadedInstance: Sendable {
  let handlers: HandlerTable
  let makeShard: @Sendable (ShardContext) throws -> any PluginShard

  init(
    _ handlers: HandlerTable,
    makeShard: @escaping @Sendable (ShardContext) throws -> any PluginShard
  ) {
    self.handlers = handlers
    self.makeShard = makeShard
  }
}
