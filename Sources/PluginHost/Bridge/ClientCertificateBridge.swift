internal import CSluice
internal import Gateway

/// `sluice.client-certificate/1` (ext/client-certificate.h).
enum ClientCertificateBridge {
  static let table = PermanentTable(
    sluice_client_certificate_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_client_certificate_v1_t>.size), reserved: 0,
      subject: { host, request in
        slice(of: host) { $0.clientSubject(request, of: $1) }
      }))
}
