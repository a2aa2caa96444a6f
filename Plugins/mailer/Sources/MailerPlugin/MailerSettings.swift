internal import PluginKit

/// One tenant's settings, as the manifest's `config` describes them.
struct MailerSettings: Decodable, Sendable {
  enum DriverName: String, Decodable { case file, smtp }
  enum Security: String, Decodable { case starttls, tls, none }

  var driver: DriverName
  var productName: String
  var fromAddress: String
  /// How many files the outbox keeps.
  var outboxFiles: Int
  var smtpHost: String
  var smtpPort: Int
  var smtpSecurity: Security
  var smtpUsername: String
  /// A secret, which has no default.
  var smtpPassword: String?
  var smtpCAFile: String
  var smtpTimeoutSeconds: Int64
  /// How often a message is tried before it is given up.
  var attempts: Int64
  /// The pause after the first attempt that failed.
  var retrySeconds: Int64
  /// How many messages may wait.
  var queueLimit: Int64

  enum CodingKeys: String, CodingKey {
    case driver, attempts
    case productName = "product_name"
    case fromAddress = "from_address"
    case outboxFiles = "outbox_files"
    case smtpHost = "smtp_host"
    case smtpPort = "smtp_port"
    case smtpSecurity = "smtp_security"
    case smtpUsername = "smtp_username"
    case smtpPassword = "smtp_password"
    case smtpCAFile = "smtp_ca_file"
    case smtpTimeoutSeconds = "smtp_timeout_seconds"
    case retrySeconds = "retry_seconds"
    case queueLimit = "queue_limit"
  }

  /// Checks what a schema cannot say.
  ///
  /// - Parameter isPlatform: whether the operator made the settings, rather than an app's developer.
  func check(isPlatform: Bool) throws {
    guard !productName.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else {
      throw ConfigurationError(pointer: "/product_name", message: "it has a control character")
    }
    guard Mailbox.isAddress(fromAddress) else {
      throw ConfigurationError(
        pointer: "/from_address", message: "it is no address such as no-reply@example.com")
    }
    guard isPlatform || smtpCAFile.isEmpty else {
      throw ConfigurationError(
        pointer: "/smtp_ca_file", message: "only the operator names files, on the platform")
    }
    guard driver == .smtp else { return }
    guard MailerSettings.isHost(smtpHost) else {
      throw ConfigurationError(
        pointer: "/smtp_host",
        message: "the driver smtp needs the server's name, such as smtp.example.com")
    }
    // Told here where it can be; where a name leads is looked at with each attempt.
    guard isPlatform || !LocalHost.isOne(smtpHost) else {
      throw ConfigurationError(
        pointer: "/smtp_host",
        message: "an app's mail goes to a server of the internet at large, not to a private address"
      )
    }
    // A developer's settings must not have the gateway knock at any port there is.
    guard isPlatform || [25, 465, 587, 2525].contains(smtpPort) else {
      throw ConfigurationError(
        pointer: "/smtp_port", message: "an app's mail goes to port 25, 465, 587 or 2525")
    }
    guard smtpUsername.isEmpty == (smtpPassword ?? "").isEmpty else {
      throw ConfigurationError(
        pointer: (smtpPassword ?? "").isEmpty ? "/smtp_password" : "/smtp_username",
        message: "a user name and a password go together")
    }
    // A password in the clear is for a server on this machine.
    let isHere = LocalHost.isThisMachine(smtpHost)
    guard smtpSecurity != .none || smtpUsername.isEmpty || isHere else {
      throw ConfigurationError(
        pointer: "/smtp_security",
        message: "a password goes over an encrypted connection only: starttls or tls")
    }
  }

  private static func isHost(_ text: String) -> Bool {
    let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
    let inner = isBracketed ? text.dropFirst().dropLast() : Substring(text)
    // One dot at the end is a whole name's; no other stands beside another.
    return !inner.isEmpty && !inner.hasPrefix(".") && !inner.contains("..")
      && inner.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."):
          true
        case UInt8(ascii: "-"): !isBracketed
        case UInt8(ascii: ":"): isBracketed
        default: false
        }
      }
  }
}
