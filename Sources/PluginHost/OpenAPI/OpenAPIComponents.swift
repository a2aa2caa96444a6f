/// What every description shares: the problem document, the problems by status, the kinds of credential.
enum OpenAPIComponents {
  /// The security schemes by the kind of credential they describe.
  static let schemes: [(kind: CredentialKinds, name: String, description: String)] = [
    (.user, "userToken", "An end user's JWT, signed with the app's signing secret."),
    (.key, "secretKey", "An app's secret key, sk_…; for servers, never for browsers."),
    (.account, "accountToken", "A developer's access token."),
    (.publicKey, "publicKey", "An app's public key, pk_…, as it stands in the app's clients."),
  ]

  /// The scheme of a token in the query, for what browsers open.
  static let tokenInQuery = "tokenInQuery"

  /// The problems that the gateway answers with, by status.
  private static let problems: [(status: Int, name: String, description: String)] = [
    (400, "InvalidRequest", "The request is malformed or does not follow the schema."),
    (
      401, "Unauthenticated",
      "The credential is missing, malformed, expired or not for this app, or two of credential, host name and `?app=` name different apps."
    ),
    (
      403, "Forbidden",
      "The credential does not allow this (`forbidden`), or a quota is used up (`quota_exceeded`)."
    ),
    (
      404, "NotFound",
      "There is no such thing or no such app (`not_found`), or the plugin is not enabled for this app (`plugin_not_enabled`)."
    ),
    (408, "RequestTimeout", "The body did not come in time."),
    (
      409, "Conflict",
      "The request conflicts with what is stored (`conflict`), or its Idempotency-Key with another request (`idempotency_mismatch`) or with one that is under way or whose answer was not kept (`conflict`)."
    ),
    (413, "PayloadTooLarge", "The body is larger than the limit."),
    (414, "URITooLong", "The target, path and query, is longer than the limit."),
    (415, "UnsupportedMediaType", "The body's media type is not accepted."),
    (426, "UpgradeRequired", "This is a WebSocket; the request does not ask for one."),
    (429, "RateLimited", "Too many requests; Retry-After says when to try again."),
    (431, "HeadersTooLarge", "The request line and header fields are longer than the limit."),
    (500, "Internal", "The gateway or a plugin failed."),
    (503, "Unavailable", "Overloaded or not available now; Retry-After says when to try again."),
    (504, "DeadlineExceeded", "The plugin did not answer in time."),
  ]

  /// The parameter of every POST that may be repeated.
  static let idempotencyKey: ConfigValue = ["$ref": "#/components/parameters/IdempotencyKey"]

  private static let parameters: ConfigValue = [
    "IdempotencyKey": [
      "name": "Idempotency-Key", "in": "header",
      "description":
        "Names this request for 24 hours. A repeat with the same key, method, target and body gets the first answer again, with `idempotency-replayed: true`, and nothing is done twice; 401, 429 and 5xx are not kept. The key with another request is 409 `idempotency_mismatch`. A repeat while the first is under way is 409 `conflict` with Retry-After, and without it when the first was carried out and its answer was not kept.",
      "schema": [
        "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$",
      ],
    ]
  ]

  static let problemContent: ConfigValue = [
    "application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]
  ]

  /// The member of `responses` that refers to a problem.
  static func reference(to status: Int) -> ConfigValue.Member {
    let name = problems.first { $0.status == status }?.name ?? "Internal"
    return .init(String(status), ["$ref": .string("#/components/responses/\(name)")])
  }

  /// The object under `components`.
  ///
  /// - Parameter schemas: the definitions that the operations refer to.
  static func value(schemas: [ConfigValue.Member]) -> ConfigValue {
    [
      "schemas": .object([.init("Problem", problem)] + schemas),
      "parameters": parameters,
      "responses": .object(problems.map { .init($0.name, response($0.status, $0.description)) }),
      "securitySchemes": .object(
        schemes.map { scheme in
          .init(
            scheme.name,
            [
              "type": "http", "scheme": "bearer", "description": .string(scheme.description),
            ])
        } + [
          .init(
            tokenInQuery,
            [
              "type": "apiKey", "in": "query", "name": "token",
              "description": "The user's token, where a browser cannot send a header.",
            ])
        ]),
    ]
  }

  private static func response(_ status: Int, _ description: String) -> ConfigValue {
    var members: [ConfigValue.Member] = [.init("description", .string(description))]
    if status == 429 || status == 503 {
      members.append(
        .init(
          "headers",
          [
            "Retry-After": [
              "description": "Seconds until another attempt makes sense.",
              "schema": ["type": "integer", "minimum": 0],
            ]
          ]))
    }
    members.append(.init("content", problemContent))
    return .object(members)
  }

  /// A problem document (RFC 9457).
  private static let problem: ConfigValue = [
    "type": "object",
    "required": ["type", "title", "status", "code", "request_id"],
    "properties": [
      "type": ["type": "string"],
      "title": ["type": "string"],
      "status": ["type": "integer"],
      "code": ["type": "string", "description": "Stable, in snake_case."],
      "detail": ["type": "string"],
      "request_id": ["type": "string"],
      "errors": [
        "type": "array",
        "items": [
          "type": "object",
          "required": ["pointer", "message"],
          "properties": ["pointer": ["type": "string"], "message": ["type": "string"]],
        ],
      ],
    ],
  ]
}
