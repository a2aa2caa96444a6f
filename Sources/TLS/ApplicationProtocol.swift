/// A protocol that may be spoken inside TLS, under its name in ALPN (RFC 7301 §6).
public enum ApplicationProtocol: String, CaseIterable, Sendable {
  case http2 = "h2"
  case http11 = "http/1.1"
}
