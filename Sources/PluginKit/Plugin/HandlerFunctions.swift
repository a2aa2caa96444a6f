internal import CSluice

// The handler tables that a plugin offers the host, one for each kind of handler it has registered.

func entryExtension(_ id: UnsafePointer<CChar>) -> UnsafeRawPointer? {
  guard let plan = PluginImage.current?.handlers.plan else { return nil }
  return switch String(cString: id) {
  case SLUICE_EXT_HTTP_HANDLER where !plan.routes.isEmpty: Tables.http.pointer
  case SLUICE_EXT_REQUEST_CREDENTIAL where !plan.requestCredentials.isEmpty:
    Tables.requestCredential.pointer
  case SLUICE_EXT_PHASE_HANDLER where !plan.phases.isEmpty: Tables.phases.pointer
  case SLUICE_EXT_WEBSOCKET_HANDLER where !plan.sockets.isEmpty: Tables.websocket.pointer
  case SLUICE_EXT_WEBSOCKET_CREDENTIAL where !plan.credentials.isEmpty: Tables.credential.pointer
  case SLUICE_EXT_MESSAGE_HANDLER where !plan.messages.isEmpty: Tables.messages.pointer
  case SLUICE_EXT_BUS_SUBSCRIBER where plan.publication != nil: Tables.subscriber.pointer
  case SLUICE_EXT_EVENT_LISTENER where !plan.listeners.isEmpty: Tables.listener.pointer
  case SLUICE_EXT_ALARM_HANDLER where plan.alarm != nil: Tables.alarm.pointer
  case SLUICE_EXT_SERVICE_PROVIDER where !plan.services.isEmpty: Tables.provider.pointer
  default: nil
  }
}

/// A constant in memory that is never moved or freed.
private struct Constant<Value>: @unchecked Sendable {
  // Written once, before anybody has the pointer.
  private let value: UnsafeMutablePointer<Value>

  init(_ make: (UInt32) -> Value) {
    value = .allocate(capacity: 1)
    value.initialize(to: make(UInt32(MemoryLayout<Value>.size)))
  }

  var pointer: UnsafeRawPointer { UnsafeRawPointer(value) }
}

private enum Tables {
  static let http = Constant {
    sluice_http_handler_v1_t(
      struct_size: $0, reserved: 0, resolve: resolveRoute, handle: handleRequest,
      cancelled: requestCancelled)
  }
  static let requestCredential = Constant {
    sluice_request_credential_v1_t(
      struct_size: $0, reserved: 0, credential_of: requestCredentialOf, refusal: requestRefusalOf)
  }
  static let phases = Constant {
    sluice_phase_handler_v1_t(
      struct_size: $0, reserved: 0, resolve: resolvePhase, run: runPhase,
      cancelled: requestCancelled)
  }
  static let websocket = Constant {
    sluice_websocket_handler_v1_t(
      struct_size: $0, reserved: 0, resolve: resolveSocket, open: socketOpen,
      message: socketMessage, closed: socketClosed)
  }
  static let credential = Constant {
    sluice_websocket_credential_v1_t(
      struct_size: $0, reserved: 0, credential_of: credentialOf, refusal: refusalOf)
  }
  static let messages = Constant {
    sluice_message_handler_v1_t(
      struct_size: $0, reserved: 0, resolve: resolveMessage, message: messageCame)
  }
  static let subscriber = Constant {
    sluice_bus_subscriber_v1_t(struct_size: $0, reserved: 0, publication: published)
  }
  static let listener = Constant {
    sluice_event_listener_v1_t(struct_size: $0, reserved: 0, event: eventHappened)
  }
  static let alarm = Constant {
    sluice_alarm_handler_v1_t(struct_size: $0, reserved: 0, wake: alarmWoke)
  }
  static let provider = Constant {
    sluice_service_provider_v1_t(struct_size: $0, reserved: 0, call: serviceCalled)
  }
}

private func resolve(
  _ name: sluice_slice_t, _ number: UnsafeMutablePointer<UInt32>, in names: [String]?
) -> sluice_status_t {
  guard let index = names?.firstIndex(of: name.text) else { return SLUICE_E_NOT_FOUND }
  number.pointee = UInt32(index)
  return SLUICE_OK
}

