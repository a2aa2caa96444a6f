import Testing

@testable import PluginHost

@Suite struct `A schema in a manifest` {
  private let samples = SamplePlugins()

  @Test func `is refused where a keyword is wrong`() {
    let route = #"{"method":"POST","path":"/a","operation":"o","handler":"h","auth":["none"]"#
    #expect(
      samples.refusals(
        "x",
        #"""
        {"routes":[
          \#(route),"body":{"schema":{"type":"object","properties":{"a":{"typo":1}}}}},
          \#(route),"query":{"q":{"type":"string","pattern":"("}}},
          \#(route),"responses":{"200":{"description":"d","schema":{"type":"sting"}}}}
        ],
        "messages":[{"type":"m","handler":"h","schema":{"$ref":"#/$defs/none"}}],
        "config":7}
        """#
      ).map { String($0.prefix { $0 != " " }) }
        == [
          "/routes/0/body/schema/properties/a/typo:", "/routes/1/query/q/pattern:",
          "/routes/2/responses/200/schema/type:", "/messages/0/schema/$ref:", "/config:",
        ])
    #expect(
      samples.refusals(
        "x", #"{"config":{"type":"object","additionalProperties":false,"requird":[]}}"#)
        == ["/config/requird: the keyword requird is not supported; did you mean required?"])
  }

  @Test(arguments: [
    (
      #"{"type":"object"}"#,
      [#"/config: settings are closed: "additionalProperties" must be false"#]
    ),
    (
      #"{"type":"array","additionalProperties":false}"#,
      [#"/config: settings are an object: "type" must be object"#]
    ),
    (
      #"""
      {"type":"object","additionalProperties":false,"properties":{
        "a":{"type":"integer","default":"x"},
        "b":{"type":"object","properties":{"c":{"$ref":"#/$defs/d","default":3}}},
        "e":{"type":"string","default":"fine"}
      },"$defs":{"d":{"type":"string"}}}
      """#,
      [
        "/config/properties/a/default: the default is refused by its own schema: must be integer, is string",
        "/config/properties/b/properties/c/default: the default is refused by its own schema: must be string, is number",
      ]
    ),
  ])
  func `of settings is closed and accepts its own defaults`(schema: String, expected: [String]) {
    #expect(samples.refusals("x", #"{"config":\#(schema)}"#) == expected)
  }

  private static let closed = #""type":"object","additionalProperties":false,"properties""#

  @Test(arguments: [
    (#""a":{"type":"string","x-sluice-plan":true}"#, [String]()),
    (#""a":{"type":"object","properties":{"b":{"type":"string","x-sluice-plan":true}}}"#, []),
    (#""a":{"type":"integer","x-sluice-plan":true}"#, ["/a"]),
    (#""a":{"type":"string","x-sluice-plan":"free"}"#, ["/a"]),
    (#""a":{"type":"array","items":{"type":"string","x-sluice-plan":true}}"#, ["/a/items"]),
    (#""a":{"anyOf":[{"type":"string","x-sluice-plan":true}]}"#, ["/a/anyOf/0"]),
    (
      #""a":{"type":"object","additionalProperties":{"type":"string","x-sluice-plan":true}}"#,
      ["/a/additionalProperties"]
    ),
  ])
  func `marks as names of plans only what is looked at`(property: String, places: [String]) {
    let message =
      #""x-sluice-plan" is true, and marks a property of type string that is reached by "properties" alone"#
    #expect(
      samples.refusals("x", #"{"tenants":"platform","config":{\#(Self.closed):{\#(property)}}}"#)
        == places.map { "/config/properties\($0)/x-sluice-plan: \(message)" })
  }

  @Test func `marks names of plans on the platform alone`() {
    let config = #"{\#(Self.closed):{"a":{"type":"string","x-sluice-plan":true}}}"#
    #expect(
      samples.refusals("x", #"{"tenants":"both","config":\#(config)}"#) == [
        #"/config: "x-sluice-plan" is for plugins that run on the platform alone; "tenants" is both"#
      ])
  }

  @Test(arguments: [
    (#""a":{"type":"string","x-sluice-tenants":"apps"}"#, [String]()),
    (#""a":{"type":"object","default":{"x-sluice-tenants":1},"x-sluice-tenants":"platform"}"#, []),
    (
      #""a":{"type":"string","x-sluice-tenants":"both"}"#,
      [#"/a/x-sluice-tenants: "x-sluice-tenants" is "platform" or "apps""#]
    ),
    (
      #""a":{"type":"object","properties":{"b":{"x-sluice-tenants":"apps"}}}"#,
      [
        #"/a/properties/b/x-sluice-tenants: "x-sluice-tenants" marks a setting as a whole, directly under the "properties" of "config""#
      ]
    ),
    (
      #""a":{"anyOf":[{"x-sluice-tenants":"apps"}]}"#,
      [
        #"/a/anyOf/0/x-sluice-tenants: "x-sluice-tenants" marks a setting as a whole, directly under the "properties" of "config""#
      ]
    ),
  ])
  func `marks for tenants of one kind whole settings alone`(property: String, refusals: [String]) {
    #expect(
      samples.refusals("x", #"{"tenants":"both","config":{\#(Self.closed):{\#(property)}}}"#)
        == refusals.map { "/config/properties\($0)" })
  }

  @Test func `marks settings for tenants of one kind in a plugin for both alone`() {
    let config = #"{\#(Self.closed):{"a":{"type":"string","x-sluice-tenants":"apps"}}}"#
    #expect(
      samples.refusals("x", #"{"tenants":"apps","config":\#(config)}"#) == [
        #"/config: "x-sluice-tenants" is for plugins that run on both kinds of tenant; "tenants" is apps"#
      ])
  }

  @Test func `of an event stands in a file`() throws {
    let path = samples.folder.write("{\n  \"type\": \"sting\"\n}", to: "x/e/bad.json")
    samples.folder.write("{", to: "x/e/broken.json")
    func event(_ file: String) -> String {
      #"{"emits":[{"type":"a.b","schema":"\#(file)"}]}"#
    }
    samples.write("x", event("e/bad.json"))
    #expect {
      try PluginManifest.read(folder: "\(samples.folder.path)/x")
    } throws: { error in
      "\(error)" == "\(path):2:11: /type: there is no type sting; did you mean string?"
    }
    #expect(
      samples.refusals("x", event("e/broken.json")) == ["string or '}' expected near end of file"])
    #expect(samples.refusals("x", event("e/none.json")) == ["No such file or directory"])
    #expect(
      samples.refusals("x", event("../e.json"))
        == [#"/emits/0/schema: "../e.json" is not a path inside the plugin's folder"#])
    #expect(samples.refusals("x", event("")) == ["/emits/0/schema: must not be empty"])
  }

  @Test(arguments: [
    (#"[{"n":1}]"#, []), ("[]", []), ("7", ["/examples: must be an array"]),
    (
      #"[{"n":1},{"n":"1"},3]"#,
      [
        "/examples/1/n: the example is refused by its own schema: must be integer, is string",
        "/examples/2: the example is refused by its own schema: must be object, is number",
      ]
    ),
  ]) func `of an event has examples that it accepts`(examples: String, refusals: [String]) {
    samples.folder.write(
      #"{"type":"object","properties":{"n":{"type":"integer"}},"examples":\#(examples)}"#,
      to: "x/e/a.json")
    #expect(
      samples.refusals("x", #"{"emits":[{"type":"a.b","schema":"e/a.json"}]}"#) == refusals)
  }

  @Test func `checks settings and completes them by its defaults`() throws {
    NotesSample.write(to: samples.folder)
    let settings = try PluginManifest.read(folder: "\(samples.folder.path)/notes").settings
    #expect(settings.refusals(of: [:]).isEmpty)
    #expect(settings.completed([:]) == ["colour": "red"])
    #expect(
      settings.completed(["page": [:], "x": 1])
        == ["page": ["size": 10], "x": 1, "colour": "red"])
    #expect(settings.completed("text") == "text")
    #expect(
      settings.refusals(of: ["colur": "red", "page": ["size": 0]]) == [
        .init(pointer: "/colur", message: "unknown key; did you mean colour?"),
        .init(pointer: "/page/size", message: "must be at least 1"),
      ])
  }

  @Test func `refuses what is nested too deeply, and does not trap`() throws {
    var value: ConfigValue = []
    for _ in 0..<600 { value = [value] }
    #expect(Schema.anything.refusals(of: value).count == 1)
    #expect(throws: Schema.Refusal.self) { try Schema(["enum": value]) }
    #expect(
      samples.refusals("x", ConfigValue.object([.init("config", ["enum": value])]).json).count == 3)
  }
}
