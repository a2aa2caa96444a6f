/// One operation over HTTP, as a manifest declares it.
public struct Route: Sendable {
  public var method: RouteMethod
  public var path: PathPattern
  /// Other patterns for the same operation, with the same parameters in the same order.
  public var aliases: [PathPattern]
  /// The operation's id, unique in its manifest.
  public var operation: String
  public var summary: String
  /// The name by which the plugin knows its handler.
  public var handler: String
  /// The tenants that have this route, among those that the plugin runs on.
  public var tenants: TenantScope
  public var access: Access
  /// Scopes that the principal must have, all of them.
  public var scopes: [String]
  public var query: [QueryParameter]
  public var body: RouteBody
  public var rate: RateClass
  /// What the operation answers besides problems, in the order of the status.
  public var responses: [RouteResponse]
  /// Where the route stands in its manifest.
  public var pointer: String

  /// The path and its aliases.
  public var patterns: [PathPattern] { [path] + aliases }
}

/// A method that a route may have. HEAD is answered by the GET route where there is no route of its own.
public enum RouteMethod: String, Sendable, Hashable, CaseIterable {
  case get = "GET"
  case head = "HEAD"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"
  case options = "OPTIONS"
}

/// The bucket that a request is counted in.
public enum RateClass: String, Sendable, Hashable, CaseIterable {
  case read, write, auth, none
}

/// A parameter of the query.
public struct QueryParameter: Sendable {
  /// How the text of a query becomes a JSON value before its schema is asked.
  public enum Kind: String, Sendable, CaseIterable {
    case string, integer, number, boolean
    /// Strings joined by commas.
    case array
  }

  public var name: String
  public var kind: Kind
  public var isRequired: Bool
  public var schema: Schema
}

/// What a route takes as its body.
public struct RouteBody: Sendable {
  public enum Mode: String, Sendable, CaseIterable {
    /// No body; one that is sent is refused.
    case none
    /// The plugin is called with the whole body.
    case buffer
    /// The plugin reads it piece by piece.
    case stream
  }

  public var mode: Mode
  /// The most that is accepted, in bytes.
  public var limit: Int
  /// Whether an empty body is refused.
  public var isRequired: Bool
  /// The media types that are accepted, in lower case; none listed accepts any.
  public var contentTypes: [String]
  /// What a buffered JSON body must be.
  public var schema: Schema?

  /// No body.
  public static let none = RouteBody(
    mode: .none, limit: 0, isRequired: false, contentTypes: [], schema: nil)
}

/// One documented answer.
public struct RouteResponse: Sendable {
  public var status: Int
  public var description: String
  public var schema: Schema?
}

/// A WebSocket endpoint, as a manifest declares it. It is opened with GET (RFC 6455 §4.1).
public struct SocketRoute: Sendable {
  /// When the credential comes.
  public enum CredentialTime: String, Sendable, CaseIterable {
    /// With the handshake.
    case upgrade
    /// In the first message.
    case firstMessage = "first-message"
  }

  public var path: PathPattern
  public var operation: String
  public var summary: String
  public var handler: String
  public var access: Access
  public var scopes: [String]
  /// Whether `?token=` is looked at.
  public var takesTokenInQuery: Bool
  /// The subprotocols that may be selected, best first.
  public var subprotocols: [String]
  /// The largest message, in bytes.
  public var messageLimit: Int
  /// How messages are compressed, within what the operator allows.
  public var compression: CompressionChoice
  public var query: [QueryParameter]
  public var credential: CredentialTime
  /// Where the socket stands in its manifest.
  public var pointer: String
}

/// A message that a client may send over a socket, checked like a route.
public struct SocketMessage: Sendable {
  public var type: String
  public var handler: String
  public var schema: Schema?
  public var scopes: [String]
  public var pointer: String
}
