internal import CSSL
internal import Glibc

/// One parsed certificate (RFC 5280).
///
/// `@unchecked Sendable`: OpenSSL's certificates are immutable once parsed, and their count of owners is atomic.
final class X509Certificate: @unchecked Sendable {
  let pointer: OpaquePointer

  init(owning pointer: OpaquePointer) { self.pointer = pointer }

  deinit { X509_free(pointer) }

  /// The first second in which it is valid, of Unix time.
  var notBefore: Int64 { Self.unixSeconds(X509_get0_notBefore(pointer)) }

  /// The last second in which it is valid, of Unix time.
  var notAfter: Int64 { Self.unixSeconds(X509_get0_notAfter(pointer)) }

  /// Whether `other` carries the name and the kind of key by which this one was signed; the signature is left to clients.
  func isIssued(by other: X509Certificate) -> Bool {
    X509_check_issued(other.pointer, pointer) == X509_V_OK
  }

  /// The DNS names that it is for (RFC 6125 §6.4), in lower case. Those with a zero byte inside are left out.
  var names: [String] {
    guard let memory = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) else {
      ERR_clear_error()
      return []
    }
    let list = OpaquePointer(memory)
    defer { GENERAL_NAMES_free(list) }
    var names: [String] = []
    for index in 0..<cssl_name_count(list) {
      var size: Int32 = 0
      guard let bytes = cssl_dns_name(cssl_name_at(list, index), &size) else { continue }
      let text = UnsafeBufferPointer(start: bytes, count: Int(size))
      if !text.contains(0) { names.append(String(decoding: text, as: UTF8.self).lowercased()) }
    }
    return names
  }

  /// A time of ASN.1 in seconds of Unix time; 0 for what is no time.
  static func unixSeconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
    var parts = tm()
    guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else {
      ERR_clear_error()
      return 0
    }
    return Int64(timegm(&parts))
  }
}
