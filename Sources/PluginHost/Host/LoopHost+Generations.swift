internal import Gateway

/// A generation on its way from the control thread to its loop and back.
///
/// `@unchecked Sendable`: only its loop looks inside.
struct OpenedGeneration: @unchecked Sendable {
  let generation: Generation
}

extension Generation {
  var shardSet: ShardSet { unsafeDowncast(context, to: ShardSet.self) }
}

/// What the control thread has loops do. Each runs on the loop and is awaited.
extension LoopHost {
  enum Preparation: Sendable {
    case notOpen
    case opened(OpenedGeneration)
    case failed(TenantFailure)
  }

  /// Runs `body` on the loop.
  func run(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
      let isTaken = gateway.eventLoop.post {
        body()
        continuation.resume()
      }
      // A loop that has stopped has nothing left to do it to.
      if !isTaken { continuation.resume() }
    }
  }

  func compute<T: Sendable>(_ otherwise: T, _ body: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
      let isTaken = gateway.eventLoop.post { continuation.resume(returning: body()) }
      if !isTaken { continuation.resume(returning: otherwise) }
    }
  }

  /// Opens a tenant for the requests that wait for it; what went wrong, or nil.
  func open(_ runtime: TenantRuntime) async -> TenantFailure? {
    await compute(nil) { [self] in
      // Whoever asked before has had it opened.
      guard gateway.generation(of: runtime.tenant) == nil else { return nil }
      do throws(TenantFailure) {
        let generation = try runtime.open(on: self)
        gateway.opened(runtime.tenant, generation)
        generation.shardSet.enterService()
        return nil
      } catch {
        return error
      }
    }
  }

  /// Opens the next generation beside the one in service, if there is one here.
  func prepare(_ runtime: TenantRuntime) async -> Preparation {
    await compute(.notOpen) { [self] in
      guard gateway.generation(of: runtime.tenant) != nil else { return .notOpen }
      do throws(TenantFailure) {
        return .opened(OpenedGeneration(generation: try runtime.open(on: self)))
      } catch {
        return .failed(error)
      }
    }
  }

  /// Closes a generation that has never been in service.
  func discard(_ opened: OpenedGeneration) async {
    await run { opened.generation.shardSet.close() }
  }

  /// Tells the plugins of all tenants that no new work comes. [any-thread]
  func drainShards() {
    gateway.eventLoop.post { [self] in
      for generation in gateway.generations { generation.shardSet.drain() }
    }
  }

  /// Puts a generation in service in place of the old one, which drains.
  func swap(_ tenant: String, _ opened: OpenedGeneration, without disabled: [String]) async {
    await run { [self] in
      if let old = gateway.generation(of: tenant) { old.shardSet.drain(without: disabled) }
      gateway.opened(tenant, opened.generation, without: disabled)
      opened.generation.shardSet.enterService()
    }
  }
}
