internal import CUV
internal import Glibc

/// What wakes a loop that waits: a counter of the kernel's, which the loop polls like a socket.
///
/// It takes the place of `uv_async_t`, whose receiver spins until its sender has returned from the system call that woke it.
/// A sender of low priority is kept from returning by that very receiver, and the loop stands still for milliseconds.
struct WakeUpBell: Sendable {
  let descriptor: Int32

  /// - Throws: ``SystemError`` when descriptors run out.
  init() throws(SystemError) {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard descriptor >= 0 else { throw SystemError("eventfd", code: -errno) }
  }

  /// Has the loop's poll return, now or when it is entered. [any-thread, until ``close()``]
  func ring() {
    var one: UInt64 = 1
    _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
  }

  /// Takes back all that has been rung. [loop-thread]
  func silence() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
  }

  func close() { _ = Glibc.close(descriptor) }
}
