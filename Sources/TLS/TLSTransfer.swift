internal import CSSL
internal import Glibc

/// What the sessions of one thread read from and write to: a span of ciphertext that has come, and two growing buffers.
///
/// A handle: copies name the same memory. Sessions own no buffers of their own while nothing is half-read, because all of
/// a thread share these. Confined to the thread that made it.
public struct TLSTransfer {
  struct State {
    /// What has come and no session has read yet. Borrowed for the time of one call.
    var input: UnsafeRawPointer?
    var inputCount = 0
    var plaintext: Bytes
    var ciphertext: Bytes
    /// OpenSSL's way to these fields, shared by all sessions.
    var bio: OpaquePointer
  }

  struct Bytes {
    static let firstCapacity = 32 * 1024
    static let largestKept = 512 * 1024

    var base = malloc(firstCapacity)!
    var count = 0
    var capacity = firstCapacity

    mutating func reserve(_ size: Int) -> UnsafeMutableRawPointer {
      if capacity - count < size {
        while capacity - count < size { capacity *= 2 }
        base = realloc(base, capacity)!
      }
      return base + count
    }

    /// Empties it, and gives back what a large transfer has made it take.
    mutating func removeAll() {
      count = 0
      guard capacity > Self.largestKept else { return }
      capacity = Self.firstCapacity
      base = realloc(base, capacity)!
    }
  }

  let state: UnsafeMutablePointer<State>

  /// Allocates one; ``destroy()`` frees it.
  public static func make() -> TLSTransfer {
    guard let method = BIOMethod.transfer, let bio = BIO_new(method.pointer) else {
      fatalError("OpenSSL has no memory for a BIO")
    }
    let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
    state.initialize(to: State(plaintext: Bytes(), ciphertext: Bytes(), bio: bio))
    BIO_set_data(bio, state)
    BIO_set_init(bio, 1)
    return TLSTransfer(state: state)
  }

  /// Frees it. No session may be used with it any more.
  public func destroy() {
    BIO_free(state.pointee.bio)
    free(state.pointee.plaintext.base)
    free(state.pointee.ciphertext.base)
    state.deallocate()
  }

  /// What the last ``TLSSession/receive(_:_:on:)`` has decrypted: valid, and the caller's to change, until the next.
  public var plaintext: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(
      start: state.pointee.plaintext.base, count: state.pointee.plaintext.count)
  }

  /// What is to be sent to the peer of the session that was used last; valid until a session is used again.
  public var ciphertext: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: state.pointee.ciphertext.base, count: state.pointee.ciphertext.count)
  }

  /// Forgets the ciphertext, which has been sent or copied.
  public func removeCiphertext() { state.pointee.ciphertext.removeAll() }
}

/// The functions by which OpenSSL reads and writes a ``TLSTransfer``.
///
/// `@unchecked Sendable`: written once, before anybody sees it.
struct BIOMethod: @unchecked Sendable {
  let pointer: OpaquePointer

  static let transfer: BIOMethod? = {
    guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "transfer")
    else { return nil }
    BIO_meth_set_read_ex(method, readTransfer)
    BIO_meth_set_write_ex(method, writeTransfer)
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return BIOMethod(pointer: method)
  }()
}

private func transferState(_ bio: OpaquePointer?) -> UnsafeMutablePointer<TLSTransfer.State> {
  BIO_get_data(bio).unsafelyUnwrapped.assumingMemoryBound(to: TLSTransfer.State.self)
}

private func readTransfer(
  _ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ room: Int,
  _ taken: UnsafeMutablePointer<Int>?
) -> Int32 {
  let state = transferState(bio)
  let count = min(room, state.pointee.inputCount)
  guard count > 0, let target, let source = state.pointee.input else {
    cssl_BIO_retry_read(bio)
    return 0
  }
  cssl_BIO_clear_retry(bio)
  UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count)
  state.pointee.input = source + count
  state.pointee.inputCount -= count
  taken.unsafelyUnwrapped.pointee = count
  return 1
}

private func writeTransfer(
  _ bio: OpaquePointer?, _ source: UnsafePointer<CChar>?, _ count: Int,
  _ taken: UnsafeMutablePointer<Int>?
) -> Int32 {
  let state = transferState(bio)
  cssl_BIO_clear_retry(bio)
  if let source, count > 0 {
    state.pointee.ciphertext.reserve(count).copyMemory(from: source, byteCount: count)
    state.pointee.ciphertext.count += count
  }
  taken.unsafelyUnwrapped.pointee = count
  return 1
}
