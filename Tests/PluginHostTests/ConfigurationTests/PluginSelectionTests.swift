import Testing

@testable import PluginHost

@Suite struct `What the operator grants` {
  private let samples = SamplePlugins()

  @Test func `a plugin gets what it asks for, but other tenants only when that is granted`() throws
  {
    let asks = #"{"tenants":"platform","capabilities":["sluice.tenants/1","sluice.log/1"]}"#
    let steward = try samples.plugin("steward", asks)
    let everywhere = try samples.plugin(
      "everywhere", #"{"capabilities":["sluice.tenants/1","sluice.log/1"]}"#)
    var selection = PluginSelection(folders: [])
    #expect(selection.granted(to: steward) == [.log])
    selection.tenantsGrant = .platform
    #expect(selection.granted(to: steward) == [.log, .tenants])
    #expect(selection.granted(to: everywhere) == [.log])
    selection.grants["steward"] = [.tenants, .store]
    #expect(selection.granted(to: steward) == [.tenants])
    selection.grants["steward"] = []
    #expect(selection.granted(to: steward) == [])
  }

  @Test func `a part in a phase that is not granted is refused, with its place in the manifest`()
    throws
  {
    let watcher = try samples.plugin(
      "watcher", #"{"phases":[{"phase":"observe","handler":"see"}]}"#)
    var configuration = SluiceConfiguration.default(
      dataDirectory: "data", listen: [], pluginFolders: [])
    #expect(configuration.check(installed: [watcher]).isEmpty)
    configuration.plugins.grants["watcher"] = [.http]
    let problems = configuration.check(installed: [watcher])
    #expect(
      problems.map { SamplePlugins.short($0, without: samples.folder) } == [
        "/phases/0: a part in a phase needs sluice.phases/1, which the operator does not grant: "
          + #""plugins", "grants", "watcher" leaves it out"#
      ])
    #expect(problems.first?.file.hasSuffix("watcher/plugin.json") == true)
  }

  @Test func `a tenant has the plugins that suit it until somebody chooses`() throws {
    let installed = [
      try samples.plugin("c"), try samples.plugin("a", #"{"tenants":"apps"}"#),
      try samples.plugin("b", #"{"tenants":"platform"}"#),
    ]
    var selection = PluginSelection(folders: [])
    #expect(selection.standard(for: .app, of: installed).map(\.id) == ["a", "c"])
    #expect(selection.standard(for: .platform, of: installed).map(\.id) == ["b", "c"])
    selection.enabled = ["c"]
    #expect(selection.standard(for: .app, of: installed).map(\.id) == ["c"])
  }

  @Test func `the platform has every plugin that suits it unless a file says otherwise`() throws {
    let installed = [try samples.plugin("a"), try samples.plugin("b", #"{"tenants":"apps"}"#)]
    var configuration = SluiceConfiguration.default(
      dataDirectory: "data", listen: [], pluginFolders: [])
    #expect(configuration.platformTenant(installed: installed).plugins == [.init(id: "a")])
    configuration.tenants = [StaticTenant(id: "platform")]
    #expect(configuration.platformTenant(installed: installed).plugins == [])
  }

  @Test func `a setting that names a plan names one that there is, and so does a default`() throws {
    let steward = try samples.plugin(
      "steward",
      #"""
      {"tenants":"platform","config":{"type":"object","additionalProperties":false,"properties":{
        "plan":{"type":"string","default":"free","x-sluice-plan":true},
        "more":{"type":"object","properties":{"trial":{"type":"string","x-sluice-plan":true}}}}}}
      """#)
    let path = samples.folder.write(
      """
      {
        "listeners": [{"address": "127.0.0.1:0"}],
        "plans": {"free": {}, "gold": {}},
        "tenants": [{"id": "platform", "plugins": {"steward": {"config": {
          "plan": "gold",
          "more": {"trial": "golf"}
        }}}}]
      }
      """, to: "sluice.json")
    var configuration = try SluiceConfiguration.read(file: path)
    #expect(
      configuration.check(installed: [steward]).map { $0.description.replacing(path, with: "f") }
        == [
          #"f:6:23: /tenants/0/plugins/steward/config/more/trial: there is no plan "golf"; "#
            + #"there are: free, gold (did you mean "gold"?)"#
        ])
    // Of the platform that nobody has described the defaults are looked at too.
    configuration.tenants = []
    #expect(configuration.check(installed: [steward]).isEmpty)
    let other = try samples.plugin(
      "other",
      #"""
      {"tenants":"platform","config":{"type":"object","additionalProperties":false,"properties":{
        "plan":{"type":"string","default":"none","x-sluice-plan":true}}}}
      """#)
    #expect(
      configuration.check(installed: [other]).map { $0.description.replacing(path, with: "f") } == [
        #"f:3:12: /plans: there is no plan "none"; there are: free, gold. The setting /plan of the plugin "other" is "none" "#
          + #"where nothing else is said: add that plan, or name another under "tenants", "platform", "plugins", "other", "#
          + #""config", "plan""#
      ])
  }

  @Test func `a setting of the other kind of tenant is refused where it stands`() throws {
    let two = try samples.plugin(
      "two",
      #"""
      {"tenants":"both","config":{"type":"object","additionalProperties":false,"properties":{
        "p":{"type":"integer","default":1,"x-sluice-tenants":"platform"},
        "a":{"type":"integer","default":1,"x-sluice-tenants":"apps"},"b":{"type":"integer"}}}}
      """#)
    let path = samples.folder.write(
      """
      {
        "listeners": [{"address": "127.0.0.1:0"}],
        "tenants": [
          {"id": "platform", "plugins": {"two": {"config": {"p": 1, "a": 1, "b": 1}}}},
          {"id": "shop", "plugins": {"two": {"config": {"b": 1,
            "p": 1}}}},
          {"id": "other", "plugins": {"two": {}}}
        ]
      }
      """, to: "sluice.json")
    #expect(
      try SluiceConfiguration.read(file: path).check(installed: [two])
        .map { $0.description.replacing(path, with: "f") } == [
          "f:4:68: /tenants/0/plugins/two/config/a: is a setting of apps alone, and does nothing on the platform",
          "f:6:12: /tenants/1/plugins/two/config/p: is a setting of the platform alone, and does nothing for an app",
        ])
  }

  /// What is wrong with plans that are given so, with these plugins of apps and one that has new apps on `free`.
  private func problems(_ plans: String, apps: [String] = [], also: String = "") throws -> [String]
  {
    let steward = try samples.plugin(
      "steward",
      #"""
      {"tenants":"platform","config":{"type":"object","additionalProperties":false,"properties":{
        "plan":{"type":"string","default":"free","x-sluice-plan":true}}}}
      """#)
    let path = samples.folder.write(
      #"{"listeners": [{"address": "127.0.0.1:0"}]\#(plans)\#(also)}"#, to: "sluice.json")
    let installed = try apps.map { try samples.plugin($0, #"{"tenants":"apps"}"#) }
    return try SluiceConfiguration.read(file: path).check(installed: installed + [steward])
      .map { "\($0.pointer): \($0.message)" }
  }

  @Test(arguments: ["", #", "plans": {}"#, #", "plans": {"free": {}, "paid": {}}"#])
  func `new apps begin on a plan that there is`(plans: String) throws {
    #expect(try problems(plans) == [])
  }

  @Test func `plans without the one that new apps begin on are refused, whoever makes apps`() throws
  {
    let plans = #", "plans": {"paid": {}}"#
    let refused = try problems(plans)
    #expect(refused.count == 1)
    #expect(refused.first?.hasPrefix(#"/plans: there is no plan "free"; there are: paid"#) == true)
    let other =
      #", "tenants": [{"id": "platform", "plugins": {"steward": {"config": {"plan": "paid"}}}}]"#
    #expect(try problems(plans, also: other) == [])
    // Where nobody makes apps there are still those of files.
    let none = #", "tenants": [{"id": "platform"}, {"id": "acme"}]"#
    #expect(
      try problems(plans, also: none) == [
        #"/plans: there is no plan "free", which apps begin on; add it"#
      ])
  }

  @Test func `new apps begin with no more plugins than their plan allows`() throws {
    let plans = #", "plans": {"free": {"plugins": 2}, "small": {"plugins": 1}}"#
    #expect(try problems(plans, apps: ["a", "b"]) == [])
    #expect(
      try problems(plans, apps: ["a", "b", "c"]) == [
        #"/plans/free/plugins: new apps are on the plan "free", which allows 2, and begin with 3: a, b, c; "#
          + #"allow as many, or name fewer in "plugins", "enabled""#
      ])
    let fewer = #", "plugins": {"enabled": ["a", "c", "steward"]}"#
    #expect(try problems(plans, apps: ["a", "b", "c"], also: fewer) == [])
  }

  @Test func `a file that names what is not installed is refused`() throws {
    NotesSample.write(to: samples.folder)
    let notes = try PluginManifest.read(folder: "\(samples.folder.path)/notes")
    let path = samples.folder.write(
      """
      {
        "listeners": [{"address": "127.0.0.1:0"}],
        "plugins": {"enabled": ["nodes"], "grants": {"zzzzzzzzzzzzzzz": []}},
        "tenants": [
          {"id": "platform", "plugins": {"notes": {}}},
          {"id": "demo", "plugins": {
            "note": {},
            "notes": {"config": {"colour": "rde", "page": {"size": 0}}}
          }, "secrets": {"s": "env:SLUICE_TEST_NO_SUCH_VARIABLE"}}
        ]
      }
      """, to: "sluice.json")
    let problems = try SluiceConfiguration.read(file: path).check(installed: [notes])
    let texts = problems.map { $0.description.replacing(path, with: "f") }
    #expect(
      texts == [
        #"f:3:67: /plugins/grants/zzzzzzzzzzzzzzz: there is no plugin "zzzzzzzzzzzzzzz""#,
        #"f:3:27: /plugins/enabled/0: there is no plugin "nodes" (did you mean "notes"?)"#,
        #"f:7:15: /tenants/1/plugins/note: there is no plugin "note" (did you mean "notes"?)"#,
        #"f:8:38: /tenants/1/plugins/notes/config/colour: must be one of "red", "green""#,
        "f:8:62: /tenants/1/plugins/notes/config/page/size: must be at least 1",
        "f:9:25: /tenants/1/secrets/s: the environment variable of env:SLUICE_TEST_NO_SUCH_VARIABLE is not set",
        #"f:5:45: /tenants/0/plugins/notes: plugin "notes" runs on apps only, not on the platform"#,
      ])
  }
}
