import Testing

@testable import PluginHost

@Suite struct `A tenant's plan` {
  private let samples = SamplePlugins()

  private func plan(
    _ plugins: [(String, String)], installed: [(String, String)] = []
  ) throws -> TenantPlan {
    try TenantPlan.resolve(
      tenant: "demo", enabled: plugins.map { try samples.plugin($0.0, $0.1) },
      installed: installed.map { try samples.plugin($0.0, $0.1) })
  }

  /// What is said of a set of plugins: `FILE: pointer: message`, without line and column.
  private func refusals(
    _ plugins: [(String, String)], installed: [(String, String)] = []
  ) throws -> [String] {
    do {
      _ = try plan(plugins, installed: installed)
      return []
    } catch let error as ConfigurationError {
      return error.problems.map { problem in
        "\(problem.file): \(SamplePlugins.short(problem, without: samples.folder))"
          .replacing(samples.folder.path + "/", with: "")
          .replacing(/json:\d+:\d+:/, with: "json:")
      }
    }
  }

  private static let guardian = (
    "guardian", #"{"provides":[{"service":"sluice.authenticator/1"}]}"#
  )

  @Test func `starts each plugin after those it needs, else by id`() throws {
    let plan = try plan([
      ("d", "{}"), ("a", #"{"requires":[{"service":"s.c/1"}]}"#),
      ("c", #"{"provides":[{"service":"s.c/1"}],"requires":[{"service":"s.b/1"}]}"#),
      ("b", #"{"provides":[{"service":"s.b/1"}]}"#),
    ])
    #expect(plan.plugins.map(\.id) == ["b", "c", "a", "d"])
    #expect(plan.provider(of: ServiceID("s.c/1")!) == "c")
    #expect(plan.provider(of: ServiceID("s.c/1")!, key: "k") == nil)
    #expect(plan.key == "a@0.1.0,b@0.1.0,c@0.1.0,d@0.1.0")
  }

  @Test func `has the same key in whatever order the plugins come`() throws {
    let a = try samples.plugin("a")
    let b = try samples.plugin("b", #"{"version":"2.0.0"}"#)
    let one = try TenantPlan.resolve(tenant: "x", enabled: [a, b])
    let other = try TenantPlan.resolve(tenant: "y", enabled: [b, a])
    #expect(one.key == "a@0.1.0,b@2.0.0")
    #expect(one.key == other.key)
  }

  @Test func `is empty for no plugins`() throws {
    let plan = try plan([])
    #expect(plan.plugins.isEmpty && plan.key == "")
  }

  @Test func `gives a keyed service a provider for each key`() throws {
    let plan = try plan([
      ("b", #"{"provides":[{"service":"s.x/1","key":"two"}]}"#),
      ("a", #"{"provides":[{"service":"s.x/1","key":"one"},{"service":"s.x/1","key":"three"}]}"#),
      ("c", #"{"requires":[{"service":"s.x/1","key":"two"}]}"#),
      ("d", #"{"requires":[{"service":"s.x/1","many":true}]}"#),
    ])
    let service = ServiceID("s.x/1")!
    #expect(plan.provider(of: service, key: "one") == "a")
    #expect(plan.provider(of: service, key: "two") == "b")
    #expect(plan.provider(of: service) == nil)
    #expect(plan.services[0].providers.map(\.key) == ["one", "three", "two"])
    #expect(plan.services[0].callers == ["c", "d"])
  }

  @Test func `lets optional and many requirements go round in a circle`() throws {
    let plan = try plan([
      (
        "a",
        #"{"provides":[{"service":"s.a/1"}],"requires":[{"service":"s.b/1","optional":true}]}"#
      ),
      ("b", #"{"provides":[{"service":"s.b/1"}],"requires":[{"service":"s.a/1"}]}"#),
      ("c", #"{"requires":[{"service":"s.none/1","optional":true,"many":true}]}"#),
      (
        "d",
        #"{"provides":[{"service":"s.d/1","key":"k"}],"requires":[{"service":"s.d/1","many":true}]}"#
      ),
    ])
    #expect(plan.plugins.map(\.id) == ["a", "b", "c", "d"])
    #expect(plan.notes == ["c goes without s.none/1: nobody provides it"])
  }

  @Test func `is refused without a provider, and says who needs it`() throws {
    let chain = [
      ("a", #"{"requires":[{"service":"s.b/1"}]}"#),
      ("b", #"{"provides":[{"service":"s.b/1"}],"requires":[{"service":"s.cc/1"}]}"#),
    ]
    #expect(
      try refusals(chain) == [
        "b/plugin.json: /requires/0: no plugin of this tenant provides s.cc/1: a → b → s.cc/1 "
          + "(did you mean \"s.b/1\"?)"
      ])
    #expect(
      try refusals(chain, installed: [("z", #"{"provides":[{"service":"s.cc/1"}]}"#)])[0]
        .contains("s.cc/1; plugin \"z\" is installed and provides it"))
    #expect(
      try refusals([
        ("a", #"{"requires":[{"service":"s.b/1","key":"k"}]}"#),
        ("b", #"{"provides":[{"service":"s.b/1","key":"other"}]}"#),
      ])[0].hasPrefix(
        "a/plugin.json: /requires/0: no plugin of this tenant provides s.b/1 under \"k\""))
    #expect(
      try refusals([("a", #"{"requires":[{"service":"far.away/1","many":true}]}"#)]) == [
        "a/plugin.json: /requires/0: no plugin of this tenant provides far.away/1: a → far.away/1"
      ])
  }

  @Test func `is refused with a cycle, and prints it`() throws {
    #expect(
      try refusals([
        ("a", #"{"provides":[{"service":"s.a/1"}],"requires":[{"service":"s.b/1"}]}"#),
        ("b", #"{"provides":[{"service":"s.b/1"}],"requires":[{"service":"s.c/1"}]}"#),
        ("c", #"{"provides":[{"service":"s.c/1"}],"requires":[{"service":"s.b/1"}]}"#),
      ]) == [
        "b/plugin.json: /requires/0: plugins require each other: b → c → b; "
          + "one of the requirements must be optional or many"
      ])
    #expect(
      try refusals([
        ("a", #"{"provides":[{"service":"s.a/1"}],"requires":[{"service":"s.a/1"}]}"#)
      ])[0].contains("plugins require each other: a → a;"))
  }

  @Test func `is refused when a service has two providers`() throws {
    let provider = #"{"provides":[{"service":"s.x/1"}]}"#
    let keyed = #"{"provides":[{"service":"s.x/1","key":"k"}]}"#
    #expect(
      try refusals([("a", provider), ("b", provider)]) == [
        "b/plugin.json: /provides/0: s.x/1 is provided by plugin \"a\" too; "
          + "a tenant has one provider (a/plugin.json: /provides/0)"
      ])
    #expect(
      try refusals([("a", keyed), ("b", keyed)])[0].contains(
        "s.x/1 is provided under the key \"k\" by plugin \"a\" too"))
    #expect(
      try refusals([("a", keyed), ("b", provider)]) == [
        "b/plugin.json: /provides/0: s.x/1 is provided without a key here "
          + "and under one by plugin \"a\""
      ])
    #expect(
      try refusals([("a", provider), ("b", keyed)])[0].contains(
        "s.x/1 is provided under a key here and without one by plugin \"a\""))
  }

  @Test func `needs an authenticator where a route needs a credential`() throws {
    let secured =
      #"{"routes":[{"method":"GET","path":"/a","operation":"o","handler":"h","auth":["user"]}]}"#
    let socket =
      #"{"sockets":[{"path":"/a","operation":"o","handler":"h","auth":["optional","user"]}]}"#
    #expect(
      try refusals([("a", secured)], installed: [Self.guardian]) == [
        "a/plugin.json: /routes/0/auth: the operation o needs a credential, but no plugin of this "
          + "tenant provides sluice.authenticator/1; plugin \"guardian\" is installed and provides it"
      ])
    #expect(try refusals([("a", socket)]).count == 1)
    #expect(try refusals([("a", secured), Self.guardian]) == [])
  }

  @Test func `tells an app's developers which plugins do not fit, and of no file`() throws {
    func told(_ plugins: [(String, String)]) throws -> String {
      let error = #expect(throws: ConfigurationError.self) { try plan(plugins) }
      return error?.publicDescription ?? ""
    }
    let secured = Self.route("GET", "/a").replacing("none", with: "user")
    #expect(
      try told([("a", secured), ("b", #"{"requires":[{"service":"s.c/1"}]}"#)])
        == "plugin \"b\": no plugin of this tenant provides s.c/1: b → s.c/1; "
        + "plugin \"a\": the operation o needs a credential, but no plugin of this tenant provides "
        + "sluice.authenticator/1")
    let channel = #"{"channels":[{"namespace":"n"}]}"#
    #expect(
      try told([("a", channel), ("b", channel)])
        == "plugin \"b\": the channel namespace \"n\" belongs to plugin \"a\" too")
    let many = try told((0..<8).map { ("p\($0)", channel) })
    #expect(many.hasSuffix("; and 2 more") && !many.contains("plugin.json"))
  }

  private static func route(_ method: String, _ path: String, _ more: String = "") -> String {
    #"{"routes":[{"method":"\#(method)","path":"\#(path)","operation":"o","handler":"h","auth":["none"]\#(more)}]}"#
  }

  @Test func `is refused when two plugins claim a route`() throws {
    let place = "(a/plugin.json: /routes/0/path)"
    #expect(
      try refusals([("a", Self.route("GET", "/x/{id}")), ("b", Self.route("GET", "/x/{name}"))])
        == [
          "b/plugin.json: /routes/0/path: GET /x/{name} is claimed as /x/{id} by plugin \"a\" too "
            + place
        ])
    #expect(
      try refusals([
        ("a", Self.route("GET", "/x")), ("b", Self.route("GET", "/y", #","aliases":["/x"]"#)),
      ]) == [
        "b/plugin.json: /routes/0/aliases/0: GET /x is claimed by plugin \"a\" too \(place)"
      ])
    let socket = #"{"sockets":[{"path":"/x","operation":"o","handler":"h","auth":["none"]}]}"#
    #expect(try refusals([("a", Self.route("GET", "/x")), ("b", socket)]).count == 1)
    #expect(
      try refusals([("a", Self.route("GET", "/x")), ("b", Self.route("PUT", "/x"))]) == [])
    #expect(
      try refusals([("a", Self.route("GET", "/x/{id}")), ("b", Self.route("GET", "/x/y"))]) == [])
  }

  @Test func `is refused when two plugins claim a name`() throws {
    let channel = #"{"channels":[{"namespace":"n"}]}"#
    let message =
      #"{"messages":[{"type":"m","handler":"h"}],"capabilities":["sluice.messages/1"]}"#
    #expect(
      try refusals([("a", channel), ("b", channel)]) == [
        "b/plugin.json: /channels/0/namespace: the channel namespace \"n\" belongs to plugin \"a\" "
          + "too (a/plugin.json: /channels/0/namespace)"
      ])
    #expect(
      try refusals([("a", message), ("b", message)])[0].contains("the socket message \"m\""))
  }

  @Test func `orders a phase by before and after, else by id`() throws {
    func part(_ order: String) -> String {
      #"{"phases":[{"phase":"limit","handler":"h"\#(order)}]}"#
    }
    let plan = try plan([
      ("a", part(#","after":["d","nobody"]"#)), ("b", part("")), ("c", part("")),
      ("d", part(#","before":["b"]"#)), ("e", "{}"),
    ])
    #expect(plan.phases[.limit]?.map(\.plugin) == ["c", "d", "a", "b"])
    #expect(plan.phases[.limit]?[2].reasons == ["a says after d"])
    #expect(plan.phases[.limit]?[3].reasons == ["d says before b"])
    #expect(plan.phases[.authorize] == nil)
    #expect(
      try refusals([("a", part(#","after":["b"]"#)), ("b", part(#","after":["a"]"#))]) == [
        "a/plugin.json: /phases/0: the order of phase limit has a cycle: a → b → a "
          + "(→ is: comes after)"
      ])
  }

  @Test func `narrows a part to operations, and to paths with what is below them`() throws {
    let plugin = try samples.plugin(
      "a",
      #"{"phases":[{"phase":"limit","handler":"h","routes":["list","/v1/a","/nowhere","gone"]}]}"#)
    let part = plugin.phases[0]
    #expect(part.includes(operation: "list", patterns: ["/b"]))
    #expect(part.includes(operation: "make", patterns: ["/b", "/v1/a"]))
    #expect(part.includes(operation: "make", patterns: ["/v1/a/{id}"]))
    #expect(!part.includes(operation: "make", patterns: ["/v1/ab", "/v1"]))
    let owner = try samples.plugin(
      "b",
      #"""
      {"routes":[{"method":"GET","path":"/v1/a/{id}","operation":"list","handler":"h","auth":["none"]}]}
      """#)
    let plan = try TenantPlan.resolve(tenant: "demo", enabled: [plugin, owner])
    #expect(
      plan.notes == [
        "a has a part in limit for /nowhere, which is nobody's route",
        "a has a part in limit for gone, which is nobody's route",
      ])
  }

  private func emitter(_ id: String, _ events: String) -> (String, String) {
    samples.folder.write("{}", to: "\(id)/e.json")
    return (id, #"{"emits":[\#(events)]}"#)
  }

  @Test func `carries events from who emits to who listens`() throws {
    let plan = try plan([
      emitter(
        "a",
        #"{"type":"x.b.made","schema":"e.json","socket_name":"made"},{"type":"x.a","schema":"e.json"}"#
      ),
      ("b", #"{"listens":["x.*","y.gone"]}"#), ("c", #"{"listens":["*"]}"#),
      ("d", #"{"listens":["x.b.*"]}"#),
    ])
    #expect(plan.events.map(\.type) == ["x.a", "x.b.made"])
    #expect(plan.events[0].listeners == ["b", "c"])
    #expect(plan.events[1].listeners == ["b", "c", "d"])
    #expect(plan.events[1].emitter == "a" && plan.events[1].socketName == "made")
    #expect(plan.notes == ["b listens for y.gone, which nobody emits"])
    #expect(
      try refusals([
        emitter("a", #"{"type":"x.a","schema":"e.json","socket_name":"n"}"#),
        emitter("b", #"{"type":"x.a","schema":"e.json","socket_name":"n"}"#),
      ]) == [
        "b/plugin.json: /emits/0/type: the event \"x.a\" belongs to plugin \"a\" too "
          + "(a/plugin.json: /emits/0/type)",
        "b/plugin.json: /emits/0/socket_name: the socket name \"n\" belongs to plugin \"a\" too "
          + "(a/plugin.json: /emits/0/socket_name)",
      ])
  }

  @Test func `tells sockets alone of what is ephemeral`() throws {
    let plan = try plan([
      emitter(
        "a",
        #"{"type":"x.kept","schema":"e.json"},{"type":"x.seen","schema":"e.json","ephemeral":true}"#
      ),
      ("b", #"{"listens":["x.*"]}"#), ("c", #"{"listens":["x.seen"]}"#),
    ])
    #expect(plan.events.map(\.listeners) == [["b"], []])
    #expect(plan.events.map(\.isEphemeral) == [false, true])
    #expect(plan.notes == ["c listens for x.seen, which is ephemeral: sockets alone are told"])
    #expect(plan.text().contains("x.seen: a, to sockets alone\n"))
  }

  @Test func `is printed for people`() throws {
    let folder = samples.folder
    NotesSample.write(to: folder)
    let notes = try PluginManifest.read(folder: "\(folder.path)/notes")
    let guardian = try samples.plugin(Self.guardian.0, Self.guardian.1)
    let index = try samples.plugin(
      "index",
      #"""
      {"provides":[{"service":"sample.index/1"}],"listens":["note.*"],
       "requires":[{"service":"sluice.authenticator/1"}],
       "phases":[{"phase":"authorize","handler":"see","after":["notes"]}]}
      """#)
    let plan = try TenantPlan.resolve(tenant: "demo", enabled: [notes, index, guardian])
    var selection = PluginSelection(folders: [])
    selection.grants["notes"] = [.http]
    #expect(
      plan.text(grants: selection) == """
        tenant demo · 3 plugins · guardian@0.1.0,index@0.1.0,notes@1.2.0

        plugins, in the order in which they start
          1. guardian 0.1.0 · A sample called guardian
          2. index 0.1.0 · A sample called index · after guardian: index requires sluice.authenticator/1
          3. notes 1.2.0 · Notes in books

        capabilities
          guardian: sluice.http/1 sluice.websocket/1 sluice.store/1 sluice.events/1 sluice.services/1 sluice.phases/1
          index: sluice.http/1 sluice.websocket/1 sluice.store/1 sluice.events/1 sluice.services/1 sluice.phases/1
          notes: sluice.http/1 · not granted: sluice.websocket/1 sluice.messages/1 sluice.store/1 sluice.events/1 sluice.services/1 sluice.phases/1

        services
          sample.index/1: index · for notes
          sluice.authenticator/1: guardian · for the host, index
          sluice.channel-authority/1: notes (notes)

        phases
          identify: the host, by sluice.authenticator/1 of guardian
          authorize: notes may_read for /v1/books, putCover, then index see (index says after notes)
          limit: the host
          handle: the route's handler
          respond: the host
          observe: the host

        routes, the fixed before the variable
          POST /books/{book}/notes · notes.createNote · user key
          WebSocket /v1/books/{book}/live · notes.watchBook · user
          POST /v1/books/{book}/notes · notes.createNote · user key
          GET /v1/books/{name}/notes · notes.listNotes · optional user
          PUT /v1/cover · notes.putCover · none

        socket messages
          note.draft · notes.draft

        events
          note.created (as note_created): notes → index

        notes
          notes listens for book.*, which nobody emits

        """)
  }
}
