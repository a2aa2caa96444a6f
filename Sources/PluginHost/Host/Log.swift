internal import Gateway
internal import Store
internal import Synchronization
internal import Wire

/// The gateway's own log: JSON lines through one writer thread. [any-thread]
final class Log: Sendable {
  enum Level: Int, Sendable {
    case trace, debug, info, warning, error

    var name: String {
      switch self {
      case .trace: "trace"
      case .debug: "debug"
      case .info: "info"
      case .warning: "warning"
      case .error: "error"
      }
    }
  }

  private let writer: LogWriter
  private let dropped = Atomic<Int>(0)

  /// Lines that were not written: dropped because too many waited, or refused by the disk. [any-thread]
  var linesLost: Int { dropped.load(ordering: .relaxed) + writer.linesRefused }

  private let level: Level

  init(writer: LogWriter, level: Level) {
    self.writer = writer
    self.level = level
  }

  /// Writes one line with fields that the host made.
  func write(_ level: Level, _ message: String, fields: [String: ConfigValue] = [:]) {
    write(
      level, message, members: fields.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) },
      raw: "")
  }

  /// Writes one line; `raw` is the inside of a JSON object that has been checked, or empty.
  func write(_ level: Level, _ message: String, members: [ConfigValue.Member], raw: String) {
    guard level.rawValue >= self.level.rawValue else { return }
    var time = ByteWriter(growingFrom: 32)
    defer { time.deallocate() }
    time.append(rfc3339: SystemClock.unixMilliseconds())
    var line = ConfigValue.object(
      [
        .init("time", .string(time.text)), .init("kind", "log"),
        .init("level", .string(level.name)),
        .init("message", .string(message)),
      ] + members
    ).json
    if !raw.isEmpty {
      line.removeLast()
      line += ",\(raw)}"
    }
    if !writer.write(Array(line.utf8) + [0x0a]) { dropped.add(1, ordering: .relaxed) }
  }

  /// Writes what is waiting. [blocking]
  func close() { writer.close() }
}
