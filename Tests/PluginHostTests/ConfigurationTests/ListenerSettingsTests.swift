import TLS
import Testing

@testable import PluginHost

@Suite struct `A listener with TLS` {
  let folder = ScratchFolder()

  func read(_ tls: String) throws -> ListenerTLS {
    let file = folder.write(
      #"{"listeners":[{"address":"127.0.0.1:0","tls":\#(tls)}]}"#, to: "etc/sluice.json")
    return try #require(try SluiceConfiguration.read(file: file).listeners[0].tls)
  }

  func refusals(_ tls: String) -> [String] {
    do {
      _ = try read(tls)
      return []
    } catch let error as ConfigurationError {
      return error.problems.map { "\($0.pointer): \($0.message)" }
    } catch {
      return ["\(error)"]
    }
  }

  @Test func `is read with one certificate, whose paths are relative to the file`() throws {
    let tls = try read(
      #"{"certificate":"a.crt","key":"/keys/a.key","names":["a.example","*.b.example"],"ocsp":"a.der"}"#
    )
    #expect(
      tls.certificates == [
        CertificateSource(
          certificate: "\(folder.path)/etc/a.crt", key: "/keys/a.key",
          names: ["a.example", "*.b.example"], ocsp: "\(folder.path)/etc/a.der")
      ])
    #expect(tls.clientCA == nil && tls.clientAuthentication == .none)
    #expect(tls.transportSecurity == nil)
  }

  @Test func `is read with several certificates and authorities of clients`() throws {
    let tls = try read(
      #"{"certificates":[{"certificate":"/a","key":"/b"},{"certificate":"/c","key":"/d"}],"client_ca":"/e"}"#
    )
    #expect(tls.certificates.map(\.key) == ["/b", "/d"])
    #expect(tls.clientCA == "/e" && tls.clientAuthentication == .required)
    #expect(tls.settings(tls.certificates).files == ["/a", "/b", "/c", "/d", "/e"])
  }

  @Test func `is read with a certificate of its own making`() throws {
    let tls = try read(
      #"{"self_signed":["localhost","::1"],"strict_transport_security":"max-age=9"}"#)
    #expect(tls.selfSigned == ["localhost", "::1"] && tls.certificates.isEmpty)
    #expect(tls.transportSecurity == "max-age=9")
  }

  static let one =
    #"must have exactly one of "certificate", "certificates" and "self_signed""#

  @Test(arguments: [
    ("{}", ["/listeners/0/tls: \(one)"]),
    ("[]", ["/listeners/0/tls: must be an object, not an array"]),
    (
      #"{"certificate":"a","key":"b","self_signed":["c"]}"#, ["/listeners/0/tls: \(one)"]
    ),
    (#"{"certificate":"a"}"#, [#"/listeners/0/tls: "key" is missing"#]),
    (
      #"{"certificates":[]}"#, ["/listeners/0/tls/certificates: must name at least one certificate"]
    ),
    (
      #"{"certificates":[{"key":"b"}]}"#,
      [#"/listeners/0/tls/certificates/0: "certificate" is missing"#]
    ),
    (
      #"{"self_signed":["a"],"key":"b"}"#,
      [#"/listeners/0/tls/key: stands beside "certificate""#]
    ),
    (#"{"self_signed":[]}"#, ["/listeners/0/tls/self_signed: must name at least one host"]),
    (
      #"{"self_signed":["a,IP:1"]}"#,
      [
        #"/listeners/0/tls/self_signed/0: "a,IP:1" is not a host name in lower case, *. before one, or an IP address"#
      ]
    ),
    (
      #"{"certificate":"a","key":"b","names":["*.*.a"]}"#,
      [
        #"/listeners/0/tls/names/0: "*.*.a" is not a host name in lower case, or *. before one"#
      ]
    ),
    (
      #"{"self_signed":["a"],"client_auth":"optional"}"#,
      [
        #"/listeners/0/tls/client_auth: needs "client_ca", the authorities of clients' certificates"#
      ]
    ),
    (
      #"{"self_signed":["a"],"strict_transport_security":"max-age=1\r\nx: y"}"#,
      [
        "/listeners/0/tls/strict_transport_security: \"max-age=1\r\nx: y\" is not a policy such as "
          + #""max-age=31536000; includeSubDomains""#
      ]
    ),
    (
      #"{"self_singed":["a"]}"#,
      [
        "/listeners/0/tls: \(one)", #"/listeners/0/tls/self_singed: unknown key "self_singed""#,
      ]
    ),
  ]) func `is refused with the place of what is wrong`(tls: String, expected: [String]) {
    #expect(refusals(tls) == expected)
  }
}
