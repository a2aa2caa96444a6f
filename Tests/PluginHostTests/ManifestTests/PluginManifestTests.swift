import Testing

@testable import PluginHost

@Suite struct `A plugin's manifest` {
  private let samples = SamplePlugins()

  @Test func `is read whole`() throws {
    samples.folder.write(NotesSample.event, to: "notes/events/note.created.schema.json")
    samples.folder.write("CREATE TABLE a(x)", to: "notes/migrations/0001_notes.sql")
    samples.folder.write("CREATE TABLE b(x)", to: "notes/migrations/0002_more-notes.sql")
    samples.folder.write(NotesSample.manifest, to: "notes/plugin.json")
    let plugin = try PluginManifest.read(folder: "\(samples.folder.path)/notes")
    #expect(plugin.identity == "notes@1.2.0")
    #expect(plugin.tablePrefix == "notes")
    #expect(plugin.library == "\(samples.folder.path)/notes/libnotes.so")
    #expect(plugin.runtime == .swiftBundled)
    #expect(plugin.isolation == .inProcess)
    #expect(plugin.tenants == .apps)
    #expect(plugin.tenants.includes(.app) && !plugin.tenants.includes(.platform))

    let create = plugin.routes[0]
    #expect(create.method == .post)
    #expect(create.path.parameters == ["book"])
    #expect(create.path.shape == "/v1/books/{}/notes")
    #expect(create.aliases.map(\.description) == ["/books/{book}/notes"])
    #expect(create.access == .required([.user, .key]))
    #expect(create.access.description == "user key")
    #expect(create.scopes == ["notes.write"])
    #expect(create.body.limit == 4096 && create.body.isRequired)
    #expect(create.responses.map(\.status) == [201, 409])
    #expect(create.pointer == "/routes/0")

    let list = plugin.routes[1]
    #expect(list.query.map(\.name) == ["limit", "tags", "q"])
    #expect(list.query.map(\.kind) == [.integer, .array, .string])
    #expect(list.query.map(\.isRequired) == [false, false, true])
    #expect(list.body.mode == .none)
    #expect(list.access == .optional(.user))
    #expect(list.access.description == "optional user")

    let upload = plugin.routes[2]
    #expect(upload.body.mode == .stream)
    #expect(upload.body.contentTypes == ["image/png"])
    #expect(upload.access == .open)
    #expect(upload.access.description == "none")

    let socket = plugin.sockets[0]
    #expect(socket.takesTokenInQuery)
    #expect(socket.subprotocols == ["sluice.v1"])
    #expect(socket.messageLimit == 65536)
    #expect(socket.credential == .upgrade)
    #expect(plugin.messages[0].type == "note.draft")
    #expect(
      plugin.channels == [
        ChannelNamespace(
          namespace: "notes", historySize: 1000, historySeconds: 86400, pointer: "/channels/0")
      ])
    #expect(plugin.phases[0].before == ["other"])
    #expect(plugin.provides[0].key == "notes")
    #expect(plugin.requires[0].isMany && plugin.requires[0].isOptional)
    #expect(!plugin.requires[0].isHard)
    #expect(plugin.emits[0].socketName == "note_created")
    #expect(plugin.listens.map(\.description) == ["book.*"])
    #expect(plugin.migrations.map(\.number) == [1, 2])
    #expect(plugin.migrations[1].name == "more-notes")
    #expect(plugin.migrations[1].sql == "CREATE TABLE b(x)")
    #expect(plugin.limits.timers == 100 && plugin.limits.workerJobs == 256)
    #expect(plugin.limits.workerThreads == 3)
  }

  @Test func `needs little`() throws {
    let plugin = try samples.plugin("hello-c")
    #expect(plugin.tablePrefix == "hello_c")
    #expect(plugin.routes.isEmpty)
    #expect(plugin.settings.refusals(of: [:]).isEmpty)
  }

  @Test func `says where in the file it is wrong`() {
    let path = samples.folder.write(
      """
      {
        "id": "x",
        "version": "1.0",
        "abbi": 1
      }
      """, to: "x/plugin.json")
    #expect {
      try PluginManifest.read(folder: "\(samples.folder.path)/x")
    } throws: { error in
      "\(error)" == """
        \(path):1:1: "abi" is missing
        \(path):1:1: "summary" is missing
        \(path):1:1: "library" is missing
        \(path):1:1: "runtime" is missing
        \(path):1:1: "tenants" is missing
        \(path):3:14: /version: "1.0" is not a version such as 1.4.0 or 2.0.0-beta.1
        \(path):4:3: /abbi: unknown key "abbi" (did you mean "abi"?)
        """
    }
  }

  @Test(arguments: [
    (#"{"id":"other"}"#, [#"/id: is "other", but the folder is called "x""#]),
    (
      #"{"id":"Chat"}"#,
      [#"/id: "Chat" is not a plugin id: a-z, then up to 31 of a-z 0-9 -"#]
    ),
    (
      #"{"abi":2}"#,
      ["/abi: the plugin was built for major 2 of the ABI; this gateway loads major 1"]
    ),
    (#"{"abi":"1"}"#, ["/abi: must be an integer, not a string"]),
    (
      #"{"abi":-1}"#,
      ["/abi: the plugin was built for major -1 of the ABI; this gateway loads major 1"]
    ),
    (
      #"{"library":"../libx.so"}"#,
      [#"/library: "../libx.so" is not a path inside the plugin's folder"#]
    ),
    (
      #"{"library":"/lib/x.so"}"#,
      [#"/library: "/lib/x.so" is not a path inside the plugin's folder"#]
    ),
    (
      #"{"runtime":"swift-bundeld"}"#,
      [
        #"/runtime: "swift-bundeld" is not one of c, swift-bundled, swift-static (did you mean "swift-bundled"?)"#
      ]
    ),
    (#"{"isolation":"process"}"#, [#"/isolation: "process" is not available in this version"#]),
    (
      #"{"tenants":"all"}"#, [#"/tenants: "all" is not one of platform, apps, both"#]
    ),
    (
      #"{"capabilities":["sluice.stor/1"]}"#,
      [
        "/capabilities/0: \"sluice.stor/1\" is not one of sluice.http/1, sluice.client-certificate/1, sluice.phases/1, "
          + "sluice.websocket/1, sluice.identify/1, sluice.messages/1, sluice.event-names/1, sluice.event-types/1, "
          + "sluice.store/1, sluice.bus/1, sluice.history/1, sluice.presence/1, sluice.groups/1, "
          + "sluice.events/1, sluice.services/1, sluice.worker/1, sluice.client/1, sluice.secrets/1, sluice.files/1, "
          + "sluice.tenants/1, sluice.config/1, sluice.loop/1, sluice.timer/1, sluice.alarm/1, sluice.random/1, sluice.clock/1, "
          + "sluice.log/1, sluice.metrics/1, sluice.thread-check/1 (did you mean \"sluice.store/1\"?)"
      ]
    ),
    (
      #"{"capabilities":["sluice.log/1","sluice.log/1"]}"#, ["/capabilities/1: stands here twice"]
    ),
    (
      #"{"tenants":"apps","capabilities":["sluice.tenants/1"]}"#,
      [
        #"/capabilities/0: sluice.tenants/1 is for plugins that run on the platform; "tenants" must be platform or both"#
      ]
    ),
    (
      #"{"messages":[{"type":"m","handler":"h"}]}"#,
      [#"/messages: "messages" needs sluice.messages/1 under "capabilities""#]
    ),
    (
      #"{"capabilities":[],"listens":["a.*"]}"#,
      [#"/listens: "listens" needs sluice.events/1 under "capabilities""#]
    ),
    (
      #"{"listens":["a..b","*"]}"#,
      [#"/listens/0: "a..b" is not a pattern such as notes.note.* or *"#]
    ),
    (
      #"{"channels":[{"namespace":"a","history":{"size":-1}},{"namespace":"a","history":{"ttl":5}}]}"#,
      [
        "/channels/0/history/size: -1 is outside 0 to 1000000",
        #"/channels/1/history: "size" is missing"#,
        #"/channels/1/history/ttl: unknown key "ttl""#,
      ]
    ),
    (
      #"{"channels":[{"namespace":"a"},{"namespace":"a"}]}"#,
      ["/channels/1/namespace: the same namespace stands at /channels/0/namespace"]
    ),
    (
      #"{"phases":[{"phase":"authorise","handler":"h"}]}"#,
      [
        #"/phases/0/phase: "authorise" is not one of identify, authorize, limit, handle, respond, observe (did you mean "authorize"?)"#
      ]
    ),
    (
      #"{"phases":[{"phase":"limit","handler":"h","after":["x"]},{"phase":"limit","handler":"i"}]}"#,
      [
        "/phases/0: a plugin has no order with itself",
        "/phases/1/phase: the same phase stands at /phases/0/phase",
      ]
    ),
    (
      #"{"phases":[{"phase":"identify","handler":"h"},{"phase":"handle","handler":"h"}]}"#,
      [
        #"/phases/0/phase: "identify" is what a provider of sluice.authenticator/1 does: provide that service"#,
        #"/phases/1/phase: "handle" is the handler of a route: declare a route"#,
      ]
    ),
    (
      #"{"phases":[{"phase":"limit","handler":"h","routes":["/a/","/b?c","a b","ok","/ok/{id}","/"]}]}"#,
      [
        #"/phases/0/routes/0: "/a/" is not an operation id, or a path such as /things, which takes in all below it"#,
        #"/phases/0/routes/1: "/b?c" is not an operation id, or a path such as /things, which takes in all below it"#,
        #"/phases/0/routes/2: "a b" is not an operation id, or a path such as /things, which takes in all below it"#,
      ]
    ),
    (
      #"{"phases":[{"phase":"limit","handler":"h"}],"capabilities":["sluice.http/1"]}"#,
      [#"/phases: "phases" needs sluice.phases/1 under "capabilities""#]
    ),
    (
      #"{"provides":[{"service":"authenticator"},{"service":"a.b/0"},{"service":"a.b/01"}]}"#,
      [
        #"/provides/0/service: "authenticator" is not a service id such as vendor.service/1"#,
        #"/provides/1/service: "a.b/0" is not a service id such as vendor.service/1"#,
        #"/provides/2/service: "a.b/01" is not a service id such as vendor.service/1"#,
      ]
    ),
    (
      #"{"provides":[{"service":"a.b/1","key":"k"},{"service":"a.b/1","key":"k"}]}"#,
      ["/provides/1: the same service stands at /provides/0"]
    ),
    (
      #"{"requires":[{"service":"a.b/1","key":"k","many":true}]}"#,
      [#"/requires/0: one "key" is never "many""#]
    ),
    (
      #"{"limits":{"timer":1}}"#, [#"/limits/timer: unknown key "timer" (did you mean "timers"?)"#]
    ),
    (#"{"limits":{"worker_threads":17}}"#, ["/limits/worker_threads: 17 is outside 1 to 16"]),
    (#"{"limits":{"timers":0}}"#, ["/limits/timers: 0 is outside 1 to 1000000"]),
    (
      #"{"capabilities":["sluice.messages/1"],"messages":[{"type":"a.b","handler":"h"},{"type":"a.b","handler":"i"}]}"#,
      ["/messages/1/type: the same type stands at /messages/0/type"]
    ),
    (#"{"routes":{}}"#, ["/routes: must be an array, not an object"]),
  ])
  func `is refused with a reason`(text: String, expected: [String]) {
    #expect(samples.refusals("x", text) == expected)
  }

  @Test(arguments: [
    (["1_x.sql"], "x/m/1_x.sql: a migration is called like 0001_create_messages.sql"),
    (["0001_x.txt"], "x/m/0001_x.txt: a migration is called like 0001_create_messages.sql"),
    (["0000_x.sql"], "x/m/0000_x.sql: a migration is called like 0001_create_messages.sql"),
    (["0001_.sql"], "x/m/0001_.sql: a migration is called like 0001_create_messages.sql"),
    (["0002_x.sql"], "x/m/0002_x.sql: number 1 is missing before it"),
    (["0001_x.sql", "0003_y.sql"], "x/m/0003_y.sql: number 2 is missing before it"),
    (["0001_x.sql", "0001_y.sql"], "x/m/0001_y.sql: the number 1 stands twice"),
    (["0001_x.sql", "0001_y.sqlite.sql"], "x/m/0001_y.sqlite.sql: the number 1 stands twice"),
    (
      ["0001_x.oracle.sql"],
      "x/m/0001_x.oracle.sql: a migration is called like 0001_create_messages.sql"
    ),
    (["0001_x.postgres.sql", "0002_y.sql"], "x/m/0002_y.sql: number 1 is missing before it"),
    (["0001_x.sql/f"], "x/m/0001_x.sql: Not a regular file"),
  ])
  func `its migrations are numbered without a gap`(files: [String], message: String) {
    for file in files { samples.folder.write("SELECT 1", to: "x/m/\(file)") }
    #expect(samples.refusals("x", #"{"migrations":"m"}"#) == ["/migrations: \(message)"])
  }

  @Test func `its migrations for one database stand in place of those for all`() throws {
    samples.folder.write("SELECT 1", to: "x/m/0001_first.sql")
    samples.folder.write("SELECT 2", to: "x/m/0001_first.sqlite.sql")
    samples.folder.write("SELECT 3", to: "x/m/0001_first.postgres.sql")
    samples.folder.write("SELECT 4", to: "x/m/0002_second.sqlite.sql")
    let manifest = try samples.plugin("x", #"{"migrations":"m"}"#)
    #expect(manifest.migrations.map(\.name) == ["first", "second"])
    #expect(manifest.migrations.map(\.sql) == ["SELECT 2", "SELECT 4"])
  }

  @Test func `its migrations are where it says`() {
    #expect(
      samples.refusals("x", #"{"migrations":"none"}"#)
        == ["/migrations: x/none: No such file or directory"])
    #expect(
      samples.refusals("x", #"{"migrations":"../m"}"#)
        == [#"/migrations: "../m" is not a path inside the plugin's folder"#])
    samples.folder.write("SELECT 1", to: "y/m/0001_a.sql")
    #expect(
      samples.refusals("y", #"{"migrations":"m","capabilities":[]}"#)
        == [#"/migrations: "migrations" needs sluice.store/1 under "capabilities""#])
  }

  @Test func `a folder of plugins is read, and one bad plugin keeps no other out`() throws {
    samples.write("b")
    samples.write("a")
    samples.write("bad", #"{"abi":9}"#)
    samples.folder.write("no plugin", to: "other/readme.txt")
    let twin = SamplePlugins()
    twin.write("a")
    let catalog = PluginCatalog.load(folders: [
      samples.folder.path, "\(twin.folder.path)/a", "\(twin.folder.path)/none",
    ])
    #expect(catalog.plugins.map(\.id) == ["a", "b"])
    #expect(catalog["b"]?.version == "0.1.0")
    #expect(catalog["bad"] == nil)
    #expect(
      catalog.problems.map(\.message) == [
        "the plugin was built for major 9 of the ABI; this gateway loads major 1",
        "plugin \"a\" is also installed in \(samples.folder.path)/a",
        "No such file or directory",
      ])
  }
}
