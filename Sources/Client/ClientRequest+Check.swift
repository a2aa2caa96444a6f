internal import Wire

extension ClientRequest {
  /// Fields that the client makes by itself: whoever made others could end a message where the server does not.
  private static let framing: Set<String> = [
    "connection", "content-length", "expect", "host", "http2-settings", "keep-alive",
    "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
  ]

  /// Refuses what no server must be sent.
  ///
  /// - Throws: `ClientFailure` `malformed`, with what is wrong.
  func check() throws(ClientFailure) {
    guard Self.isToken(method), method != "CONNECT" else {
      throw ClientFailure(.malformed, "\"\(method)\" is no method of a request")
    }
    // Blanks and controls would end the request line.
    guard !url.isEmpty, url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      throw ClientFailure(.malformed, "a URL is not empty and has no blanks and no controls")
    }
    guard url.lowercased().hasPrefix("http://") || url.lowercased().hasPrefix("https://") else {
      throw ClientFailure(.malformed, "a URL begins with http:// or https://")
    }
    for field in fields {
      guard Self.isToken(field.name) else {
        throw ClientFailure(.malformed, "\"\(field.name)\" is no name of a field")
      }
      guard !Self.framing.contains(field.name.lowercased()) else {
        throw ClientFailure(.malformed, "the field \(field.name) is made by the gateway")
      }
      guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
        throw ClientFailure(.malformed, "the value of \(field.name) has controls in it")
      }
    }
  }

  /// RFC 9110 §5.6.2.
  private static func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }

  /// The fields as libcurl takes them, and without those that it would add.
  var lines: [String] {
    let names = Set(fields.map { $0.name.lowercased() })
    // A field without a value is written with a semicolon; one with a colon and nothing is one that is not sent.
    let own = fields.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
    return own
      + ["accept", "content-type", "expect"].filter { !names.contains($0) }.map { "\($0):" }
  }
}
