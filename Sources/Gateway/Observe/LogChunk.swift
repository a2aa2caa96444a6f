internal import Glibc

/// Lines on their way to a log's thread: memory that its loop has filled and given away.
///
/// Written by the loop until it is handed over, only read by the writing thread afterwards.
final class LogChunk: @unchecked Sendable {
  // @unchecked: one thread owns it at a time; the writer's lock stands between the two.
  let memory: UnsafeMutableRawPointer
  var count = 0

  init(capacity: Int) { memory = .allocate(byteCount: capacity, alignment: 16) }

  convenience init(copying lines: UnsafeRawBufferPointer) {
    self.init(capacity: max(lines.count, 1))
    if let base = lines.baseAddress { memory.copyMemory(from: base, byteCount: lines.count) }
    count = lines.count
  }

  deinit { memory.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }
}
