internal import EventLoop
internal import Glibc

/// Where a running gateway takes an operator's requests: a socket in the data folder that only its own user and root can
/// open, served by a thread of its own, one connection and one request at a time.
final class OperatorSocket: Sendable {
  private let descriptor: Int32
  private let folder: String
  private let thread: WorkerPool
  private let log: Log

  /// Opens the socket and serves it. One that a killed gateway left is replaced: the caller holds the folder's lock.
  init(folder: String, desk: OperatorDesk, log: Log) throws(StartError) {
    func refuse() -> StartError {
      StartError("\(folder)/\(LocalSocket.name): \(String(cString: strerror(errno)))")
    }
    let socket = Glibc.socket(
      AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { throw refuse() }
    unlink("\(folder)/\(LocalSocket.name)")
    // Before it has a name: at no moment can anybody else open it.
    guard fchmod(socket, 0o600) == 0,
      LocalSocket.withAddress(in: folder, { bind(socket, $0, $1) }) == 0, listen(socket, 8) == 0
    else {
      let error = refuse()
      close(socket)
      throw error
    }
    descriptor = socket
    self.folder = folder
    self.log = log
    do {
      thread = try WorkerPool(name: "operator", threads: 1, queueLimit: 1)
    } catch {
      close(socket)
      throw StartError("\(error)")
    }
    let isTaken = thread.submit { Self.serve(socket, desk, log) }
    precondition(isTaken, "a new pool takes a job")
  }

  /// Takes no more requests; returns when the one in hand is done.
  func stop() {
    // Wakes the thread; closing would not.
    shutdown(descriptor, Int32(SHUT_RDWR))
    thread.stop()
    close(descriptor)
    unlink("\(folder)/\(LocalSocket.name)")
  }

  private static func serve(_ socket: Int32, _ desk: OperatorDesk, _ log: Log) {
    while true {
      let peer = accept(socket, nil, nil)
      if peer < 0 {
        switch errno {
        case EINTR, ECONNABORTED: continue
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
          usleep(100_000)
          continue
        default: return
        }
      }
      defer { close(peer) }
      _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
      // Whoever connects and says nothing keeps the next one waiting no longer than this.
      var patience = timeval(tv_sec: 10, tv_usec: 0)
      let size = socklen_t(MemoryLayout<timeval>.size)
      setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
      setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
      guard let line = LocalSocket.readLine(from: peer),
        let request = try? ConfigReader.read(text: line, name: "request").root
      else { continue }
      guard let user = LocalUser.peer(of: peer) else { continue }
      let answer = desk.answer(request, for: user)
      var fields: [String: ConfigValue] = ["actor": .string(user.name)]
      for name in ["do", "tenant"] { fields[name] = request[name] }
      for name in ["tenant", "request_id", "unnoted"] where answer[name] != nil {
        fields[name] = answer[name]
      }
      if let problem = answer["error"] { fields["error"] = problem }
      if request["do"]?.text != "tenants" {
        log.write(
          answer["error"] == nil && answer["unnoted"] == nil ? .info : .warning,
          "an operator's request", fields: fields)
      }
      _ = LocalSocket.write(line: answer.json, to: peer)
    }
  }
}
