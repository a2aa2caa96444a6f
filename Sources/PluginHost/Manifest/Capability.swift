/// A host extension that a manifest may ask for under `capabilities`; its raw value is the extension's id in the ABI.
public enum Capability: String, Sendable, Hashable, CaseIterable {
  case http = "sluice.http/1"
  case clientCertificate = "sluice.client-certificate/1"
  /// Sees every request of its tenants, other plugins' included.
  case phases = "sluice.phases/1"
  case websocket = "sluice.websocket/1"
  case identify = "sluice.identify/1"
  case messages = "sluice.messages/1"
  case store = "sluice.store/1"
  case bus = "sluice.bus/1"
  case history = "sluice.history/1"
  case presence = "sluice.presence/1"
  case groups = "sluice.groups/1"
  case events = "sluice.events/1"
  case services = "sluice.services/1"
  case worker = "sluice.worker/1"
  case secrets = "sluice.secrets/1"
  /// Reaches other tenants: for plugins on `platform` only, and only when the operator grants it.
  case tenants = "sluice.tenants/1"
  case config = "sluice.config/1"
  case loop = "sluice.loop/1"
  case timer = "sluice.timer/1"
  case random = "sluice.random/1"
  case clock = "sluice.clock/1"
  case log = "sluice.log/1"
  case metrics = "sluice.metrics/1"
  case threadCheck = "sluice.thread-check/1"
}
