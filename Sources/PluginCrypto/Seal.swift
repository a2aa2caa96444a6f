internal import CSSL
internal import PluginKit

/// AES-256-GCM (NIST SP 800-38D) over what a copy of a database is not to hold. Any thread.
///
/// Whose it is, is associated data, so that nothing that is sealed passes for another's.
public struct Seal: Sendable {
  /// Bytes of a key.
  public static let keyLength = 32
  /// Bytes of a nonce; one is used once with a key.
  public static let nonceLength = 12
  private static let tagLength = 16

  private let key: [UInt8]

  /// - Parameter key: ``keyLength`` bytes.
  public init(key: [UInt8]) { self.key = key }

  /// Nonce, then what is sealed, then the tag.
  ///
  /// - Parameter nonce: ``nonceLength`` random bytes.
  /// - Throws: `HostError` `.internal` when OpenSSL cannot.
  public func close(_ bytes: [UInt8], id: String, nonce: [UInt8]) throws -> [UInt8] {
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
  public func open(_ sealed: [UInt8], id: String) -> [UInt8]? {
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
