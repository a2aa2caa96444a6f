internal import CSluice
internal import Gateway
internal import Wire

/// `sluice.messages/1` (ext/messages.h).
enum MessagesBridge {
  static let table = PermanentTable(
    sluice_messages_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_messages_v1_t>.size), reserved: 0,
      dispatch: { host, connection, type, data, completion, context in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard let set = shard.set, let generation = shard.generation else {
          return SLUICE_E_WRONG_STATE
        }
        guard let principal = shard.gateway.sender(connection, of: generation) else {
          return SLUICE_E_STALE
        }
        let name = String(type)
        guard let route = set.messages[name] else { return SLUICE_E_NOT_FOUND }
        let promise = shard.promise(completion, context)
        let copy = data.bytes == nil ? Array("{}".utf8) : Array(data.raw)
        // Later: the handler may be the caller's own plugin, which must not be entered twice.
        shard.eventLoop.post {
          if let refusal = refusal(of: copy, from: principal, to: route, on: shard) {
            return shard.keep(promise, refusal.status, Array(refusal.document.json.utf8))
          }
          shard.loop.send(name, copy, from: principal, to: route) { status, reply in
            shard.keep(
              promise, status, reply.isEmpty && status >= 0 ? Array("{}".utf8) : reply)
          }
        }
        return SLUICE_PENDING
      },
      reply: { host, message, status, reply in
        ServicesBridge.table.pointer.pointee.reply(host, message, status, reply)
      },
      admit: { host, connection in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard let generation = shard.generation else { return SLUICE_E_WRONG_STATE }
        guard let principal = shard.gateway.sender(connection, of: generation) else {
          return SLUICE_E_STALE
        }
        return shard.gateway.takesMessage(of: shard.tenant, from: principal) == nil
          ? SLUICE_OK : SLUICE_E_LIMITED
      },
      count: { host, connection, messages in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else { return SLUICE_E_WRONG_THREAD }
        guard let generation = shard.generation else { return SLUICE_E_WRONG_STATE }
        return shard.gateway.count(messages, on: connection, of: generation)
      }))

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_messages_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_messages_v1_t>.size), reserved: 0,
      dispatch: { host, connection, type, data, completion, context in
        CallCheck.onLoop(host, "sluice.messages/1 dispatch")
          ?? table.pointer.pointee.dispatch(host, connection, type, data, completion, context)
      },
      reply: { host, message, status, reply in
        CallCheck.anyThread(host, "sluice.messages/1 reply")
          ?? table.pointer.pointee.reply(host, message, status, reply)
      },
      admit: { host, connection in
        CallCheck.onLoop(host, "sluice.messages/1 admit")
          ?? table.pointer.pointee.admit(host, connection)
      },
      count: { host, connection, messages in
        CallCheck.onLoop(host, "sluice.messages/1 count")
          ?? table.pointer.pointee.count(host, connection, messages)
      }))

  /// Why a message is not handed over.
  private struct Refusal {
    let status: Int32
    let document: ConfigValue

    init(
      _ status: Int32, _ code: String, _ detail: String,
      errors: [(pointer: String, message: String)] = []
    ) {
      self.status = status
      var members: [ConfigValue.Member] = [
        .init("code", .string(code)), .init("detail", .string(detail)),
      ]
      if !errors.isEmpty {
        members.append(
          .init(
            "errors",
            .array(
              errors.map {
                .object([
                  .init("pointer", .string($0.pointer)), .init("message", .string($0.message)),
                ])
              })))
      }
      document = .object(members)
    }
  }

  private static func refusal(
    of data: [UInt8], from principal: Principal, to route: MessageRoute, on shard: Shard
  ) -> Refusal? {
    guard route.shard.isOpen else {
      return Refusal(
        SLUICE_E_CANCELLED, "plugin_unavailable",
        "The feature is not available now. Try again later.")
    }
    let declared = route.declared
    guard principal.expiresAt == 0 || principal.expiresAt > shard.eventLoop.unixMilliseconds else {
      return Refusal(SLUICE_E_EXPIRED, "unauthenticated", "The credential has expired.")
    }
    guard principal.has(declared.scopes) else {
      return Refusal(
        SLUICE_E_DENIED, "forbidden",
        "The credential lacks a scope; this needs: \(declared.scopes.joined(separator: " "))")
    }
    switch shard.gateway.takesMessage(of: shard.tenant, from: principal) {
    case nil: break
    case .user:
      return Refusal(
        SLUICE_E_LIMITED, "rate_limited",
        "This user sends more requests than a user may. Try again later.")
    case .app:
      return Refusal(
        SLUICE_E_LIMITED, "rate_limited", "This app sends more requests than its limit allows.")
    }
    if declared.writes, let (limit, used) = shard.gateway.storageUsedUp(by: shard.tenant) {
      let name = Quota.storage.name
      return Refusal(
        SLUICE_E_DENIED, "quota_exceeded",
        "The plan of this app allows \(limit) \(name), and \(used) are used.",
        errors: [("/quotas/\(name)", "limit \(limit), used \(used)")])
    }
    return data.withUnsafeBytes { bytes in
      let document: JSONDocument
      do throws(JSONError) {
        document = try JSONDocument(bytes)
      } catch {
        let place = "line \(error.line), column \(error.column)"
        return Refusal(
          SLUICE_E_INVALID, "invalid_request", "The message's data is not JSON.",
          errors: [(error.pointer, "\(error.reason.message) at \(place)")])
      }
      guard let problems = declared.schema?.compiled.validate(document.root), !problems.isEmpty
      else { return nil }
      return Refusal(
        SLUICE_E_INVALID, "invalid_request", "The message's data is not as its type declares it.",
        errors: problems.map { ($0.pointer, $0.message) })
    }
  }
}

/// Where messages of a type go.
struct MessageRoute {
  let shard: Shard
  let declared: SocketMessage
  /// The plugin's number for the handler.
  let handler: UInt32
}

extension ShardSet {
  /// Where the messages go that the set's manifests declare, by type.
  func messageRoutes() -> [String: MessageRoute] {
    var routes: [String: MessageRoute] = [:]
    for shard in shards {
      for (index, declared) in shard.plugin.manifest.messages.enumerated() {
        routes[declared.type] = MessageRoute(
          shard: shard, declared: declared, handler: shard.plugin.messageHandlers[index])
      }
    }
    return routes
  }
}

extension LoopHost {
  /// Hands a message to its plugin; `answer` comes later on this loop, exactly once.
  fileprivate func send(
    _ type: String, _ data: [UInt8], from principal: Principal, to route: MessageRoute,
    answer: @escaping (Int32, [UInt8]) -> Void
  ) {
    call(route.shard, "message", answer: answer) { token in
      guard let table = route.shard.plugin.messages else { return SLUICE_E_UNSUPPORTED }
      var who = principal.contract
      return withExtendedLifetime(principal) {
        withSlice(of: type) { type in
          data.withUnsafeBytes { data in
            table.pointee.message(
              route.shard.value, route.handler, &who, type, sluice_slice_t(data), token)
          }
        }
      }
    }
  }
}
