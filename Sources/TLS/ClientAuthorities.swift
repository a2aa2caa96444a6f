internal import CSSL

/// Whose certificates clients may show, and whether they must.
struct ClientAuthorities {
  private let authorities: [X509Certificate]
  private let path: String
  private let mode: Int32
  /// Names authorities and mode: sessions that were begun under others are not resumed.
  let digest: [UInt8]

  init(
    reading path: String, _ authentication: TLSSettings.ClientAuthentication
  ) throws(CertificateError) {
    self.path = path
    authorities = try CertificateFile.certificates(in: path)
    let isRequired = authentication == .required
    mode = SSL_VERIFY_PEER | (isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
    var content: [UInt8] = [isRequired ? 2 : 1]
    for authority in authorities {
      var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
      var size: UInt32 = 0
      X509_digest(authority.pointer, EVP_sha256(), &hash, &size)
      content += hash.prefix(Int(size))
    }
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    SHA256(content, content.count, &digest)
    self.digest = digest
  }

  /// Has a context ask for certificates and verify them.
  func require(in context: OpaquePointer) {
    let store = SSL_CTX_get_cert_store(context)
    for authority in authorities {
      X509_STORE_add_cert(store, authority.pointer)
      SSL_CTX_add_client_CA(context, authority.pointer)
    }
    // An authority is trusted for its own sake, whether or not it is a root.
    X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    SSL_CTX_set_verify(context, mode, nil)
    ERR_clear_error()
  }
}
