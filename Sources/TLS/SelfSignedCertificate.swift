internal import CSSL
internal import Glibc

/// A certificate that the gateway makes for itself, for first steps and tests: clients must be told to trust it.
public enum SelfSignedCertificate {
  private static let lifetime: Int64 = 397 * 86_400
  private static let renewal: Int64 = 30 * 86_400

  /// The certificate for these names in a folder, made if there is none that is good for a month yet. [control-thread]
  ///
  /// The key is a new P-256 key in a file that only its owner can read (0600).
  ///
  /// - Parameters:
  ///   - names: host names and IP addresses; never empty.
  ///   - folder: where `self-signed-….crt` and `.key` lie; it must be there.
  ///   - now: seconds of Unix time.
  /// - Returns: where it lies, and whether it was made just now.
  public static func provide(
    for names: [String], in folder: String, now: Int64
  ) throws(CertificateError) -> (source: CertificateSource, isNew: Bool) {
    let path = "\(folder)/self-signed-\(tag(names))"
    let source = CertificateSource(certificate: path + ".crt", key: path + ".key")
    if let existing = try? ServerCertificate(reading: source),
      existing.lapse(at: now + renewal) == nil
    {
      return (source, false)
    }
    guard let key = cssl_new_p256_key() else {
      throw CertificateError(file: source.key, reason: CertificateError.reasonOfOpenSSL())
    }
    defer { EVP_PKEY_free(key) }
    guard let certificate = make(names, key, now) else {
      throw CertificateError(file: source.certificate, reason: CertificateError.reasonOfOpenSSL())
    }
    try write(to: source.key, mode: 0o600) {
      PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil)
    }
    try write(to: source.certificate, mode: 0o644) { PEM_write_bio_X509($0, certificate.pointer) }
    return (source, true)
  }

  /// The start of a digest of the names, so that other names have other files.
  private static func tag(_ names: [String]) -> String {
    let text = Array(names.joined(separator: "\n").utf8)
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    SHA256(text, text.count, &digest)
    return digest.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func make(
    _ names: [String], _ key: OpaquePointer, _ now: Int64
  ) -> X509Certificate? {
    guard let pointer = X509_new() else { return nil }
    let certificate = X509Certificate(owning: pointer)
    var serial: UInt64 = 0
    let hasSerial = withUnsafeMutableBytes(of: &serial) {
      RAND_bytes($0.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32($0.count))
    }
    let subject = X509_get_subject_name(pointer)
    let alternatives = names.map { isAddress($0) ? "IP:\($0)" : "DNS:\($0)" }
    let extensions = [
      (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
      (NID_ext_key_usage, "serverAuth"),
      (NID_subject_alt_name, alternatives.joined(separator: ",")),
    ]
    var isMade =
      hasSerial == 1 && X509_set_version(pointer, 2) == 1
      && ASN1_INTEGER_set_uint64(X509_get_serialNumber(pointer), serial >> 1) == 1
      && ASN1_TIME_set(X509_getm_notBefore(pointer), time_t(now - 3600)) != nil
      && ASN1_TIME_set(X509_getm_notAfter(pointer), time_t(now + lifetime)) != nil
      && X509_NAME_add_entry_by_txt(
        subject, "CN", MBSTRING_UTF8, Array(names[0].utf8.prefix(64)),
        Int32(min(names[0].utf8.count, 64)), -1, 0) == 1
      && X509_set_issuer_name(pointer, subject) == 1 && X509_set_pubkey(pointer, key) == 1
    for (identifier, value) in extensions where isMade {
      let made = X509V3_EXT_conf_nid(nil, nil, identifier, value)
      isMade = made != nil && X509_add_ext(pointer, made, -1) == 1
      X509_EXTENSION_free(made)
    }
    return isMade && X509_sign(pointer, key, EVP_sha256()) > 0 ? certificate : nil
  }

  /// Whether a name is an IP address.
  public static func isAddress(_ name: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1
  }

  /// Writes PEM to a file, whole or not at all.
  private static func write(
    to path: String, mode: mode_t, _ encode: (OpaquePointer?) -> Int32
  ) throws(CertificateError) {
    func failed() -> CertificateError {
      CertificateError(file: path, reason: "cannot be written: \(String(cString: strerror(errno)))")
    }
    let bio = BIO_new(BIO_s_secmem())
    defer { BIO_free(bio) }
    var bytes: UnsafeMutablePointer<CChar>?
    guard encode(bio) == 1, case let size = cssl_BIO_bytes(bio, &bytes), size > 0 else {
      throw CertificateError(file: path, reason: CertificateError.reasonOfOpenSSL())
    }
    let draft = path + ".new"
    unlink(draft)
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw failed() }
    defer { unlink(draft) }
    let isWritten =
      Glibc.write(descriptor, bytes, size) == size && fchmod(descriptor, mode) == 0
      && fsync(descriptor) == 0
    guard close(descriptor) == 0, isWritten, rename(draft, path) == 0 else { throw failed() }
  }
}
