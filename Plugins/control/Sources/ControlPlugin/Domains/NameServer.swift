internal import CResolv
internal import Glibc
internal import PluginKit

/// Where the world's DNS is asked.
struct NameServer: Sendable, Equatable {
  /// nil are those of the system's configuration, /etc/resolv.conf.
  let address: (host: String, port: UInt16)?

  static func == (a: NameServer, b: NameServer) -> Bool {
    a.address?.host == b.address?.host && a.address?.port == b.address?.port
  }

  /// - Parameter text: "127.0.0.1:5353", or an address alone for port 53; "" for the system's.
  /// - Throws: `ConfigurationError` that points at `/dns_server`.
  init(_ text: String) throws {
    guard !text.isEmpty else {
      address = nil
      return
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let port = parts.count == 2 ? UInt16(parts[1]) : 53
    var binary = in_addr()
    guard (1...2).contains(parts.count), let port, port > 0,
      inet_pton(AF_INET, String(parts[0]), &binary) == 1
    else {
      throw ConfigurationError(
        pointer: "/dns_server",
        message: "It is an IPv4 address, with a port or without one, such as 127.0.0.1:5353.")
    }
    address = (String(parts[0]), port)
  }

  /// What a question for the texts at a name came to.
  enum Answer: Sendable, Equatable {
    case texts([String])
    /// The name has none, or does not exist.
    case nothing
    /// Nobody has answered, or somebody who knew nothing.
    case silence
  }

  /// Seconds until a server is asked again, twice that until it is given up.
  private static let patience: Int32 = 1
  private static let attempts: Int32 = 2

  /// The TXT records at a name (RFC 1035 §3.3.14), the strings of each in one piece. Takes three seconds for each server that is silent.
  /// [worker-thread]
  func texts(at name: String) -> Answer {
    var state = resolver_state()
    guard __res_ninit(&state) == 0 else { return .silence }
    defer { __res_nclose(&state) }
    state.retrans = NameServer.patience
    state.retry = NameServer.attempts
    if let address {
      var server = sockaddr_in()
      server.sin_family = sa_family_t(AF_INET)
      server.sin_port = address.port.bigEndian
      inet_pton(AF_INET, address.host, &server.sin_addr)
      state.nscount = 1
      state.nsaddr_list.0 = server
    }
    // The largest message that there is, which comes over TCP (RFC 1035 §4.2.2).
    var message = [UInt8](repeating: 0, count: 65_535)
    // Ended by a dot, so that no search list is gone through.
    let length = res_nquery(
      &state, name + ".", Int32(ns_c_in.rawValue), Int32(ns_t_txt.rawValue), &message,
      Int32(message.count))
    guard length >= 0 else {
      return state.res_h_errno == HOST_NOT_FOUND || state.res_h_errno == NO_DATA
        ? .nothing : .silence
    }
    return NameServer.texts(in: Array(message.prefix(Int(length))))
  }

  /// The texts in an answer; behind aliases too.
  static func texts(in message: [UInt8]) -> Answer {
    message.withUnsafeBufferPointer { bytes in
      var handle = ns_msg()
      guard ns_initparse(bytes.baseAddress, Int32(bytes.count), &handle) == 0 else {
        return .silence
      }
      var texts: [String] = []
      for place in 0..<Int32(handle._counts.1) {
        var record = ns_rr()
        guard ns_parserr(&handle, ns_s_an, place, &record) == 0 else { return .silence }
        guard record.type == UInt16(ns_t_txt.rawValue), let data = record.rdata else { continue }
        let bytes = UnsafeBufferPointer(start: data, count: Int(record.rdlength))
        if let text = text(of: Array(bytes)) { texts.append(text) }
      }
      return texts.isEmpty ? .nothing : .texts(texts)
    }
  }

  /// A record's strings in one piece; nil when one of them is longer than the record.
  private static func text(of data: [UInt8]) -> String? {
    var bytes: [UInt8] = []
    var rest = data[...]
    while let length = rest.popFirst() {
      guard rest.count >= Int(length) else { return nil }
      bytes += rest.prefix(Int(length))
      rest = rest.dropFirst(Int(length))
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
