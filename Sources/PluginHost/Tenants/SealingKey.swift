internal import CSSL

/// The operator's key, which seals secrets with AES-256-GCM (NIST SP 800-38D), each bound to its tenant and its name.
///
/// A sealed secret is `version (1) ‖ nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes)`; the associated data is
/// `tenant ‖ 0x00 ‖ name`. Nonces are random, so one key is good for 2³² seals (§8.3). Any thread.
///
/// `@unchecked Sendable`: the cipher is OpenSSL's, immutable once fetched; everything else is.
public final class SealingKey: @unchecked Sendable {
  /// The bytes of a key.
  public static let length = 32
  /// The file that the key was read from, for errors.
  public let path: String
  /// Whether the file was made just now, because there was none.
  public let isNew: Bool
  private let key: SecretBytes
  // Fetched once: an implicit fetch at each use costs more than sealing a short secret.
  private let cipher: OpaquePointer

  private static let version: UInt8 = 1
  private static let nonceLength = 12
  private static let tagLength = 16
  /// How much longer a sealed secret is than the secret.
  static let overhead = 1 + nonceLength + tagLength

  /// A key whose 32 bytes are in memory; `path` is what errors call it.
  init(_ key: SecretBytes, path: String, isNew: Bool) throws(TenantError) {
    precondition(key.count == Self.length)
    guard let cipher = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil) else {
      throw TenantError(.sealing, "OpenSSL offers no AES-256-GCM")
    }
    self.key = key
    self.path = path
    self.isNew = isNew
    self.cipher = cipher
  }

  deinit { EVP_CIPHER_free(cipher) }

  /// Lends the key's bytes.
  func withKey<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result { key.withBytes(body) }

  /// Seals a secret of a tenant.
  ///
  /// - Throws: ``TenantError/Code/sealing``.
  func seal(
    _ secret: UnsafeRawBufferPointer, tenant: String, name: String
  ) throws(TenantError) -> [UInt8] {
    var sealed = [UInt8](repeating: 0, count: secret.count + Self.overhead)
    sealed[0] = Self.version
    let isDone = sealed.withUnsafeMutableBytes { output in
      let nonce = output.bytes(at: 1)
      let tag = output.bytes(at: output.count - Self.tagLength)
      guard RAND_bytes(nonce, Int32(Self.nonceLength)) == 1, let context = EVP_CIPHER_CTX_new()
      else { return false }
      defer { EVP_CIPHER_CTX_free(context) }
      var written: Int32 = 0
      return start(context, nonce, encrypting: true)
        && bind(context, tenant, name)
        && (secret.isEmpty
          || EVP_EncryptUpdate(
            context, output.bytes(at: 1 + Self.nonceLength), &written, secret.bytes(at: 0),
            Int32(secret.count)) == 1)
        && EVP_EncryptFinal_ex(context, tag, &written) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), tag) == 1
    }
    guard isDone else {
      ERR_clear_error()
      throw TenantError(.sealing, "secret \"\(name)\" of tenant \"\(tenant)\" could not be sealed")
    }
    return sealed
  }

  /// Opens what ``seal(_:tenant:name:)`` made for the same tenant and name.
  ///
  /// - Throws: ``TenantError/Code/damaged``: changed, swapped with another, or sealed with another key.
  func open(_ sealed: [UInt8], tenant: String, name: String) throws(TenantError) -> SecretBytes {
    func refuse(_ reason: String) -> TenantError {
      TenantError(
        .damaged, "secret \"\(name)\" of tenant \"\(tenant)\" cannot be opened: \(reason)")
    }
    guard sealed.count >= Self.overhead else { throw refuse("it is cut short") }
    guard sealed[0] == Self.version else {
      throw refuse("it has format \(sealed[0]), which this version does not know")
    }
    return try SecretBytes(count: sealed.count - Self.overhead) { output throws(TenantError) in
      let isGenuine = sealed.withUnsafeBytes { input in
        guard let context = EVP_CIPHER_CTX_new() else { return false }
        defer { EVP_CIPHER_CTX_free(context) }
        let body = UnsafeRawBufferPointer(
          rebasing: input[(1 + Self.nonceLength)..<(input.count - Self.tagLength)])
        let tag = UnsafeMutableRawPointer(mutating: input.bytes(at: input.count - Self.tagLength))
        var written: Int32 = 0
        return start(context, input.bytes(at: 1), encrypting: false)
          && bind(context, tenant, name)
          && (body.isEmpty
            || EVP_DecryptUpdate(
              context, output.bytes(at: 0), &written, body.bytes(at: 0), Int32(body.count)) == 1)
          && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), tag) == 1
          && EVP_DecryptFinal_ex(context, nil, &written) == 1
      }
      guard isGenuine else {
        ERR_clear_error()
        throw refuse(
          "it was changed, belongs to another name, or was sealed with another key than \(path)")
      }
    }
  }

  private func start(_ context: OpaquePointer, _ nonce: UnsafePointer<UInt8>, encrypting: Bool)
    -> Bool
  {
    key.withBytes {
      EVP_CipherInit_ex(context, cipher, nil, $0.bytes(at: 0), nonce, encrypting ? 1 : 0) == 1
    }
  }

  /// Gives the associated data.
  private func bind(_ context: OpaquePointer, _ tenant: String, _ name: String) -> Bool {
    let data = Array(tenant.utf8) + [0] + Array(name.utf8)
    var written: Int32 = 0
    return EVP_CipherUpdate(context, nil, &written, data, Int32(data.count)) == 1
  }
}

extension UnsafeRawBufferPointer {
  /// The bytes from `offset` on, for C. There must be some.
  fileprivate func bytes(at offset: Int) -> UnsafePointer<UInt8> {
    (baseAddress! + offset).assumingMemoryBound(to: UInt8.self)
  }
}

extension UnsafeMutableRawBufferPointer {
  /// The bytes from `offset` on, for C. There must be some.
  fileprivate func bytes(at offset: Int) -> UnsafeMutablePointer<UInt8> {
    (baseAddress! + offset).assumingMemoryBound(to: UInt8.self)
  }
}
