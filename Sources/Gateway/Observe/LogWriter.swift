internal import EventLoop
internal import Glibc
internal import Synchronization

/// The one thread that writes a log. Loops hand it whole chunks of lines and never wait.
///
/// When the disk is behind and the queue is full, chunks are dropped and their lines counted. So are lines that the disk
/// refuses; what comes after them begins on a line of its own.
public final class LogWriter: Sendable {
  private struct State {
    var chunks: [LogChunk] = []
    var bytes = 0
    var isWriting = false
    var isClosed = false
  }

  /// Bytes that may wait.
  private static let bound = 8 * 1024 * 1024

  private let descriptor: Int32
  private let ownsDescriptor: Bool
  private let state = Mutex(State())
  private let pool: WorkerPool
  private let refused = Atomic<Int>(0)
  /// Whether it is a pipe or a terminal, whose reader may have stopped.
  private let hasReader: Bool
  /// When a log that is closing gives up on its reader, on the monotonic clock; 0 while it is open.
  private let givesUpAt = Atomic<UInt64>(0)
  /// Whether the last line was cut off. Only the writing thread looks at it.
  private let isMidLine = Atomic<Bool>(false)

  /// Lines that were taken and could not be written: the disk is full, or the pipe has no reader. [any-thread]
  public var linesRefused: Int { refused.load(ordering: .relaxed) }

  /// Opens a log.
  ///
  /// - Parameter path: `stdout`, `stderr`, or a file that is appended to and created with mode 0640.
  /// - Throws: ``LogUnavailable`` when the file cannot be opened or no thread can be had.
  public init(path: String) throws(LogUnavailable) {
    switch path {
    case "stdout":
      descriptor = 1
      ownsDescriptor = false
    case "stderr":
      descriptor = 2
      ownsDescriptor = false
    default:
      descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
      ownsDescriptor = true
      if descriptor < 0 {
        throw LogUnavailable(path: path, reason: String(cString: strerror(errno)))
      }
    }
    var kind = stat()
    hasReader = fstat(descriptor, &kind) == 0 && kind.st_mode & S_IFMT != S_IFREG
    do throws(SystemError) {
      pool = try WorkerPool(name: "log", threads: 1, queueLimit: 4)
    } catch {
      throw LogUnavailable(path: path, reason: "\(error)")
    }
  }

  deinit { if ownsDescriptor { Glibc.close(descriptor) } }

  /// Takes lines; false when they were dropped, as all are once it is closed. [any-thread]
  @discardableResult
  public func write(_ lines: [UInt8]) -> Bool {
    lines.withUnsafeBytes { write(LogChunk(copying: $0)) }
  }

  /// Takes lines with their memory, which the caller must not touch again; false when they were dropped. [any-thread]
  func write(_ lines: LogChunk) -> Bool {
    let (isTaken, mustStart) = state.withLock { state -> (Bool, Bool) in
      guard !state.isClosed, state.bytes + lines.count <= Self.bound else { return (false, false) }
      state.chunks.append(lines)
      state.bytes += lines.count
      let start = !state.isWriting
      state.isWriting = true
      return (true, start)
    }
    if mustStart, !pool.submit({ [self] in drain() }) {
      state.withLock { $0.isWriting = false }
    }
    return isTaken
  }

  /// Writes what is waiting and ends the thread; what a reader does not take for two seconds is lost and counted.
  /// [any-thread but a loop's, blocking]
  public func close() {
    state.withLock { $0.isClosed = true }
    givesUpAt.store(EventLoop.hrtime() + 2_000_000_000, ordering: .relaxed)
    pool.stop()
    drain()
  }

  private func drain() {
    while true {
      let chunks = state.withLock { state -> [LogChunk] in
        let taken = state.chunks
        state.chunks = []
        state.bytes = 0
        if taken.isEmpty { state.isWriting = false }
        return taken
      }
      if chunks.isEmpty { return }
      for chunk in chunks { writeAll(chunk.bytes) }
    }
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) {
    if isMidLine.load(ordering: .relaxed) {
      guard "\n".utf8.withContiguousStorageIfAvailable({ put(UnsafeRawBufferPointer($0)) }) == 1
      else { return count(bytes[...]) }
    }
    let written = put(bytes)
    if written > 0 { isMidLine.store(bytes[written - 1] != 0x0a, ordering: .relaxed) }
    if written < bytes.count { count(bytes[written...]) }
  }

  /// Writes as much as goes; how much that was.
  private func put(_ bytes: UnsafeRawBufferPointer) -> Int {
    var offset = 0
    while offset < bytes.count {
      var most = bytes.count - offset
      if hasReader {
        guard waitForReader() else { break }
        // What a pipe takes without waiting once it is ready at all (pipe(7), PIPE_BUF).
        most = min(most, 4_096)
      }
      let count = Glibc.write(descriptor, bytes.baseAddress! + offset, most)
      if count > 0 {
        offset += count
      } else if errno != EINTR, errno != EAGAIN {
        break
      }
    }
    return offset
  }

  /// Waits until something can be written, or the log is closing and has waited long enough: then false.
  private func waitForReader() -> Bool {
    while true {
      let end = givesUpAt.load(ordering: .relaxed)
      let isOver = end != 0 && EventLoop.hrtime() >= end
      var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      // Nobody is waited for once the time is over: there may be thousands of pieces.
      let ready = poll(&waiting, 1, isOver ? 0 : 100)
      if ready > 0 || ready < 0 && errno != EINTR { return true }
      if isOver { return false }
    }
  }

  private func count(_ lost: Slice<UnsafeRawBufferPointer>) {
    refused.add(lost.reduce(0) { $1 == 0x0a ? $0 + 1 : $0 }, ordering: .relaxed)
  }
}

/// A log that cannot be written.
public struct LogUnavailable: Error, CustomStringConvertible {
  /// The file, as the configuration names it.
  public let path: String
  /// The system's words.
  public let reason: String
  public var description: String { "cannot write the log to \(path): \(reason)" }
}
