internal import CSSL

/// A secret in memory of its own, overwritten when nobody holds it any more.
///
/// `@unchecked Sendable`: written once, by the thread that makes it, before anyone else can know it; after that it is
/// only read, by any thread.
final class SecretBytes: @unchecked Sendable {
  private let memory: UnsafeMutableRawBufferPointer

  /// Memory for `count` bytes, which `fill` writes.
  ///
  /// What `fill` throws is passed on, after the memory has been overwritten.
  init<Failure: Error>(
    count: Int, fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    memory = .allocate(byteCount: count, alignment: 16)
    _ = memory.initializeMemory(as: UInt8.self, repeating: 0)
    try fill(memory)
  }

  convenience init(copying bytes: UnsafeRawBufferPointer) {
    self.init(count: bytes.count) { $0.copyMemory(from: bytes) }
  }

  deinit {
    OPENSSL_cleanse(memory.baseAddress, memory.count)
    memory.deallocate()
  }

  var count: Int { memory.count }

  /// Lends the bytes until `body` returns.
  func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(UnsafeRawBufferPointer(memory))
  }
}
