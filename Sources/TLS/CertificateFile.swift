internal import CSSL
internal import Glibc

/// Why certificates cannot be used: which file, and what is wrong with it, in words for the operator.
public struct CertificateError: Error, CustomStringConvertible, Sendable, Equatable {
  /// The path, as the configuration names it.
  public let file: String
  /// What is wrong with it, and where one can say it, what would be right.
  public let reason: String

  /// - Parameter reason: in words for the operator.
  public init(file: String, reason: String) {
    self.file = file
    self.reason = reason
  }

  public var description: String { "\(file): \(reason)" }

  /// OpenSSL's last words on what failed; its queue is empty afterwards.
  static func reasonOfOpenSSL() -> String {
    let error = ERR_peek_last_error()
    defer { ERR_clear_error() }
    guard error != 0, let text = ERR_reason_error_string(error) else { return "no reason given" }
    return String(cString: text)
  }
}

/// The only I/O of this room: files of certificates and keys. [control-thread]
enum CertificateFile {
  static let largest = 1 << 20

  /// The bytes of a regular file. A named pipe is refused, never waited for.
  static func contents(of path: String) throws(CertificateError) -> [UInt8] {
    func failed(_ reason: String = String(cString: strerror(errno))) -> CertificateError {
      CertificateError(file: path, reason: "cannot be read: \(reason)")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failed() }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failed() }
    guard status.st_mode & S_IFMT == S_IFREG else { throw failed("not a regular file") }
    guard status.st_size <= largest else { throw failed("larger than \(largest) bytes") }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let room = bytes.count - filled
      let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + filled, room) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failed() }
      if count == 0 { break }
      filled += count
    }
    return Array(bytes.prefix(filled))
  }

  /// The certificates of a PEM file, in their order; never none.
  static func certificates(in path: String) throws(CertificateError) -> [X509Certificate] {
    try certificates(of: try contents(of: path), called: path)
  }

  /// The certificates of a text in PEM, in their order; never none.
  ///
  /// - Parameter path: what errors call it.
  static func certificates(
    of bytes: [UInt8], called path: String
  ) throws(CertificateError) -> [X509Certificate] {
    var found: [X509Certificate] = []
    let isWhole = bytes.withUnsafeBytes { bytes in
      let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
      defer { BIO_free(bio) }
      while let certificate = PEM_read_bio_X509(bio, nil, nil, nil) {
        found.append(X509Certificate(owning: certificate))
      }
      // The end of the file is the error that it has no further beginning.
      return cssl_error_reason(ERR_peek_last_error()) == PEM_R_NO_START_LINE
    }
    let reason = CertificateError.reasonOfOpenSSL()
    guard isWhole else {
      let number = found.count + 1
      throw CertificateError(
        file: path, reason: "certificate \(number) is not valid PEM: \(reason)")
    }
    guard !found.isEmpty else {
      throw CertificateError(file: path, reason: "holds no certificate in PEM")
    }
    return found
  }

  /// The private key of a PEM file. The caller frees it with `EVP_PKEY_free`.
  static func key(in path: String) throws(CertificateError) -> OpaquePointer {
    var bytes = try contents(of: path)
    defer { bytes.withUnsafeMutableBytes { cssl_cleanse($0.baseAddress, $0.count) } }
    return try key(of: bytes, called: path)
  }

  /// The private key of a text in PEM. The caller frees it with `EVP_PKEY_free`.
  ///
  /// - Parameter path: what errors call it.
  static func key(of bytes: [UInt8], called path: String) throws(CertificateError) -> OpaquePointer
  {
    var wasAsked = false
    let key = bytes.withUnsafeBytes { bytes in
      let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
      defer { BIO_free(bio) }
      // Without this function OpenSSL would ask on the terminal for a password.
      return PEM_read_bio_PrivateKey(
        bio, nil,
        { _, _, _, asked in
          asked?.assumingMemoryBound(to: Bool.self).pointee = true
          return -1
        }, &wasAsked)
    }
    let reason = CertificateError.reasonOfOpenSSL()
    guard let key else {
      throw CertificateError(
        file: path,
        reason: wasAsked
          ? "the key is encrypted: the gateway has nobody to ask for its password"
          : "holds no private key in PEM: \(reason)")
    }
    return key
  }
}

/// What can be seen of a file without reading it: when any of it changes, the file is to be read again.
public struct FileStamp: Equatable, Sendable {
  private let device: UInt64
  private let node: UInt64
  private let size: Int64
  private let seconds: Int64
  private let nanoseconds: Int64

  /// The stamp of what a path leads to now; nil when there is nothing. [control-thread]
  public init?(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    node = UInt64(status.st_ino)
    size = Int64(status.st_size)
    seconds = Int64(status.st_mtim.tv_sec)
    nanoseconds = Int64(status.st_mtim.tv_nsec)
  }
}
