internal import CUV

extension EventLoop {
  /// Bytes of the process's memory that are in the machine's; 0 when the kernel does not say. [any-thread]
  ///
  /// Reads a file of the kernel's, which takes some microseconds: for once a second, not for each request.
  public static func residentMemory() -> Int {
    var bytes = 0
    return uv_resident_set_memory(&bytes) == 0 ? bytes : 0
  }

  /// Gives the machine back what the process has freed and still holds. [any-thread]
  ///
  /// It takes the locks of the allocator in turn, for milliseconds where there is much: never from a loop.
  public static func returnFreedMemory() { malloc_trim(0) }
}
