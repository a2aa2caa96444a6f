import Foundation
import TLS
import Testing

@Suite struct Certificates {
  let folder: ScratchFolder
  init() throws { folder = try ScratchFolder() }

  /// What is said of these settings.
  func refusal(_ settings: TLSSettings, now: Int64 = unixNow) -> CertificateError? {
    do {
      _ = try TLSContext.strict(settings, now: now)
      return nil
    } catch let error as CertificateError {
      return error
    } catch {
      Issue.record(error)
      return nil
    }
  }

  @Test func `are refused with a key of another`() throws {
    let one = try folder.certificate(for: "one.example")
    let two = try folder.certificate(for: "two.example")
    let mixed = CertificateSource(certificate: one.certificate, key: two.key)
    #expect(
      refusal(TLSSettings(certificates: [mixed]))
        == CertificateError(
          file: two.key,
          reason: "the key does not match the first certificate in \(one.certificate)"))
  }

  @Test func `are refused after their time and before it`() throws {
    let source = try folder.certificate(for: "localhost")
    let settings = TLSSettings(certificates: [source])
    #expect(
      refusal(settings, now: unixNow + 400 * 86_400)
        == CertificateError(file: source.certificate, reason: "certificate 1 has expired"))
    #expect(
      refusal(settings, now: unixNow - 86_400)
        == CertificateError(file: source.certificate, reason: "certificate 1 is not valid yet"))
  }

  @Test func `that have lapsed are served at the start, with a warning`() throws {
    let source = try folder.certificate(for: "localhost")
    var warnings: [CertificateError] = []
    _ = try TLSContext(
      reading: TLSSettings(certificates: [source]), tickets: TicketKeys()!,
      now: unixNow + 400 * 86_400, allowsLapsed: true, warnings: &warnings)
    #expect(
      warnings == [CertificateError(file: source.certificate, reason: "certificate 1 has expired")])
  }

  /// As text, as an app gives it for one of its hosts.
  private func text(_ source: CertificateSource, for host: String) throws -> CertificateSource {
    func bytes(_ path: String) throws -> [UInt8] {
      [UInt8](try Data(contentsOf: URL(filePath: path)))
    }
    return CertificateSource(
      host: host,
      text: CertificateText(chain: try bytes(source.certificate), key: try bytes(source.key)))
  }

  @Test func `that are text are taken for a host that is among their names, and valid now`() throws
  {
    let source = try folder.certificate(for: "shop.example")
    let good = try text(source, for: "shop.example")
    #expect(try good.check(for: "shop.example", at: unixNow).names == ["shop.example"])
    #expect(good.files == [])
    #expect(throws: CertificateError(file: "certificate", reason: "certificate 1 has expired")) {
      try good.check(for: "shop.example", at: unixNow + 400 * 86_400)
    }
    #expect(
      throws: CertificateError(
        file: "certificate", reason: "is for shop.example, not for other.example")
    ) { try good.check(for: "other.example", at: unixNow) }
    var mixed = good
    mixed.text?.key = try text(folder.certificate(for: "two.example"), for: "x").text!.key
    #expect(
      throws: CertificateError(
        file: "key", reason: "the key does not match the first certificate in certificate")
    ) { try mixed.check(for: "shop.example", at: unixNow) }
    let nothing = CertificateSource(host: "x", text: CertificateText(chain: [], key: []))
    #expect(
      throws: CertificateError(file: "certificate", reason: "holds no certificate in PEM")
    ) { try nothing.check(for: "x", at: unixNow) }
  }

  @Test func `that are text keep nothing else from being served when they cannot be used`() throws {
    let own = try folder.certificate(for: "localhost")
    let broken = CertificateSource(
      host: "broken.example", text: CertificateText(chain: Array("x".utf8), key: []))
    let lapsed = try text(folder.certificate(for: "shop.example"), for: "shop.example")
    var warnings: [CertificateError] = []
    _ = try TLSContext(
      reading: TLSSettings(certificates: [own, broken, lapsed]), tickets: TicketKeys()!,
      now: unixNow, allowsLapsed: false, warnings: &warnings)
    #expect(
      warnings == [
        CertificateError(
          file: "the certificate of broken.example", reason: "holds no certificate in PEM")
      ])
  }

  @Test(arguments: [
    ("", "holds no certificate in PEM"), ("no PEM at all", "holds no certificate in PEM"),
    (
      "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
      "certificate 1 is not valid PEM: bad base64 decode"
    ),
    (
      "-----BEGIN CERTIFICATE-----\nMIIB\n", "certificate 1 is not valid PEM: bad end line"
    ),
  ]) func `that cannot be read say what is wrong`(text: String, reason: String) throws {
    var source = try folder.certificate(for: "localhost")
    source.certificate = try folder.write(text, to: "bad.crt")
    #expect(
      refusal(TLSSettings(certificates: [source]))
        == CertificateError(file: source.certificate, reason: reason))
  }

  @Test func `are refused when the second of a file is broken`() throws {
    var source = try folder.certificate(for: "localhost")
    let whole = try folder.text(of: source.certificate)
    source.certificate = try folder.write(whole + whole.dropLast(60), to: "cut.crt")
    #expect(
      refusal(TLSSettings(certificates: [source]))?.reason.hasPrefix(
        "certificate 2 is not valid PEM")
        == true)
  }

  @Test func `are refused in the wrong order`() throws {
    var source = try folder.certificate(for: "one.example")
    let other = try folder.certificate(for: "two.example")
    source.certificate = try folder.write(
      try folder.text(of: source.certificate) + folder.text(of: other.certificate), to: "chain.crt")
    #expect(
      refusal(TLSSettings(certificates: [source]))?.reason
        == "certificate 2 did not sign certificate 1: put them in order")
  }

  @Test func `are refused without their files`() throws {
    var source = try folder.certificate(for: "localhost")
    source.key = folder.path + "/absent.key"
    #expect(
      refusal(TLSSettings(certificates: [source]))
        == CertificateError(
          file: source.key, reason: "cannot be read: No such file or directory"))
    source.key = folder.path
    #expect(
      refusal(TLSSettings(certificates: [source]))?.reason == "cannot be read: not a regular file")
  }

  @Test func `say that a key is encrypted instead of asking for its password`() throws {
    var source = try folder.certificate(for: "localhost")
    source.key = try folder.write(
      """
      -----BEGIN ENCRYPTED PRIVATE KEY-----
      MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjF1Xq9EXeTqgICCAAw
      DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDZQ0GmYCcqjjRIsRvk5HTwEgZBf
      -----END ENCRYPTED PRIVATE KEY-----
      """, to: "locked.key")
    let reason = try #require(refusal(TLSSettings(certificates: [source]))?.reason)
    #expect(reason.hasPrefix("the key is encrypted") || reason.hasPrefix("holds no private key"))
  }

  @Test func `go without a response that is none, with a warning`() throws {
    var source = try folder.certificate(for: "localhost")
    source.ocsp = try folder.write("not DER", to: "response.der")
    #expect(refusal(TLSSettings(certificates: [source]))?.file == source.ocsp)
  }

  @Test func `that are self-signed stay the same for the same names`() throws {
    let first = try SelfSignedCertificate.provide(
      for: ["a", "127.0.0.1"], in: folder.path, now: unixNow)
    #expect(first.isNew)
    let again = try SelfSignedCertificate.provide(
      for: ["a", "127.0.0.1"], in: folder.path, now: unixNow)
    #expect(!again.isNew && again.source == first.source)
    let other = try SelfSignedCertificate.provide(for: ["b"], in: folder.path, now: unixNow)
    #expect(other.isNew && other.source != first.source)
    let later = try SelfSignedCertificate.provide(
      for: ["b"], in: folder.path, now: unixNow + 380 * 86_400)
    #expect(later.isNew && later.source == other.source)
  }

  @Test func `that are self-signed keep their key to their owner`() throws {
    let source = try folder.certificate(for: "localhost")
    let mode = try FileManager.default.attributesOfItem(atPath: source.key)[.posixPermissions]
    #expect(mode as? Int == 0o600)
  }

  @Test func `have a stamp that changes with the file`() throws {
    let file = try folder.write("one", to: "file")
    let before = try #require(FileStamp(of: file))
    #expect(FileStamp(of: file) == before)
    _ = try folder.write("other", to: "file")
    #expect(FileStamp(of: file) != before)
    #expect(FileStamp(of: folder.path + "/absent") == nil)
  }
}
