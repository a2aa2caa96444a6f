internal import CCurl
internal import Glibc

/// One exchange: what libcurl is told of it, and what comes back. Its loop's thread only.
public final class Transfer {
  /// Bytes that the fields of an answer may take.
  static let fieldsLimit = 64 << 10

  let handle: UnsafeMutableRawPointer
  private let request: ClientRequest
  private let reach: Reach
  let completion: (Result<ClientResponse, ClientFailure>) -> Void
  private var list: UnsafeMutablePointer<curl_slist>?
  private let body: UnsafeMutableRawBufferPointer
  private let reason: UnsafeMutablePointer<CChar>
  private let begun: UInt64

  private var fields: [ClientRequest.Field] = []
  private var fieldsLength = 0
  private var content: [UInt8] = []
  private var isTruncated = false
  private var isOverBound = false
  /// The last address that was out of reach.
  private var denied: String?

  /// - Throws: `ClientFailure` `malformed`.
  init(
    _ request: ClientRequest, _ settings: ClientSettings, at now: UInt64,
    completion: @escaping (Result<ClientResponse, ClientFailure>) -> Void
  ) throws(ClientFailure) {
    try request.check()
    guard let handle = ccurl_easy_init() else {
      throw ClientFailure(.unreachable, "there is no memory")
    }
    self.handle = handle
    self.request = request
    self.completion = completion
    reach = Reach(allowed: settings.allowedNetworks)
    begun = now
    body = .allocate(byteCount: max(1, request.body.count), alignment: 1)
    body.copyBytes(from: request.body)
    reason = .allocate(capacity: Int(CURL_ERROR_SIZE))
    reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    prepare(settings)
  }

  deinit {
    ccurl_easy_cleanup(handle)
    ccurl_slist_free_all(list)
    body.deallocate()
    reason.deallocate()
  }

  private func prepare(_ settings: ClientSettings) {
    ccurl_set_text(handle, CURLOPT_URL, request.url)
    ccurl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
    ccurl_set_number(handle, CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
    // The environment's proxies are for other things, and would look at addresses in our place.
    ccurl_set_text(handle, CURLOPT_PROXY, "")
    ccurl_set_number(handle, CURLOPT_NOSIGNAL, 1)
    // A name that is being looked up is not waited for when the exchange is broken off.
    ccurl_set_number(handle, CURLOPT_QUICK_EXIT, 1)
    ccurl_set_number(handle, CURLOPT_TIMEOUT_MS, request.timeoutMilliseconds)
    ccurl_set_number(handle, CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeoutMilliseconds)
    ccurl_set_number(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
    // Over TLS rather wait whether a connection that is being made takes several requests than make one for each. Without TLS that
    // would be known from its first answer only.
    let isSecure = request.url.lowercased().hasPrefix("https:")
    ccurl_set_number(handle, CURLOPT_PIPEWAIT, isSecure ? 1 : 0)
    ccurl_set_number(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    // From the folder only what is needed is read; the file of all of them would be read whole, on the loop.
    ccurl_set_text(handle, CURLOPT_CAPATH, "/etc/ssl/certs")
    ccurl_set_text(handle, CURLOPT_CAINFO, settings.certificateFile)
    ccurl_set_error_buffer(handle, reason)
    setContent()
    for line in request.lines { list = ccurl_slist_append(list, line) }
    ccurl_set_list(handle, CURLOPT_HTTPHEADER, list)
    ccurl_tell(
      handle, transferBody, transferField, transferAddress,
      Unmanaged.passUnretained(self).toOpaque())
  }

  private func setContent() {
    switch request.method {
    case "GET" where request.body.isEmpty: ccurl_set_number(handle, CURLOPT_HTTPGET, 1)
    case "HEAD": ccurl_set_number(handle, CURLOPT_NOBODY, 1)
    default:
      let needsLength = ["POST", "PUT", "PATCH"].contains(request.method)
      if needsLength || !request.body.isEmpty {
        ccurl_set_body(handle, body.baseAddress, request.body.count)
      }
      ccurl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method)
    }
  }

  // MARK: - what libcurl tells

  fileprivate func take(_ bytes: UnsafeRawBufferPointer) -> Int {
    let room = request.responseLimit - content.count
    content.append(contentsOf: bytes.prefix(room))
    guard bytes.count <= room else {
      isTruncated = true
      return 0
    }
    return bytes.count
  }

  /// Takes one line of a head, with its end. Each head begins anew, so what is left is that of the final answer.
  fileprivate func take(line: UnsafeRawBufferPointer) -> Int {
    fieldsLength += line.count
    guard fieldsLength <= Transfer.fieldsLimit else {
      isOverBound = true
      return 0
    }
    let text = String(decoding: line, as: UTF8.self)
    if text.hasPrefix("HTTP/") {
      fields = []
      fieldsLength = 0
    } else if text.first == " " || text.first == "\t", !fields.isEmpty {
      // RFC 9112 §5.2: a line that goes on with the one before.
      fields[fields.count - 1].value += " " + text.trimmed
    } else if let colon = text.utf8.firstIndex(of: 0x3A) {
      fields.append(
        .init(text[..<colon].lowercased(), String(text[text.utf8.index(after: colon)...]).trimmed))
    }
    return line.count
  }

  fileprivate func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
    let isReached = withUnsafePointer(to: &address.pointee.addr) { socketAddress in
      if reach.includes(socketAddress) { return true }
      denied = Reach.text(socketAddress)
      return false
    }
    guard isReached else { return -1 }
    denied = nil
    return socket(
      address.pointee.family,
      address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue),
      address.pointee.protocol)
  }

  // MARK: - its end

  /// How it has ended.
  func outcome(
    _ result: CURLcode, at now: UInt64
  ) -> Result<ClientResponse, ClientFailure> {
    if isOverBound {
      return .failure(
        .init(.tooLarge, "the answer's fields take more than \(Transfer.fieldsLimit) bytes"))
    }
    guard result == CURLE_OK || isTruncated else { return .failure(failure(result)) }
    return .success(
      ClientResponse(
        status: ccurl_response_code(handle), fields: fields, body: content,
        isTruncated: isTruncated, elapsedMilliseconds: Int((now - begun) / 1_000_000)))
  }

  private func failure(_ result: CURLcode) -> ClientFailure {
    if let denied {
      return .init(
        .denied,
        "\(denied) is no address of the internet at large, and in no network of \"client.allow_networks\""
      )
    }
    let said = String(cString: reason)
    let words = said.isEmpty ? String(cString: ccurl_easy_strerror(result)) : said
    switch result {
    case CURLE_OPERATION_TIMEDOUT: return .init(.timeout, words)
    case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_LOGIN_DENIED:
      return .init(.malformed, words)
    default: return .init(.unreachable, words)
    }
  }
}

private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer {
  Unmanaged<Transfer>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
}

private func transferBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
  _ context: UnsafeMutableRawPointer?
) -> Int {
  transfer(context).take(UnsafeRawBufferPointer(start: bytes, count: size * count))
}

private func transferField(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
  _ context: UnsafeMutableRawPointer?
) -> Int {
  transfer(context).take(line: UnsafeRawBufferPointer(start: bytes, count: size * count))
}

private func transferAddress(
  _ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype,
  _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
  guard let address else { return -1 }
  return transfer(context).open(address)
}

extension String {
  /// Without blanks and line ends at either end.
  fileprivate var trimmed: String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
    guard let first = firstIndex(where: { !isBlank($0) }),
      let last = lastIndex(where: { !isBlank($0) })
    else { return "" }
    return String(self[first...last])
  }
}
