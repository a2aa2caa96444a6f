/// A request that the gateway makes of somebody else's server.
public struct ClientRequest: Sendable {
  /// A token (RFC 9110 §5.6.2), in the case in which it is sent.
  public var method: String
  /// Of `http` or `https`, without user and password.
  public var url: String
  /// Fields beside those that the client makes by itself: Host, and what frames the message.
  public var fields: [Field]
  /// The content; a request without any says nothing of it.
  public var body: [UInt8]
  /// How long it may take from its beginning to the last byte of the answer.
  public var timeoutMilliseconds: Int
  /// How long of that until there is a connection, with TLS.
  public var connectTimeoutMilliseconds: Int
  /// How much of the answer's content is kept; at more the exchange ends, which is no failure.
  public var responseLimit: Int

  /// A field of a head.
  public struct Field: Sendable, Equatable {
    /// A token (RFC 9110 §5.1); in lower case in answers.
    public var name: String
    /// Without line ends (RFC 9110 §5.5).
    public var value: String

    /// - Parameters:
    ///   - name: as it is sent.
    ///   - value: without blanks around it.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// A request as it is given; what is wrong with it is told when it is sent.
  public init(
    method: String, url: String, fields: [Field] = [], body: [UInt8] = [],
    timeoutMilliseconds: Int = 15_000, connectTimeoutMilliseconds: Int = 5_000,
    responseLimit: Int = 1 << 20
  ) {
    self.method = method
    self.url = url
    self.fields = fields
    self.body = body
    self.timeoutMilliseconds = timeoutMilliseconds
    self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
    self.responseLimit = responseLimit
  }
}

/// What a server has answered.
public struct ClientResponse: Sendable {
  /// Of the final answer (RFC 9110 §15): 200 to 599, or whatever three digits the server has sent.
  public var status: Int
  /// Its fields, without trailers.
  public var fields: [ClientRequest.Field]
  /// Its content, as it was sent.
  public var body: [UInt8]
  /// Whether there was more than the request's limit.
  public var isTruncated: Bool
  /// From the beginning to the end.
  public var elapsedMilliseconds: Int
}

/// Why there is no answer.
public struct ClientFailure: Error, Sendable, Equatable, CustomStringConvertible {
  /// What went wrong, for programs.
  public enum Kind: Sendable {
    /// The request cannot be made, by anybody.
    case malformed
    /// The server is where the gateway does not go.
    case denied
    /// Its name is unknown, it is not reached, it is not who it says, or it broke off.
    case unreachable
    /// Time ran out.
    case timeout
    /// The head of the answer is over a bound.
    case tooLarge
    /// Too many are under way.
    case busy
  }

  /// What went wrong.
  public var kind: Kind
  /// For people; names no secret of the request.
  public var description: String

  init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
