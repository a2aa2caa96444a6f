internal import TLS

/// A certificate with its key that an app has given for one of its hosts, as it is sealed: the length of the chain in decimal
/// digits, a line feed, the chain, the key, both PEM.
enum HostCertificate {
  /// Under which name it is sealed. Hosts may be longer than names of secrets, so it is of the host's digest.
  static func name(of host: String) -> String {
    SealedSettings.prefix + "tls." + HexDigest.sha256(Array(host.utf8)).prefix(40)
  }

  static func bytes(_ text: CertificateText) -> [UInt8] {
    Array("\(text.chain.count)\n".utf8) + text.chain + text.key
  }

  /// What was sealed; nil for what was not sealed so.
  static func text(_ bytes: [UInt8]) -> CertificateText? {
    guard let end = bytes.firstIndex(of: 0x0A),
      let length = Int(String(decoding: bytes[..<end], as: UTF8.self)),
      length >= 0, end + 1 + length <= bytes.count
    else { return nil }
    let start = end + 1
    return CertificateText(
      chain: Array(bytes[start..<(start + length)]), key: Array(bytes[(start + length)...]))
  }
}

extension TenantRegistry {
  /// A tenant's hosts without those that are the platform's own: from before `platform_hosts` named them. [any-thread]
  func leadingHosts(of record: TenantRecord) -> [String] {
    let own = table.withLock { $0.platformHosts }
    return record.isStatic || own.isEmpty
      ? record.hosts : record.hosts.filter { !own.contains($0) }
  }

  /// The certificates of all hosts that have one, in the order of tenants and hosts.
  func hostCertificates() -> [CertificateSource] {
    // Most tenants have no host name of their own.
    let records = table.withLock { table in
      table.records.values.filter { !$0.hosts.isEmpty && !$0.isStatic }
    }
    return records.sorted { $0.id < $1.id }.flatMap { hostCertificates(of: $0) }
  }

  /// The certificates of a tenant's hosts that have one, in the order of the hosts.
  func hostCertificates(of record: TenantRecord) -> [CertificateSource] {
    leadingHosts(of: record).compactMap { host in
      guard
        let bytes = try? secret(tenant: record.id, name: HostCertificate.name(of: host)),
        let text = HostCertificate.text(bytes)
      else { return nil }
      return CertificateSource(host: host, text: text)
    }
  }
}
