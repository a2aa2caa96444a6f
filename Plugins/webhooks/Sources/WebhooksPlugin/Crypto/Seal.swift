internal import CSSL
internal import PluginKit

/// AES-256-GCM over what endpoints are signed with and what is sent with their events: a copy of the database is not to hold it.
///
/// The key is the sealed secret `webhooks.seal`; whose it is, is associated data, so that nothing passes for another endpoint's.
struct Seal {
  static let secret = "webhooks.seal"
  static let keyLength = 32
  static let nonceLength = 12
  private static let tagLength = 16

  let key: [UInt8]

  /// Nonce, then what is sealed, then the tag.
  ///
  /// - Parameter nonce: `nonceLength` random bytes.
  func close(_ bytes: [UInt8], id: String, nonce: [UInt8]) throws -> [UInt8] {
    let context = EVP_CIPHER_CTX_new()
    defer { EVP_CIPHER_CTX_free(context) }
    var sealed = [UInt8](repeating: 0, count: bytes.count)
    var tag = [UInt8](repeating: 0, count: Seal.tagLength)
    let associated = Array(id.utf8)
    var count: Int32 = 0
    guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
      EVP_EncryptUpdate(context, nil, &count, associated, Int32(associated.count)) == 1,
      EVP_EncryptUpdate(context, &sealed, &count, bytes, Int32(bytes.count)) == 1,
      EVP_EncryptFinal_ex(context, &tag, &count) == 1,
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Seal.tagLength), &tag) == 1
    else { throw HostError(.internal, "nothing can be sealed") }
    return nonce + sealed + tag
  }

  /// What was sealed; nil when it is not what this key has sealed for this id.
  func open(_ sealed: [UInt8], id: String) -> [UInt8]? {
    let length = sealed.count - Seal.nonceLength - Seal.tagLength
    guard length >= 0 else { return nil }
    let context = EVP_CIPHER_CTX_new()
    defer { EVP_CIPHER_CTX_free(context) }
    let nonce = Array(sealed.prefix(Seal.nonceLength))
    let body = Array(sealed[Seal.nonceLength..<(Seal.nonceLength + length)])
    var tag = Array(sealed.suffix(Seal.tagLength))
    var bytes = [UInt8](repeating: 0, count: max(length, 1))
    var rest = [UInt8](repeating: 0, count: 16)
    let associated = Array(id.utf8)
    var count: Int32 = 0
    guard EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1,
      EVP_DecryptUpdate(context, nil, &count, associated, Int32(associated.count)) == 1,
      EVP_DecryptUpdate(context, &bytes, &count, body, Int32(length)) == 1,
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Seal.tagLength), &tag) == 1,
      EVP_DecryptFinal_ex(context, &rest, &count) == 1
    else { return nil }
    return Array(bytes.prefix(length))
  }
}

/// The tenant's seal, made when it is first needed. Loop thread.
final class SealKeeper {
  private let context: ShardContext
  private var seal: Seal?

  init(_ context: ShardContext) { self.context = context }

  func close(_ bytes: [UInt8], id: String) async throws -> [UInt8] {
    try await key().close(bytes, id: id, nonce: try context.random.bytes(Seal.nonceLength))
  }

  func open(_ sealed: [UInt8], id: String) async throws -> [UInt8]? {
    try await key().open(sealed, id: id)
  }

  private func key() async throws -> Seal {
    if let seal { return seal }
    if try context.secrets.get(Seal.secret) == nil {
      do {
        try await context.secrets.put(
          Seal.secret, try context.random.bytes(Seal.keyLength), onlyIfAbsent: true)
      } catch let error as HostError where error.status == .conflict {
        // Another loop was first.
      }
    }
    guard let key = try context.secrets.get(Seal.secret) else {
      throw HostError(.unavailable, "the key of webhooks is gone as soon as it was made")
    }
    let made = Seal(key: key)
    seal = made
    return made
  }
}
