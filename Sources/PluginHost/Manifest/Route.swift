/// One operation over HTTP, as a manifest declares it.
public struct Route: Sendable {
  /// The one method of this operation.
  public var method: RouteMethod
  /// The path that `/openapi.json` shows.
  public var path: PathPattern
  /// Other patterns for the same operation, with the same parameters in the same order.
  public var aliases: [PathPattern]
  /// The operation's id, unique in its manifest.
  public var operation: String
  /// One sentence for `/openapi.json`.
  public var summary: String
  /// The name by which the plugin knows its handler.
  public var handler: String
  /// The tenants that have this route, among those that the plugin runs on.
  public var tenants: TenantScope
  /// Whom it lets in.
  public var access: Access
  /// Scopes that the principal must have, all of them.
  public var scopes: [String]
  /// Parameters of the query; others are left alone.
  public var query: [QueryParameter]
  /// Where the credential may stand, besides the Authorization field.
  public var credential: CredentialPlace
  /// Whether `?token=` is a credential too.
  public var takesTokenInQuery: Bool
  /// What it takes as its body.
  public var body: RouteBody
  /// Whether it may make the tenant's data more, so that it is refused when the plan's storage is used up.
  public var writes: Bool
  /// Whether a POST may carry an `Idempotency-Key`; of other methods it says nothing.
  public var takesIdempotencyKey: Bool
  /// What the operation answers besides problems, in the order of the status.
  public var responses: [RouteResponse]
  /// Where the route stands in its manifest.
  public var pointer: String

  /// The path and its aliases.
  public var patterns: [PathPattern] { [path] + aliases }
}

extension Route {
  /// Where a request's credential may stand.
  public enum CredentialPlace: String, Sendable, CaseIterable {
    /// In its head.
    case head
    /// Also in its query or body, where the plugin finds it.
    case firstMessage = "first-message"
  }

  /// Whether the credential may stand elsewhere than in the Authorization field.
  var looksFurther: Bool { credential == .firstMessage || takesTokenInQuery }
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

/// A parameter of the query.
public struct QueryParameter: Sendable {
  /// How the text of a query becomes a JSON value before its schema is asked.
  public enum Kind: String, Sendable, CaseIterable {
    case string, integer, number, boolean
    /// Strings joined by commas.
    case array
  }

  /// As it stands in the query, decoded.
  public var name: String
  /// How its text becomes a value.
  public var kind: Kind
  /// Whether a request without it is refused with 400.
  public var isRequired: Bool
  /// What the value must be.
  public var schema: Schema
}

/// What a route takes as its body.
public struct RouteBody: Sendable {
  /// How the body reaches the plugin.
  public enum Mode: String, Sendable, CaseIterable {
    /// No body; one that is sent is refused.
    case none
    /// The plugin is called with the whole body.
    case buffer
    /// The plugin reads it piece by piece.
    case stream
  }

  /// How the body reaches the plugin; of `none` the other fields say nothing.
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
  /// The HTTP status, 200 to 599.
  public var status: Int
  /// One sentence for `/openapi.json`.
  public var description: String
  /// The body's; nil for none or an undescribed one.
  public var schema: ShownSchema?
  /// The body's media type; nil for JSON where there is a schema, a problem document from 400 on, else an undescribed one.
  public var contentType: String?
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

  /// Where it is opened; one pattern, without aliases.
  public var path: PathPattern
  /// The operation's id, unique in its manifest.
  public var operation: String
  /// One sentence for `/openapi.json`.
  public var summary: String
  /// The name by which the plugin knows its handler.
  public var handler: String
  /// Whom it lets in.
  public var access: Access
  /// Scopes that the principal must have, all of them.
  public var scopes: [String]
  /// Whether `?token=` is looked at.
  public var takesTokenInQuery: Bool
  /// The subprotocols that may be selected, best first.
  public var subprotocols: [String]
  /// The largest message, in bytes.
  public var messageLimit: Int
  /// How messages are compressed, within what the operator allows.
  public var compression: CompressionChoice
  /// Parameters of the handshake's query.
  public var query: [QueryParameter]
  /// When the credential comes.
  public var credential: CredentialTime
  /// Where the socket stands in its manifest.
  public var pointer: String
}

/// A message that a client may send over a socket, checked like a route.
public struct SocketMessage: Sendable {
  /// The message's `type`; unique in its manifest.
  public var type: String
  /// The name by which the plugin knows its handler.
  public var handler: String
  /// What the message must be; nil takes any object.
  public var schema: Schema?
  /// Scopes that the principal must have, all of them.
  public var scopes: [String]
  /// Whether it may make the tenant's data more, so that it is refused when the plan lets it store no more.
  public var writes: Bool
  /// Where it stands in the manifest (RFC 6901).
  public var pointer: String
}
