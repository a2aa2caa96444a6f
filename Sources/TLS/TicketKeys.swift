internal import CSSL
internal import Synchronization

/// The keys that seal session tickets (RFC 8446 §4.6.1, RFC 5077 §4): AES-256-CBC and HMAC-SHA-256, one set for all
/// listeners of a process. [any-thread]
///
/// Tickets are sealed with the newest key and opened with it or the one before, so that a ticket lives through one
/// rotation and no key is kept longer than two. Keys are never written anywhere.
public final class TicketKeys: Sendable {
  /// Seconds that a ticket is good for, and after which the keys are to be rotated.
  public static let lifetime = 3600

  struct Key {
    static let nameBytes = 16
    static let secretBytes = 32
    static let size = nameBytes + 2 * secretBytes

    /// Name, key of the cipher, key of the MAC.
    let bytes: UnsafeMutablePointer<UInt8>

    init?() {
      bytes = .allocate(capacity: Self.size)
      bytes.initialize(repeating: 0, count: Self.size)
      guard RAND_priv_bytes(bytes, Int32(Self.size)) == 1 else {
        ERR_clear_error()
        destroy()
        return nil
      }
    }

    var cipher: UnsafeMutablePointer<UInt8> { bytes + Self.nameBytes }
    var mac: UnsafeMutablePointer<UInt8> { bytes + Self.nameBytes + Self.secretBytes }

    func destroy() {
      cssl_cleanse(bytes, Self.size)
      bytes.deallocate()
    }
  }

  private struct State: @unchecked Sendable {
    // The pointers are followed under the lock alone.
    var current: Key
    var previous: Key?
    var rotations = 0
  }

  private let state: Mutex<State>

  /// Makes the first key; nil when OpenSSL has no randomness.
  public init?() {
    guard let key = Key() else { return nil }
    state = Mutex(State(current: key))
  }

  deinit {
    state.withLock { state in
      state.current.destroy()
      state.previous?.destroy()
    }
  }

  /// Seals with a new key from now on, and forgets the one before the last. Keeps what it has when there is no
  /// randomness, and says so with false.
  @discardableResult
  public func rotate() -> Bool {
    guard let key = Key() else { return false }
    state.withLock { state in
      state.previous?.destroy()
      state.previous = state.current
      state.current = key
      state.rotations += 1
    }
    return true
  }

  /// How often the keys have been rotated.
  public var rotations: Int { state.withLock { $0.rotations } }

  /// Prepares OpenSSL to seal a ticket; the result is that of its callback.
  func seal(
    name: UnsafeMutablePointer<UInt8>, vector: UnsafeMutablePointer<UInt8>,
    _ cipher: OpaquePointer, _ mac: OpaquePointer
  ) -> Int32 {
    guard RAND_bytes(vector, 16) == 1 else { return -1 }
    return state.withLock { state in
      name.update(from: state.current.bytes, count: Key.nameBytes)
      let isReady =
        EVP_EncryptInit_ex2(
          cipher, Self.algorithm?.pointer, state.current.cipher, vector, nil) == 1
        && cssl_key_ticket_mac(mac, state.current.mac, Key.secretBytes) == 1
      return isReady ? 1 : -1
    }
  }

  /// Prepares OpenSSL to open a ticket: 1, 2 when the peer should get a new one, 0 when the key is gone, or -1.
  func open(
    name: UnsafePointer<UInt8>, vector: UnsafePointer<UInt8>, _ cipher: OpaquePointer,
    _ mac: OpaquePointer
  ) -> Int32 {
    state.withLock { state in
      let isCurrent = Self.names(state.current, name)
      guard let key = isCurrent ? state.current : state.previous, Self.names(key, name) else {
        return 0
      }
      let isReady =
        EVP_DecryptInit_ex2(cipher, Self.algorithm?.pointer, key.cipher, vector, nil) == 1
        && cssl_key_ticket_mac(mac, key.mac, Key.secretBytes) == 1
      return isReady ? (isCurrent ? 1 : 2) : -1
    }
  }

  private static func names(_ key: Key, _ name: UnsafePointer<UInt8>) -> Bool {
    UnsafeBufferPointer(start: key.bytes, count: Key.nameBytes).elementsEqual(
      UnsafeBufferPointer(start: name, count: Key.nameBytes))
  }

  /// `@unchecked Sendable`: OpenSSL's algorithms are immutable.
  private struct Algorithm: @unchecked Sendable {
    let pointer: OpaquePointer
  }

  /// Looked up once: a look-up takes locks and compares strings.
  private static let algorithm = EVP_CIPHER_fetch(nil, "AES-256-CBC", nil).map(
    Algorithm.init(pointer:))
}
