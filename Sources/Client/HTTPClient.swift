internal import CCurl
public import EventLoop

/// Requests to others' servers over HTTP/1.1 and HTTP/2, by libcurl, on one loop. Its loop's thread only.
///
/// Connections are kept and used again. Redirects are not followed, no cookies are kept, and the environment's proxies are not
/// used. Names are looked up on threads of libcurl's own.
public final class HTTPClient {
  private let loop: EventLoop
  private let settings: ClientSettings
  private let transfers: UnsafeMutableRawPointer
  private var running: [UnsafeMutableRawPointer: Transfer] = [:]
  private var watches: [curl_socket_t: SocketWatch] = [:]
  private var timer: Timer?

  private let counters: ClientCounters

  /// - Parameter counters: may be those of other loops' clients too.
  /// - Throws: `ClientFailure`: libcurl is not there, or has no memory.
  public init(
    loop: EventLoop, _ settings: ClientSettings, _ counters: ClientCounters
  ) throws(ClientFailure) {
    guard let transfers = ccurl_multi_init() else {
      throw ClientFailure(.unreachable, HTTPClient.missing ?? "libcurl has no memory")
    }
    self.loop = loop
    self.settings = settings
    self.counters = counters
    self.transfers = transfers
    ccurl_multi_set_number(transfers, CURLMOPT_MAX_TOTAL_CONNECTIONS, settings.connections)
    ccurl_multi_set_number(transfers, CURLMOPT_MAX_HOST_CONNECTIONS, settings.connectionsPerHost)
    ccurl_multi_set_number(transfers, CURLMOPT_MAXCONNECTS, settings.connections)
    timer = loop.timer { [unowned self] in act(on: CURL_SOCKET_TIMEOUT, 0) }
    ccurl_multi_tell(
      transfers, clientSocket, clientTimer, Unmanaged.passUnretained(self).toOpaque())
  }

  /// Loads libcurl where it is not there yet, which takes some ten milliseconds: not on a loop. Any thread.
  public static func prepare() { _ = ccurl_missing() }

  /// Why libcurl is not there; nil when it is.
  private static var missing: String? { ccurl_missing().map { String(cString: $0) } }

  /// How many exchanges are under way.
  public var underWay: Int { running.count }

  /// Begins an exchange.
  ///
  /// - Parameter completion: told how it ended, once, not from inside this call; not at all when it is broken off.
  /// - Returns: the exchange, for ``cancel(_:)``.
  /// - Throws: `ClientFailure` `malformed`; `busy` where there are too many already. Then nothing is told.
  public func send(
    _ request: ClientRequest,
    completion: @escaping (Result<ClientResponse, ClientFailure>) -> Void
  ) throws(ClientFailure) -> Transfer {
    guard running.count < settings.transfers, timer != nil else {
      throw ClientFailure(.busy, "\(running.count) requests to others are under way on this loop")
    }
    let transfer = try Transfer(
      request, settings, at: EventLoop.hrtime(), completion: completion)
    guard ccurl_multi_add_handle(transfers, transfer.handle) == CURLM_OK else {
      throw ClientFailure(.unreachable, "libcurl does not take the request")
    }
    running[transfer.handle] = transfer
    counters.begun.add(1, ordering: .relaxed)
    return transfer
  }

  /// Breaks an exchange off; one that has ended stays so. Whoever waits for it is not told.
  public func cancel(_ transfer: Transfer) {
    guard running.removeValue(forKey: transfer.handle) != nil else { return }
    ccurl_multi_remove_handle(transfers, transfer.handle)
  }

  /// Ends what is under way without a word, and closes all connections. It is the last call.
  public func close() {
    guard let timer else { return }
    for transfer in running.values { ccurl_multi_remove_handle(transfers, transfer.handle) }
    running = [:]
    ccurl_multi_cleanup(transfers)
    // What libcurl has not said of its sockets, which are closed now.
    for watch in watches.values { watch.close() }
    watches = [:]
    timer.close()
    self.timer = nil
  }

  // MARK: - what libcurl asks for

  fileprivate func watch(_ socket: curl_socket_t, for what: Int32) {
    if what == CURL_POLL_REMOVE {
      watches.removeValue(forKey: socket)?.close()
      return
    }
    var readiness: Readiness = []
    if what & CURL_POLL_IN != 0 { readiness.insert(.readable) }
    if what & CURL_POLL_OUT != 0 { readiness.insert(.writable) }
    if watches[socket] == nil {
      // Of a socket that cannot be watched nothing is heard: its exchange ends with its time.
      watches[socket] = try? SocketWatch(loop: loop, descriptor: socket) { [unowned self] ready in
        var actions: Int32 = 0
        if ready.contains(.readable) { actions |= CURL_CSELECT_IN }
        if ready.contains(.writable) { actions |= CURL_CSELECT_OUT }
        act(on: socket, actions)
      }
    }
    watches[socket]?.watch(for: readiness)
  }

  fileprivate func wait(milliseconds: Int) {
    guard milliseconds >= 0 else {
      timer?.stop()
      return
    }
    timer?.start(after: UInt64(milliseconds))
  }

  private func act(on socket: curl_socket_t, _ actions: Int32) {
    var count: Int32 = 0
    ccurl_multi_socket_action(transfers, socket, actions, &count)
    var left: Int32 = 0
    while timer != nil, let message = ccurl_multi_info_read(transfers, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
        let transfer = running.removeValue(forKey: handle)
      else { continue }
      let result = message.pointee.data.result
      ccurl_multi_remove_handle(transfers, handle)
      let outcome = transfer.outcome(result, at: EventLoop.hrtime())
      if case .failure(let failure) = outcome {
        counters.failed.add(1, ordering: .relaxed)
        if failure.kind == .denied { counters.denied.add(1, ordering: .relaxed) }
      }
      transfer.completion(outcome)
    }
  }
}

private func clientSocket(
  _ transfer: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ what: Int32,
  _ client: UnsafeMutableRawPointer?, _ ours: UnsafeMutableRawPointer?
) -> Int32 {
  Unmanaged<HTTPClient>.fromOpaque(client.unsafelyUnwrapped).takeUnretainedValue()
    .watch(socket, for: what)
  return 0
}

private func clientTimer(
  _ transfers: UnsafeMutableRawPointer?, _ milliseconds: Int, _ client: UnsafeMutableRawPointer?
) -> Int32 {
  Unmanaged<HTTPClient>.fromOpaque(client.unsafelyUnwrapped).takeUnretainedValue()
    .wait(milliseconds: milliseconds)
  return 0
}
