internal import Store
internal import Synchronization

extension TenantRegistry {
  func write(_ edit: TenantEdit, _ completion: @escaping Completion) {
    do throws(TenantError) {
      try edit.validate()
      guard line.withLock({ $0.append(TenantWrite(edit: edit, completion: completion)) }) else {
        throw TenantError(.overloaded, "too many changes of tenants wait to be written; try again")
      }
    } catch {
      return completion(.failure(error))
    }
    advance()
  }

  /// Sends the next group to the store, unless one is under way, and settles those that need nothing written.
  private func advance() {
    let maximumBytes = min(TenantLimits.groupBytes, store.options.maximumBatchBytes / 2)
    while let group = line.withLock({
      $0.takeGroup(now: store.options.now(), maximumBytes: maximumBytes)
    }) {
      if group.statements.isEmpty {
        settle(group)
        continue
      }
      do throws(StoreError) {
        try store.submit(
          tenant: Store.controlTenant, batch: Batch(owner: Owner.host, statements: group.statements)
        ) { result in
          switch result {
          case .success: self.settle(group)
          case .failure(let error): self.fail(group, error)
          }
          self.advance()
        }
        return
      } catch {
        fail(group, error)
      }
    }
  }

  /// The group is on disk: puts it into memory, then says so.
  private func settle(_ group: WriteGroup) {
    table.withLock { table in
      for member in group.members {
        if case .success(let delta) = member.outcome { table.apply(delta) }
      }
    }
    for case .success(.removal(let record)) in group.members.map(\.outcome) {
      uses.withLock { $0.forget(record.id) }
    }
    for member in group.members { member.write.completion(member.outcome.map(\.record)) }
    line.withLock { $0.isBusy = false }
  }

  /// The group is not on disk. Its members may not be to blame alike, and were checked against each other: each is
  /// tried again by itself.
  private func fail(_ group: WriteGroup, _ error: StoreError) {
    let isAlone = group.members.count == 1
    line.withLock { line in
      let committed = table.withLock { $0 }
      if isAlone {
        line.draft = committed
      } else {
        line.putBack(group, committed: committed)
      }
    }
    guard isAlone, let write = group.members.first?.write else { return }
    write.completion(.failure(TenantError(error, while: "keeping tenant \"\(write.edit.tenant)\"")))
    line.withLock { $0.isBusy = false }
  }
}
