internal import CSluice

typealias TestHostPointer = UnsafePointer<sluice_host_v1_t>

/// A constant table in memory that stays until the process ends.
struct Constant<Table>: @unchecked Sendable {
  // Written once, before anybody has the pointer.
  let pointer: UnsafePointer<Table>

  init(_ make: (UInt32) -> Table) {
    let memory = UnsafeMutablePointer<Table>.allocate(capacity: 1)
    memory.initialize(to: make(UInt32(MemoryLayout<Table>.size)))
    pointer = UnsafePointer(memory)
  }
}

/// The gate: what the manifest does not ask for is absent, and so is the loop's on an instance's table.
func testExtension(_ host: TestHostPointer, _ id: UnsafePointer<CChar>) -> UnsafeRawPointer? {
  let world = TestWorld.of(host)
  let id = String(cString: id)
  if let capabilities = world.manifest.capabilities, !capabilities.contains(id),
    id != SLUICE_EXT_LOOP, id != SLUICE_EXT_CONFIG, id != SLUICE_EXT_THREAD_CHECK
  {
    return nil
  }
  if let table = anywhere(id) { return table }
  return host.pointee.loop_index == SLUICE_NO_LOOP ? nil : onLoop(id)
}

private func anywhere(_ id: String) -> UnsafeRawPointer? {
  switch id {
  case SLUICE_EXT_CONFIG: UnsafeRawPointer(configTable.pointer)
  case SLUICE_EXT_CLOCK: UnsafeRawPointer(clockTable.pointer)
  case SLUICE_EXT_RANDOM: UnsafeRawPointer(randomTable.pointer)
  case SLUICE_EXT_LOG: UnsafeRawPointer(logTable.pointer)
  case SLUICE_EXT_METRICS: UnsafeRawPointer(metricsTable.pointer)
  case SLUICE_EXT_SECRETS: UnsafeRawPointer(secretsTable.pointer)
  case SLUICE_EXT_FILES: UnsafeRawPointer(filesTable.pointer)
  case SLUICE_EXT_THREAD_CHECK: UnsafeRawPointer(threadCheckTable.pointer)
  case SLUICE_EXT_HISTORY: UnsafeRawPointer(historyTable.pointer)
  default: nil
  }
}

private func onLoop(_ id: String) -> UnsafeRawPointer? {
  switch id {
  case SLUICE_EXT_HTTP: UnsafeRawPointer(httpTable.pointer)
  case SLUICE_EXT_CLIENT_CERTIFICATE: UnsafeRawPointer(clientCertificateTable.pointer)
  case SLUICE_EXT_PHASES: UnsafeRawPointer(phasesTable.pointer)
  case SLUICE_EXT_WEBSOCKET: UnsafeRawPointer(websocketTable.pointer)
  case SLUICE_EXT_GROUPS: UnsafeRawPointer(groupsTable.pointer)
  case SLUICE_EXT_STORE: UnsafeRawPointer(storeTable.pointer)
  case SLUICE_EXT_BUS: UnsafeRawPointer(busTable.pointer)
  case SLUICE_EXT_PRESENCE: UnsafeRawPointer(presenceTable.pointer)
  case SLUICE_EXT_EVENTS: UnsafeRawPointer(eventsTable.pointer)
  case SLUICE_EXT_MESSAGES: UnsafeRawPointer(messagesTable.pointer)
  case SLUICE_EXT_EVENT_NAMES: UnsafeRawPointer(eventNamesTable.pointer)
  case SLUICE_EXT_EVENT_TYPES: UnsafeRawPointer(eventTypesTable.pointer)
  case SLUICE_EXT_IDENTIFY: UnsafeRawPointer(identifyTable.pointer)
  case SLUICE_EXT_SERVICES: UnsafeRawPointer(servicesTable.pointer)
  case SLUICE_EXT_WORKER: UnsafeRawPointer(workerTable.pointer)
  case SLUICE_EXT_CLIENT: UnsafeRawPointer(clientTable.pointer)
  case SLUICE_EXT_LOOP: UnsafeRawPointer(loopTable.pointer)
  case SLUICE_EXT_TIMER: UnsafeRawPointer(timerTable.pointer)
  case SLUICE_EXT_ALARM: UnsafeRawPointer(alarmTable.pointer)
  case SLUICE_EXT_TENANTS: UnsafeRawPointer(tenantsTable.pointer)
  default: nil
  }
}