private func resolveRoute(
  _ name: sluice_slice_t, _ number: UnsafeMutablePointer<UInt32>
) -> sluice_status_t {
  resolve(name, number, in: PluginImage.current?.handlers.plan.routeNames)
}

private func resolveSocket(
  _ name: sluice_slice_t, _ number: UnsafeMutablePointer<UInt32>
) -> sluice_status_t {
  resolve(name, number, in: PluginImage.current?.handlers.plan.socketNames)
}

private func resolveMessage(
  _ name: sluice_slice_t, _ number: UnsafeMutablePointer<UInt32>
) -> sluice_status_t {
  resolve(name, number, in: PluginImage.current?.handlers.plan.messageNames)
}

private func messageCame(
  _ shard: UInt64, _ handler: UInt32, _ principal: UnsafePointer<sluice_principal_v1_t>,
  _ type: sluice_slice_t, _ data: sluice_slice_t, _ token: sluice_token_t
) -> sluice_status_t {
  let message = ClientMessage(
    type: type.text, principal: Principal(principal.pointee),
    data: RawJSON(unchecked: Array(Bytes(data))))
  return ShardContext.with(shard) { $0.hear(handler, message, token) }
}

private func resolvePhase(
  _ name: sluice_slice_t, _ phase: UInt32, _ number: UnsafeMutablePointer<UInt32>
) -> sluice_status_t {
  let name = name.text
  guard
    let index = PluginImage.current?.handlers.plan.phases.firstIndex(
      where: { $0.name == name && $0.phase == phase })
  else { return SLUICE_E_NOT_FOUND }
  number.pointee = UInt32(index)
  return SLUICE_OK
}

private func runPhase(
  _ shard: UInt64, _ handler: UInt32, _ request: sluice_token_t
) -> sluice_status_t {
  ShardContext.with(shard) { $0.run(phase: handler, request) }
}

private func handleRequest(
  _ shard: UInt64, _ handler: UInt32, _ request: sluice_token_t
) -> sluice_status_t {
  ShardContext.with(shard) { $0.handle(handler, request) }
}

private func requestCancelled(_ shard: UInt64, _: UInt32, _ request: sluice_token_t) {
  ShardContext.with(shard) { $0.cancelled(request) }
}

private func socketOpen(
  _ shard: UInt64, _ handler: UInt32, _ request: sluice_token_t, _ connection: sluice_token_t,
  _ context: UnsafeMutablePointer<UInt64>
) -> sluice_status_t {
  ShardContext.with(shard) { $0.open(handler, request, connection, context) }
}

private func socketMessage(
  _ shard: UInt64, _ handler: UInt32, _ context: UInt64, _ connection: sluice_token_t,
  _ kind: UInt32, _ message: sluice_slice_t
) {
  ShardContext.with(shard) { $0.message(handler, context, connection, kind, message) }
}

private func socketClosed(
  _ shard: UInt64, _ handler: UInt32, _ context: UInt64, _ connection: sluice_token_t,
  _ code: UInt32, _ reason: sluice_slice_t
) {
  ShardContext.with(shard) { $0.closed(handler, context, connection, code, reason) }
}

private func published(
  _ shard: UInt64, _ context: UInt64, _ event: UnsafePointer<sluice_event_v1_t>
) {
  ShardContext.with(shard) { $0.published(context, event) }
}

private func eventHappened(
  _ shard: UInt64, _ event: UnsafePointer<sluice_event_v1_t>, _ delivery: sluice_token_t
) -> sluice_status_t {
  ShardContext.with(shard) { $0.hear(Event(event.pointee, delivery: delivery)) }
}

private func alarmWoke(_ shard: UInt64, _ wake: sluice_token_t) -> sluice_status_t {
  ShardContext.with(shard) { $0.wake(wake) }
}

private func serviceCalled(
  _ shard: UInt64, _ service: sluice_slice_t, _ key: sluice_slice_t, _ method: UInt32,
  _ request: sluice_slice_t, _ call: sluice_token_t
) -> sluice_status_t {
  ShardContext.with(shard) { context in
    context.serve(
      ServiceCall(
        service: service.text, key: key.bytes == nil ? nil : key.text, method: method,
        payload: Array(Bytes(request))), call)
  }
}
