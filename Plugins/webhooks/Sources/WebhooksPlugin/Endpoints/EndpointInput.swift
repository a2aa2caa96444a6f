internal import PluginKit

/// What a request says of an endpoint: all of it, or what is to change.
struct EndpointInput: Decodable {
  /// A member that may be left out, and may be null.
  enum Member<Value: Decodable> {
    case absent
    case null
    case value(Value)
  }

  var url: String?
  var description: String?
  var events: [String]?
  var channels: Member<[String]>
  var headers: [String: String]?
  var rateLimit: Member<Int64>
  var payload: Endpoint.Content?
  var isOrdered: Bool?
  var signing: SigningKey.Kind?
  var isEnabled: Bool?

  private enum CodingKeys: String, CodingKey {
    case url, description, events, channels, headers
    case rateLimit = "rate_limit"
    case payload
    case isOrdered = "ordered"
    case signing
    case isEnabled = "enabled"
  }

  init(from decoder: any Decoder) throws {
    let body = try decoder.container(keyedBy: CodingKeys.self)
    url = try body.decodeIfPresent(String.self, forKey: .url)
    description = try body.decodeIfPresent(String.self, forKey: .description)
    events = try body.decodeIfPresent([String].self, forKey: .events)
    channels = try Self.member(.channels, of: body)
    headers = try body.decodeIfPresent([String: String].self, forKey: .headers)
    rateLimit = try Self.member(.rateLimit, of: body)
    payload = try body.decodeIfPresent(Endpoint.Content.self, forKey: .payload)
    isOrdered = try body.decodeIfPresent(Bool.self, forKey: .isOrdered)
    signing = try body.decodeIfPresent(SigningKey.Kind.self, forKey: .signing)
    isEnabled = try body.decodeIfPresent(Bool.self, forKey: .isEnabled)
  }

  private static func member<Value: Decodable>(
    _ key: CodingKeys, of body: KeyedDecodingContainer<CodingKeys>
  ) throws -> Member<Value> {
    guard body.contains(key) else { return .absent }
    if try body.decodeNil(forKey: key) { return .null }
    return .value(try body.decode(Value.self, forKey: key))
  }

  /// - Throws: `Problem` 400 for what the manifest's schema cannot say.
  func check(_ settings: WebhookSettings) throws {
    if let url, let fault = EndpointURL.fault(url, schemes: settings.schemes) {
      throw Problem.invalid(pointer: "/url", "The URL \(fault).")
    }
    for name in (headers ?? [:]).keys.sorted() {
      guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(Self.isToken) else {
        throw Problem.invalid(pointer: "/headers", "A name is no name of a field.")
      }
      guard !Self.isReserved(name.lowercased()) else {
        throw Problem.invalid(pointer: "/headers/\(name)", "The gateway sends this field itself.")
      }
    }
    let names = (headers ?? [:]).keys.map { $0.lowercased() }
    guard Set(names).count == names.count else {
      throw Problem.invalid(pointer: "/headers", "Two names differ in their case alone.")
    }
  }

  /// With names in lower case, as they are sent.
  var loweredHeaders: [String: String]? {
    headers.map { Dictionary($0.map { ($0.key.lowercased(), $0.value) }) { $1 } }
  }

  /// RFC 9110 §5.6.2, but for the characters that nobody's field has.
  private static func isToken(_ character: UInt8) -> Bool {
    switch character {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
      UInt8(ascii: "."):
      true
    default: false
    }
  }

  private static func isReserved(_ name: String) -> Bool {
    name.hasPrefix("webhook-") || name.hasPrefix("proxy-")
      || [
        "host", "content-length", "content-type", "content-encoding", "connection", "keep-alive",
        "transfer-encoding", "te", "trailer", "upgrade", "expect", "user-agent",
      ].contains(name)
  }
}

extension EndpointInput.Member {
  /// The value that is to be; what there is where nothing is said.
  func over(_ present: Value?) -> Value? {
    switch self {
    case .absent: present
    case .null: nil
    case .value(let value): value
    }
  }
}
