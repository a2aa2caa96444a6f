import CSSL
import Foundation
import TLS
import Testing

/// An authority and one certificate of its, with all that a server needs to staple the authority's word on it.
private final class Responder {
  private let authority: OpaquePointer
  private let leaf: OpaquePointer
  private let keys = (authority: cssl_new_p256_key()!, leaf: cssl_new_p256_key()!)
  private let folder: ScratchFolder
  private var source: CertificateSource

  init(in folder: ScratchFolder) throws {
    self.folder = folder
    authority = Self.certificate("Authority", keys.authority, nil)
    leaf = Self.certificate("localhost", keys.leaf, (authority, keys.authority))
    let (leaf, authority, key) = (leaf, authority, keys.leaf)
    source = CertificateSource(
      certificate: try folder.write(
        Self.text { PEM_write_bio_X509($0, leaf) }
          + Self.text { PEM_write_bio_X509($0, authority) },
        to: "chain.crt"),
      key: try folder.write(
        Self.text { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }, to: "leaf.key"))
  }

  deinit {
    X509_free(authority)
    X509_free(leaf)
    EVP_PKEY_free(keys.authority)
    EVP_PKEY_free(keys.leaf)
  }

  /// The certificate with a response that is good between two seconds of Unix time.
  func settings(from: Int64, until: Int64) throws -> (TLSSettings, response: [UInt8]) {
    let basic = OCSP_BASICRESP_new()
    let id = OCSP_cert_to_id(nil, leaf, authority)
    let (since, end) = (
      ASN1_GENERALIZEDTIME_set(nil, time_t(from)), ASN1_GENERALIZEDTIME_set(nil, time_t(until))
    )
    OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, nil, since, end)
    try #require(OCSP_basic_sign(basic, authority, keys.authority, EVP_sha256(), nil, 0) == 1)
    let response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic)
    defer {
      OCSP_RESPONSE_free(response)
      OCSP_BASICRESP_free(basic)
      OCSP_CERTID_free(id)
      ASN1_GENERALIZEDTIME_free(since)
      ASN1_GENERALIZEDTIME_free(end)
    }
    var bytes = [UInt8](repeating: 0, count: Int(i2d_OCSP_RESPONSE(response, nil)))
    bytes.withUnsafeMutableBufferPointer { buffer in
      var place = buffer.baseAddress
      _ = i2d_OCSP_RESPONSE(response, &place)
    }
    source.ocsp = folder.path + "/response.der"
    try Data(bytes).write(to: URL(filePath: source.ocsp!))
    return (TLSSettings(certificates: [source]), bytes)
  }

  private static func certificate(
    _ name: String, _ key: OpaquePointer, _ issuer: (OpaquePointer, OpaquePointer)?
  ) -> OpaquePointer {
    let made = X509_new()!
    X509_set_version(made, 2)
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), issuer == nil ? 1 : 2)
    ASN1_TIME_set(X509_getm_notBefore(made), time_t(unixNow - 30 * 86_400))
    ASN1_TIME_set(X509_getm_notAfter(made), time_t(unixNow + 30 * 86_400))
    X509_NAME_add_entry_by_txt(
      X509_get_subject_name(made), "CN", MBSTRING_UTF8, Array(name.utf8), Int32(name.utf8.count),
      -1,
      0)
    X509_set_issuer_name(made, X509_get_subject_name(issuer?.0 ?? made))
    X509_set_pubkey(made, key)
    let basics = X509V3_EXT_conf_nid(
      nil, nil, NID_basic_constraints, issuer == nil ? "critical,CA:TRUE" : "critical,CA:FALSE")
    X509_add_ext(made, basics, -1)
    X509_EXTENSION_free(basics)
    X509_sign(made, issuer?.1 ?? key, EVP_sha256())
    return made
  }

  private static func text(_ write: (OpaquePointer?) -> Int32) -> String {
    let bio = BIO_new(BIO_s_mem())
    defer { BIO_free(bio) }
    _ = write(bio)
    var bytes: UnsafeMutablePointer<CChar>?
    let count = cssl_BIO_bytes(bio, &bytes)
    return String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
  }
}

@Suite struct `An OCSP response` {
  let folder: ScratchFolder
  init() throws { folder = try ScratchFolder() }

  /// What a client that asks for a response gets in the handshake; nil for none.
  func stapled(_ context: TLSContext) throws -> [UInt8]? {
    let client = Client(of: context)
    SSL_ctrl(client.ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE, Int(TLSEXT_STATUSTYPE_ocsp), nil)
    try #require(client.shakeHands())
    var bytes: UnsafePointer<UInt8>?
    let count = SSL_ctrl(client.ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP, 0, &bytes)
    return count < 0 ? nil : Array(UnsafeBufferPointer(start: bytes, count: count))
  }

  @Test func `is stapled while it is good`() throws {
    let (settings, response) = try Responder(in: folder).settings(
      from: unixNow - 60, until: unixNow + 3_600)
    #expect(try stapled(.strict(settings)) == response)
  }

  // A context outlives its response where what is to replace it is refused, such as a chain that has expired.
  @Test func `is not stapled any more when it has expired since it was read`() throws {
    let (settings, _) = try Responder(in: folder).settings(
      from: unixNow - 7_200, until: unixNow - 60)
    let context = try TLSContext.strict(settings, now: unixNow - 3_600)
    #expect(context.staleAt ?? .max < unixNow)
    #expect(try stapled(context) == nil)
  }

  @Test func `goes on being stapled when its file holds none any more, until it has expired`()
    throws
  {
    let (settings, response) = try Responder(in: folder).settings(
      from: unixNow - 60, until: unixNow + 3_600)
    let former = try TLSContext.strict(settings)
    _ = try folder.write("not DER", to: "response.der")
    func renewed(at now: Int64) throws -> (TLSContext, [String]) {
      var warnings: [CertificateError] = []
      let context = try TLSContext(
        reading: settings, tickets: TicketKeys()!, now: now, allowsLapsed: true,
        former: former.stapled, warnings: &warnings)
      return (context, warnings.map(\.reason))
    }
    let (context, warnings) = try renewed(at: unixNow)
    #expect(warnings == ["is not an OCSP response in DER"])
    #expect(try stapled(context) == response)
    #expect(context.stapled == former.stapled)
    #expect(context.staleAt == former.staleAt)
    let (late, _) = try renewed(at: unixNow + 7_200)
    #expect(try stapled(late) == nil)
    #expect(late.stapled.isEmpty)
  }

  @Test func `that has expired is not read`() throws {
    let (settings, _) = try Responder(in: folder).settings(
      from: unixNow - 7_200, until: unixNow - 60)
    var warnings: [CertificateError] = []
    let context = try TLSContext(
      reading: settings, tickets: TicketKeys()!, now: unixNow, allowsLapsed: false,
      warnings: &warnings)
    #expect(warnings.map(\.reason) == ["has expired"])
    #expect(try stapled(context) == nil)
  }
}
