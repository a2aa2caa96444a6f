import Testing

@testable import PluginHost

@Suite struct `A route in a manifest` {
  private let samples = SamplePlugins()

  /// A manifest with one route: the least there is, completed by `members`.
  private static func route(_ members: String) -> String {
    let base = #"{"method":"POST","path":"/a","operation":"o","handler":"h","auth":["none"]}"#
    var object = SamplePlugins.value(base).members
    for member in SamplePlugins.value(members).members {
      object.removeAll { $0.key == member.key }
      object.append(member)
    }
    return ConfigValue.object([.init("routes", .array([.object(object)]))]).json
  }

  @Test(arguments: [
    (
      #"{"method":"post"}"#,
      [
        #"/method: "post" is not one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS (did you mean "POST"?)"#
      ]
    ),
    (#"{"path":"a"}"#, ["/path: must begin with /"]),
    (#"{"path":"/a/"}"#, ["/path: must not end with /"]),
    (#"{"path":"/a//b"}"#, ["/path: has an empty segment"]),
    (#"{"path":"/a/../b"}"#, ["/path: has a segment .."]),
    (#"{"path":"/a/{x}/{x}"}"#, ["/path: has the parameter {x} twice"]),
    (
      #"{"path":"/a/{}"}"#, ["/path: has {}, whose name is not a letter, then letters, digits or _"]
    ),
    (#"{"path":"/a/{x}.json"}"#, ["/path: has {x}.json: a parameter must be a whole segment"]),
    (
      #"{"path":"/a b"}"#,
      ["/path: has a b: only letters, digits and -._~!$&'()*+,;=:@ may stand in a path"]
    ),
    (#"{"path":"/metrics"}"#, ["/path: /metrics is answered by the gateway itself"]),
    (#"{"path":5}"#, ["/path: must be a string, not an integer"]),
    (
      #"{"path":"/a/{x}/{y}","aliases":["/b/{y}/{x}"]}"#,
      ["/aliases/0: must have the parameters of /a/{x}/{y} in the same order: x, y"]
    ),
    (
      #"{"aliases":["/b/{y}"]}"#,
      ["/aliases/0: must have the parameters of /a in the same order: none"]
    ),
    (
      #"{"aliases":["/a"]}"#,
      [#"/aliases/0: POST /a is claimed by plugin "x" too (x/plugin.json:20:15: /routes/0/path)"#]
    ),
    (#"{"auth":[]}"#, ["/auth: must name none, optional, user, key, account or public"]),
    (#"{"auth":["none","user"]}"#, [#"/auth: "none" stands alone"#]),
    (
      #"{"auth":["optional"]}"#,
      [#"/auth: "optional" needs at least one of user, key, account, public beside it"#]
    ),
    (
      #"{"auth":["admin"]}"#,
      [#"/auth/0: "admin" is not one of none, optional, user, key, account, public"#]
    ),
    (
      #"{"tenants":"app"}"#,
      [#"/tenants: "app" is not one of platform, apps, both (did you mean "apps"?)"#]
    ),
    (
      #"{"tenants":"apps","auth":["account"]}"#,
      [#"/auth: "account" is for plugins that run on the platform; "tenants" is apps"#]
    ),
    (#"{"scopes":["a.b"]}"#, [#"/scopes: nobody has scopes where "auth" is none"#]),
    (
      #"{"auth":["user"],"scopes":["a b"]}"#,
      [
        #"/scopes/0: "a b" is not a name such as notes.write: words of a-z 0-9 - _ joined by dots"#
      ]
    ),
    (#"{"handler":""}"#, ["/handler: must not be empty"]),
    (
      #"{"method":"GET","token_in_query":true}"#,
      [#"/token_in_query: no token is looked at where "auth" is none"#]
    ),
    (
      #"{"auth":["user"],"token_in_query":true}"#,
      [
        "/token_in_query: only what browsers open with GET and without header fields (EventSource) takes one there"
      ]
    ),
    (
      #"{"credential":"first-message","body":{"mode":"stream"}}"#,
      ["/credential: a body that is looked at before the plugin is called cannot be streamed"]
    ),
    (
      #"{"credential":"first"}"#,
      [#"/credential: "first" is not one of head, first-message"#]
    ),
    (
      #"{"method":"PUT","idempotency_key":true}"#,
      ["/idempotency_key: only POST may carry an Idempotency-Key"]
    ),
    (
      #"{"method":"DELETE","writes":false}"#,
      ["/writes: only POST, PUT and PATCH are taken for writing"]
    ),
    (#"{"method":"GET","body":{}}"#, ["/body: GET takes no body (RFC 9110 §9.3)"]),
    (
      #"{"body":{"mode":"none","limit":5}}"#,
      [#"/body: "mode" none goes with no limit, no content_types and not with required"#]
    ),
    (
      #"{"body":{"mode":"stream","schema":{}}}"#,
      [
        #"/body: a schema needs "mode" buffer: the whole body is checked before the plugin is called"#
      ]
    ),
    (
      #"{"body":{"content_types":["text/plain"],"schema":{}}}"#,
      [#"/body: a schema needs content_types ["application/json"]"#]
    ),
    (#"{"body":{"limit":2000000000}}"#, ["/body/limit: 2000000000 is outside 0 to 1073741824"]),
    (#"{"body":[]}"#, ["/body: must be an object, not an array"]),
    (
      #"{"query":{"a b":{"type":"string"}}}"#,
      [
        #"/query/a b: "a b" is not a parameter name: a letter or _, then up to 63 letters, digits or _ . -"#
      ]
    ),
    (
      #"{"query":{"a":{"type":"object"}}}"#,
      [
        #"/query/a: the schema of a query parameter needs a "type": string, integer, number, boolean, array"#
      ]
    ),
    (
      #"{"query":{"a":{"type":"array","items":{"type":"integer"}}}}"#,
      ["/query/a: the items of a query parameter are strings"]
    ),
    (#"{"query_required":["a"]}"#, [#"/query_required/0: "a" does not stand under "query""#]),
    (
      #"{"responses":{"99":{"description":"x"}}}"#,
      [#"/responses/99: "99" is not a status from 200 to 599"#]
    ),
    (#"{"responses":{"200":{}}}"#, [#"/responses/200: "description" is missing"#]),
    (#"{"responses":{"200":5}}"#, ["/responses/200: must be an object, not an integer"]),
    (#"{"pth":"/a"}"#, [#"/pth: unknown key "pth" (did you mean "path"?)"#]),
  ])
  func `is refused with a reason`(members: String, expected: [String]) {
    let found = samples.refusals("x", Self.route(members))
    #expect(found == expected.map { "/routes/0" + $0 })
  }

  @Test func `has an operation of its own, also among sockets`() {
    let text = """
      {"routes":[{"method":"GET","path":"/a","operation":"o","handler":"h","auth":["none"]}],
       "sockets":[{"path":"/b","operation":"o","handler":"h","auth":["none"]}]}
      """
    #expect(
      samples.refusals("x", text)
        == ["/sockets/0/operation: the same operation stands at /routes/0/operation"])
  }

  @Test func `for one kind of tenant leaves its path to the other`() throws {
    func manifest(_ scope: String, _ first: String, _ second: String) -> String {
      """
      {"tenants":"\(scope)","routes":[
        {"method":"GET","path":"/a","operation":"o","handler":"h","auth":["none"],
         "tenants":"\(first)"},
        {"method":"GET","path":"/a","operation":"p","handler":"h","auth":["none"],
         "tenants":"\(second)"}]}
      """
    }
    let plugin = try samples.plugin("x", manifest("both", "platform", "apps"))
    #expect(plugin.routes.map(\.tenants) == [.platform, .apps])
    #expect(samples.refusals("x", manifest("both", "apps", "both")).count == 1)
    #expect(
      samples.refusals("x", manifest("apps", "both", "platform"))
        == [
          #"/routes/1/tenants: the plugin runs on no such tenant: its own "tenants" is apps"#
        ])
  }

  @Test func `of apps alone takes no account`() {
    let text = """
      {"tenants":"apps",
       "routes":[{"method":"GET","path":"/a","operation":"o","handler":"h","auth":["account"]}]}
      """
    #expect(
      samples.refusals("x", text)
        == [
          #"/routes/0/auth: "account" is for plugins that run on the platform; "tenants" is apps"#
        ])
  }

  @Test(arguments: [
    (
      #"{"credential":"first-message"}"#,
      [#"/sockets/0/credential: no credential is looked at where "auth" is none"#]
    ),
    (
      #"{"token_in_query":true}"#,
      [#"/sockets/0/token_in_query: no token is looked at where "auth" is none"#]
    ),
    (#"{"scopes":["a"]}"#, [#"/sockets/0/scopes: nobody has scopes where "auth" is none"#]),
    (
      #"{"subprotocols":["a b"]}"#,
      [#"/sockets/0/subprotocols/0: "a b" is not a token (RFC 9110 §5.6.2)"#]
    ),
    (
      #"{"compression":{"level":10}}"#, ["/sockets/0/compression/level: 10 is outside 1 to 9"]
    ),
    (#"{"message_limit":0}"#, ["/sockets/0/message_limit: 0 is outside 1 to 67108864"]),
  ])
  func `a socket is refused with a reason`(members: String, expected: [String]) {
    let base = #"{"path":"/a","operation":"o","handler":"h","auth":["none"]}"#
    let socket = ConfigValue.object(
      SamplePlugins.value(base).members + SamplePlugins.value(members).members)
    #expect(samples.refusals("x", #"{"sockets":[\#(socket.json)]}"#) == expected)
  }

  @Test func `a pattern knows its shape`() throws {
    #expect(try PathPattern("/").shape == "/")
    #expect(try PathPattern("/").segments.isEmpty)
    #expect(try PathPattern("/.well-known/jwks.json").shape == "/.well-known/jwks.json")
    #expect(
      try PathPattern("/a/{x}").segments == [.literal("a"), .parameter("x")])
    #expect(throws: PathPattern.Malformed.self) {
      try PathPattern("/" + String(repeating: "a", count: 600))
    }
  }

  @Test(arguments: [
    ("*", "chat.message.created", true), ("chat.*", "chat.message.created", true),
    ("chat.*", "chat", false), ("chat.message.*", "chat.message.created", true),
    ("chat.message.*", "chat.user.created", false),
    ("chat.*.created", "chat.message.created", true),
    ("chat.*.created", "chat.a.b.created", false), ("chat.created", "chat.created", true),
    ("chat.created", "chat.created.x", false),
  ])
  func `a dotted pattern means some names`(pattern: String, name: String, matches: Bool) throws {
    #expect(try #require(DottedPattern(pattern)).matches(name) == matches)
  }
}
