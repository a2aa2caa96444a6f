internal import Wire

/// The text of the current time, rendered again only when it has changed. Confined to its loop.
struct DateCache {
  static let dateLength = 37
  static let timeLength = 24
  private let memory: UnsafeMutableRawPointer
  private var second: UInt64 = .max
  private var millisecond: UInt64 = .max

  init() { memory = .allocate(byteCount: 64, alignment: 16) }

  func destroy() { memory.deallocate() }

  /// `date: Sun, 06 Nov 1994 08:49:37 GMT` and CRLF.
  mutating func field(unixMilliseconds now: UInt64) -> UnsafeRawPointer {
    if now / 1000 != second {
      second = now / 1000
      var writer = ByteWriter(memory, capacity: Self.dateLength)
      writer.append("date: ")
      writer.append(httpDate: Int64(second))
      writer.append("\r\n")
    }
    return UnsafeRawPointer(memory)
  }

  /// `1994-11-06T08:49:37.000Z`.
  mutating func time(unixMilliseconds now: UInt64) -> UnsafeRawPointer {
    if now != millisecond {
      millisecond = now
      var writer = ByteWriter(memory + 40, capacity: Self.timeLength)
      writer.append(rfc3339: Int64(now))
    }
    return UnsafeRawPointer(memory + 40)
  }
}
