internal import EventLoop
internal import Gateway
internal import Glibc
internal import Synchronization
internal import TLS

/// Keeps what the listeners with TLS serve as their files are: reads them at the start, looks whether they change, and
/// never takes what does not work in place of what does. [control-thread and the thread of signals]
final class CertificateKeeper: Sendable {
  /// Milliseconds between two looks. A change counts when two looks have seen the same, for a key and its certificate
  /// are not written at once.
  static let interval: UInt64 = 1_000
  /// Seconds between two looks at a certificate that the gateway has made, and may have to make again.
  private static let selfSignedInterval: Int64 = 86_400

  fileprivate struct Listener: Sendable {
    let settings: ListenerSettings
    let tls: ListenerTLS
    var files: [String] = []
    /// As the files were when they were read last, whatever came of it.
    var stamps: [FileStamp?] = []
    /// As they were at the last look.
    var seen: [FileStamp?] = []
    /// What the operator's certificates among them are for.
    var names: Set<String> = []
    /// The second of Unix time at which they are to be read again in any case.
    var dueAt = Int64.max
    /// The OCSP responses in use, by file.
    var stapled: [String: [UInt8]] = [:]
  }

  private struct State {
    var listeners: [Listener] = []
    var gateway: Gateway::Gateway?
    /// Of hosts of apps, behind the operator's own.
    var apps: [CertificateSource] = []
  }

  let tickets: TicketKeys
  private let folder: String
  private let log: Log
  private let state = Mutex(State())

  init(dataDirectory: String, log: Log) throws(StartError) {
    guard let tickets = TicketKeys() else {
      throw StartError("OpenSSL has no randomness for the keys of session tickets")
    }
    self.tickets = tickets
    folder = dataDirectory
    self.log = log
  }

  /// Reads what a listener is to serve; its number is that of these calls, from 0.
  ///
  /// - Throws: ``StartError`` that names the file. A chain that has lapsed is a warning here, and an error later.
  func open(_ settings: ListenerSettings, _ tls: ListenerTLS) throws(StartError) -> TLSContext {
    var listener = Listener(settings: settings, tls: tls)
    do throws(CertificateError) {
      let context = try read(&listener, [], isStart: true)
      state.withLock { $0.listeners.append(listener) }
      return context
    } catch {
      throw StartError("listener \(settings): \(error)")
    }
  }

  /// Looks at the files from now on, and rotates the keys of tickets.
  func watch(_ gateway: Gateway::Gateway, _ control: EventLoop) {
    let isNeeded = state.withLock { state in
      state.gateway = gateway
      return !state.listeners.isEmpty
    }
    guard isNeeded else { return }
    keepLooking(on: control)
  }

  /// Looks at the files and rotates the keys, each once in so many milliseconds, until the loop ends.
  func keepLooking(
    on control: EventLoop, lookingEvery interval: UInt64 = CertificateKeeper.interval,
    rotatingEvery lifetime: UInt64 = UInt64(TicketKeys.lifetime) * 1_000
  ) {
    control.post { [self] in
      _ = control.every(interval) { [self] in look() }
      _ = control.every(lifetime) { [self] in tickets.rotate() }
    }
  }

  /// Certificates that have been read and are not in use yet.
  struct Renewal: Sendable {
    fileprivate var listeners: [(number: Int, listener: Listener, context: TLSContext)] = []
  }

  /// Reads everything again, whether or not it has changed, and uses none of it yet. [any-thread but a loop's, blocking]
  ///
  /// - Throws: ``ReloadRefusal`` with a line for each listener whose certificates cannot be used.
  func prepare() throws(ReloadRefusal) -> Renewal {
    var renewal = Renewal()
    var problems: [String] = []
    let (listeners, apps) = state.withLock { ($0.listeners, $0.apps) }
    for (number, var listener) in listeners.enumerated() {
      do throws(CertificateError) {
        let context = try read(&listener, apps, isStart: false)
        renewal.listeners.append((number, listener, context))
      } catch {
        problems.append(refused(listener, error))
      }
    }
    guard problems.isEmpty else { throw ReloadRefusal(problems: problems) }
    return renewal
  }

  /// Has new connections begin with what was prepared; what has changed, a line each.
  func use(_ renewal: Renewal) -> [String] {
    state.withLock { state in
      renewal.listeners.compactMap { number, listener, context in
        let hasChanged = state.listeners[number].stamps != listener.stamps
        state.listeners[number] = listener
        state.gateway?.replace(context, ofListener: number)
        return hasChanged ? "certificates of \(listener.settings)" : nil
      }
    }
  }

  /// The hosts that certificates of the operator's own are for. [any-thread]
  var ownHosts: [String] { state.withLock { $0.listeners.flatMap { Array($0.names) } } }

