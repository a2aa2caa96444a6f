internal import CCurl

/// Submission to an SMTP server (RFC 5321, RFC 6409), by libcurl.
struct SMTPDriver: Driver {
  private let settings: MailerSettings
  /// Whether the server must be one of the internet at large: an app's developer names it, and must not reach the operator's network
  /// through the gateway.
  private let isPublicOnly: Bool

  init(_ settings: MailerSettings, isPublicOnly: Bool) {
    self.settings = settings
    self.isPublicOnly = isPublicOnly
  }

  var patience: Int64 { settings.smtpTimeoutSeconds * 1_000 }

  func deliver(_ letter: Letter, until interruption: Interruption) -> Outcome {
    guard let transfer = ccurl_easy_init(), let transfers = ccurl_multi_init() else {
      return .later(ccurl_missing().map { String(cString: $0) } ?? "libcurl has no memory")
    }
    defer {
      ccurl_easy_cleanup(transfer)
      ccurl_multi_cleanup(transfers)
    }
    let recipients = ccurl_slist_append(nil, "<\(letter.recipient)>")
    defer { ccurl_slist_free_all(recipients) }
    prepare(transfer, letter, recipients)
    return letter.bytes.withUnsafeBytes { bytes in
      var upload = ccurl_upload(
        bytes: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), length: bytes.count, sent: 0)
      return withUnsafeMutablePointer(to: &upload) { upload in
        ccurl_set_upload(transfer, upload)
        ccurl_multi_add_handle(transfers, transfer)
        defer { ccurl_multi_remove_handle(transfers, transfer) }
        return run(transfer, transfers, until: interruption)
      }
    }
  }

  private func prepare(
    _ transfer: UnsafeMutableRawPointer, _ letter: Letter,
    _ recipients: UnsafeMutablePointer<curl_slist>?
  ) {
    let scheme = settings.smtpSecurity == .tls ? "smtps" : "smtp"
    let name = Mailbox.domain(of: letter.sender)
    ccurl_set_text(
      transfer, CURLOPT_URL, "\(scheme)://\(settings.smtpHost):\(settings.smtpPort)/\(name)")
    ccurl_set_text(transfer, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
    // The environment's proxies are for other things.
    ccurl_set_text(transfer, CURLOPT_PROXY, "")
    ccurl_set_number(transfer, CURLOPT_NOSIGNAL, 1)
    // A name that is being looked up is not waited for when the attempt is broken off.
    ccurl_set_number(transfer, CURLOPT_QUICK_EXIT, 1)
    ccurl_set_number(transfer, CURLOPT_TIMEOUT, Int(settings.smtpTimeoutSeconds))
    ccurl_set_text(transfer, CURLOPT_MAIL_FROM, "<\(letter.sender)>")
    ccurl_set_list(transfer, CURLOPT_MAIL_RCPT, recipients)
    if settings.smtpSecurity != .none {
      ccurl_set_number(transfer, CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue))
      ccurl_set_number(transfer, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
      if !settings.smtpCAFile.isEmpty {
        ccurl_set_text(transfer, CURLOPT_CAINFO, settings.smtpCAFile)
      }
    }
    if !settings.smtpUsername.isEmpty {
      ccurl_set_text(transfer, CURLOPT_USERNAME, settings.smtpUsername)
      ccurl_set_text(transfer, CURLOPT_PASSWORD, settings.smtpPassword ?? "")
    }
    if isPublicOnly { ccurl_allow_public_only(transfer) }
  }

  /// Drives the transfer to its end, and looks ten times a second whether anybody still waits.
  private func run(
    _ transfer: UnsafeMutableRawPointer, _ transfers: UnsafeMutableRawPointer,
    until interruption: Interruption
  ) -> Outcome {
    let flag = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    flag.initialize(to: 0)
    defer {
      ccurl_set_number(transfer, CURLOPT_NOPROGRESS, 1)
      flag.deallocate()
    }
    ccurl_end_when(transfer, flag)
    while true {
      if interruption.isSet { flag.pointee = 1 }
      var running: Int32 = 0
      guard ccurl_multi_perform(transfers, &running) == CURLM_OK else {
        return .later("libcurl cannot go on")
      }
      if running == 0 { break }
      ccurl_multi_poll(transfers, 100)
    }
    var left: Int32 = 0
    guard let message = ccurl_multi_info_read(transfers, &left) else {
      return .later("libcurl does not say how it ended")
    }
    let result = message.pointee.data.result
    if result == CURLE_ABORTED_BY_CALLBACK { return .interrupted }
    return SMTPDriver.outcome(result, ccurl_response_code(transfer))
  }

  /// What libcurl's result and the server's last answer mean.
  static func outcome(_ result: CURLcode, _ status: Int) -> Outcome {
    if result == CURLE_OK { return .delivered }
    var words = String(cString: ccurl_easy_strerror(result))
    if status != 0 { words += "; the server answered \(status)" }
    // RFC 5321 §4.2.1: 5yz is for good. Those of authentication (RFC 4954 §6) are our settings' fault, not the message's.
    let isOurs =
      [CURLE_USE_SSL_FAILED, CURLE_LOGIN_DENIED, CURLE_REMOTE_ACCESS_DENIED].contains(result)
      || [530, 534, 535, 538].contains(status)
    let isForGood = (500...599).contains(status) && !isOurs
    return isForGood ? .never(words) : .later(words)
  }
}
