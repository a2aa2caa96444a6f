import PluginKit
import PluginTesting
import Synchronization
import Testing

@testable import MailerPlugin

/// The plugin in a test host, with the settings that the gateway would complete by the manifest's defaults.
struct MailerHost {
  static let start = Timestamp(unixMilliseconds: 1_767_225_600_000)

  let host: TestHost

  init(
    _ tenant: String = "platform", product: String = "Sluice", attempts: Int = 3,
    queueLimit: Int = 5,
    outboxFiles: Int = 100
  ) async throws {
    host = try await TestHost(
      Mailer.self, manifest: "Plugins/mailer/plugin.json",
      config: MailerHost.settings(
        product: product, attempts: attempts, queueLimit: queueLimit, outboxFiles: outboxFiles),
      tenant: tenant)
  }

  static func settings(
    product: String = "Sluice", attempts: Int = 3, queueLimit: Int = 5, outboxFiles: Int = 100,
    changes: [String: String] = [:]
  ) -> RawJSON {
    var members: [String: String] = [
      "driver": #""file""#, "product_name": "\"\(product)\"",
      "from_address": #""no-reply@example.com""#, "outbox_files": "\(outboxFiles)",
      "smtp_host": #""""#, "smtp_port": "587", "smtp_security": #""starttls""#,
      "smtp_username": #""""#, "smtp_password": #""""#, "smtp_ca_file": #""""#,
      "smtp_timeout_seconds": "5", "attempts": "\(attempts)", "retry_seconds": "10",
      "queue_limit": "\(queueLimit)",
    ]
    members.merge(changes) { $1 }
    let text = members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
    return RawJSON(unchecked: Array("{\(text)}".utf8))
  }

  static func mail(
    to: String = "ada@example.com", subject: String = "Hello", text: String = "Hello, Ada.",
    html: String? = nil, category: String = "greeting", values: [String: String]? = nil
  ) -> Mail {
    Mail(
      to: to, subject: subject, text: text, html: html, category: category, key: nil,
      values: values)
  }

  @discardableResult
  func send(_ mail: Mail = MailerHost.mail()) async throws -> String {
    let answer = try await host.call("sluice.mailer/1", method: 1, mail, as: MailAnswer.self)
    try await host.settle()
    return answer.id
  }

  var outbox: Folder { Folder(path: host.filesFolder + "/outbox") }
}

extension Mail {
  func with(_ change: (inout Mail) -> Void) -> Mail {
    var copy = self
    change(&copy)
    return copy
  }
}