  /// Whether a certificate of the operator's own is for exactly this host. [any-thread]
  func isOwn(_ host: String) -> Bool {
    state.withLock { $0.listeners.contains { $0.names.contains(host) } }
  }

  /// Has all listeners serve these certificates of apps' hosts beside the operator's own, and no others. [control-thread,
  /// blocking]
  ///
  /// - Parameter allowsLapsed: whether the operator's own may have lapsed: at the start, when nothing is served yet.
  /// - Throws: when the operator's own cannot be used any more; it is in the log, and everything is served as before.
  func serve(
    _ apps: [CertificateSource], allowsLapsed: Bool = false
  ) throws(CertificateError) {
    try state.withLock { state -> Result<Void, CertificateError> in
      guard state.apps != apps else { return .success(()) }
      var renewed: [(Listener, TLSContext)] = []
      for var listener in state.listeners {
        do throws(CertificateError) {
          let context = try read(&listener, apps, isStart: allowsLapsed)
          renewed.append((listener, context))
        } catch {
          _ = refused(listener, error)
          return .failure(error)
        }
      }
      state.apps = apps
      for (number, (listener, context)) in renewed.enumerated() {
        state.listeners[number] = listener
        state.gateway?.replace(context, ofListener: number)
      }
      return .success(())
    }.get()
  }

  /// Has listeners serve these certificates of apps' hosts from the next renewal on. [control-thread]
  func serveLater(_ apps: [CertificateSource]) { state.withLock { $0.apps = apps } }

  private func look() {
    let now = Int64(time(nil))
    state.withLock { state in
      for number in state.listeners.indices {
        let stamps = state.listeners[number].files.map { FileStamp(of: $0) }
        let isSettled = stamps == state.listeners[number].seen
        state.listeners[number].seen = stamps
        let hasChanged = stamps != state.listeners[number].stamps
        if (isSettled && hasChanged) || now > state.listeners[number].dueAt {
          renew(&state, number)
        }
      }
    }
  }

  /// Has a listener serve what its files hold now, if that can be used.
  private func renew(_ state: inout State, _ number: Int) {
    do throws(CertificateError) {
      let context = try read(&state.listeners[number], state.apps, isStart: false)
      state.gateway?.replace(context, ofListener: number)
      log.write(
        .info, "certificates read again",
        fields: ["listener": .string(state.listeners[number].settings.description)])
    } catch {
      _ = refused(state.listeners[number], error)
    }
  }

  /// Logs why certificates are refused, and says it in a line.
  private func refused(_ listener: Listener, _ error: CertificateError) -> String {
    log.write(
      .error, "the new certificates are refused; those in use go on",
      fields: [
        "listener": .string(listener.settings.description), "file": .string(error.file),
        "reason": .string(error.reason),
      ])
    return "listener \(listener.settings): \(error)"
  }

  private func read(
    _ listener: inout Listener, _ apps: [CertificateSource], isStart: Bool
  ) throws(CertificateError) -> TLSContext {
    let now = Int64(time(nil))
    var certificates = listener.tls.certificates
    listener.dueAt = .max
    if !listener.tls.selfSigned.isEmpty {
      certificates = [try selfSigned(listener.tls.selfSigned, now)]
      listener.dueAt = now + Self.selfSignedInterval
    }
    let settings = listener.tls.settings(certificates + apps)
    // Before they are read, so that what changes meanwhile is seen as a change.
    listener.files = settings.files
    listener.stamps = settings.files.map { FileStamp(of: $0) }
    listener.seen = listener.stamps
    var warnings: [CertificateError] = []
    let context = try TLSContext(
      reading: settings, tickets: tickets, now: now, allowsLapsed: isStart,
      former: listener.stapled,
      warnings: &warnings)
    listener.stapled = context.stapled
    listener.names = context.ownNames
    if let stale = context.staleAt { listener.dueAt = min(listener.dueAt, stale) }
    for warning in warnings {
      log.write(
        .warning, "a certificate is served as it is",
        fields: [
          "listener": .string(listener.settings.description), "file": .string(warning.file),
          "reason": .string(warning.reason),
        ])
    }
    return context
  }

  private func selfSigned(_ names: [String], _ now: Int64) throws(CertificateError)
    -> CertificateSource
  {
    let made = try SelfSignedCertificate.provide(for: names, in: folder, now: now)
    if made.isNew {
      log.write(
        .info, "made a self-signed certificate; clients must be told to trust it",
        fields: [
          "certificate": .string(made.source.certificate), "key": .string(made.source.key),
          "names": .array(names.map { .string($0) }),
        ])
    }
    return made.source
  }
}
