import Testing
import Wire

@testable import PluginHost

@Suite struct `The OpenAPI description` {
  private let samples = SamplePlugins()

  private func document(_ plugins: [PluginManifest]) -> ConfigValue {
    SamplePlugins.value(OpenAPIDocument(title: "T", version: "1.0.0", plugins: plugins).json)
  }

  private func notes() throws -> PluginManifest {
    NotesSample.write(to: samples.folder)
    return try PluginManifest.read(folder: "\(samples.folder.path)/notes")
  }

  /// The value at a JSON pointer.
  private func at(_ pointer: String, _ value: ConfigValue) -> ConfigValue? {
    (JSONPointer.steps(of: pointer) ?? []).reduce(value) { value, token in
      if case .array(let list) = value {
        return Int(token).flatMap { list.indices.contains($0) ? list[$0] : nil }
      }
      return value?[token]
    }
  }

  @Test func `is the same for the same plugins in any order`() throws {
    let notes = try notes()
    let other = try samples.plugin("other")
    let one = OpenAPIDocument(title: "T", version: "1", plugins: [notes, other])
    let two = OpenAPIDocument(title: "T", version: "1", plugins: [other, notes])
    #expect(one.json == two.json)
    #expect(SamplePlugins.value(one.indentedJSON) == SamplePlugins.value(one.json))
  }

  @Test func `describes a route with its body, answers and credentials`() throws {
    let document = try document([notes()])
    #expect(document["openapi"] == "3.1.0")
    #expect(document["info"] == ["title": "T", "version": "1.0.0"])
    #expect(document["tags"] == [["name": "notes", "description": "Notes in books"]])
    let create = try #require(at("/paths/~1v1~1books~1{book}~1notes/post", document))
    #expect(create["operationId"] == "createNote")
    #expect(create["summary"] == "Write a note")
    #expect(create["description"] == "The body has at most 4096 bytes.")
    #expect(create["tags"] == ["notes"])
    #expect(
      create["parameters"]?.elements.last == ["$ref": "#/components/parameters/IdempotencyKey"])
    #expect(at("/components/parameters/IdempotencyKey/schema/maxLength", document) == 255)
    #expect(create["security"] == [["userToken": ["notes.write"]], ["secretKey": ["notes.write"]]])
    #expect(at("/requestBody/required", create) == true)
    #expect(
      at("/requestBody/content/application~1json/schema/properties/text/maxLength", create) == 2000)
    #expect(
      create["responses"]?.members.map(\.key)
        == [
          "201", "400", "401", "403", "404", "408", "409", "413", "414", "415", "429", "431", "500",
          "503", "504",
        ]
    )
    #expect(at("/responses/409/description", create) == "The book is closed")
    #expect(
      at("/responses/409/content/application~1problem+json/schema/$ref", create)
        == "#/components/schemas/Problem")
    #expect(at("/responses/429/$ref", create) == "#/components/responses/RateLimited")
    #expect(
      at("/responses/201/content/application~1json/schema/properties/id/type", create) == "string")
  }

  @Test func `refers only to what it has`() throws {
    let document = try document([notes()])
    var references: Set<String> = []
    func collect(_ value: ConfigValue) {
      for member in value.members {
        if member.key == "$ref", let text = member.value.text { references.insert(text) }
        collect(member.value)
      }
      value.elements.forEach(collect)
    }
    collect(document)
    #expect(references.count == 17)
    for reference in references {
      #expect(at(String(reference.dropFirst()), document) != nil, "\(reference)")
    }
  }

  @Test func `moves the definitions of a schema to where they are found`() throws {
    let plugin = try samples.plugin(
      "x",
      #"""
      {"routes":[{"method":"POST","path":"/a","operation":"o","handler":"h","auth":["none"],
        "body":{"content_types":["application/json"],"schema":{
          "$id":"urn:x","type":"object","enum":[{"$ref":"#/$defs/a b"}],
          "properties":{"p":{"$ref":"#/$defs/a b"},"q":{"type":"array","items":{"$ref":"#/$defs/c"}}},
          "anyOf":[{"$ref":"#/$defs/c"},true],
          "$defs":{"a b":{"type":"object","additionalProperties":{"$ref":"#/$defs/c"}},
                   "c":{"type":"string"}}}}}]}
      """#)
    let document = document([plugin])
    let a = "#/components/schemas/x.o.body.1"
    let c = "#/components/schemas/x.o.body.2"
    let schema = at("/paths/~1a/post/requestBody/content/application~1json/schema", document)
    #expect(
      schema == [
        "type": "object", "enum": [["$ref": "#/$defs/a b"]],
        "properties": [
          "p": ["$ref": .string(a)], "q": ["type": "array", "items": ["$ref": .string(c)]],
        ],
        "anyOf": [["$ref": .string(c)], true],
      ])
    #expect(
      at(String(a.dropFirst()), document)
        == ["type": "object", "additionalProperties": ["$ref": .string(c)]])
    #expect(at(String(c.dropFirst()), document) == ["type": "string"])
  }

  @Test func `speaks of one path's parameters by one name`() throws {
    let document = try document([notes()])
    #expect(
      document["paths"]?.members.map(\.key) == [
        "/books/{book}/notes", "/v1/books/{book}/live", "/v1/books/{book}/notes", "/v1/cover",
      ])
    let list = try #require(at("/paths/~1v1~1books~1{book}~1notes/get", document))
    #expect(
      list["parameters"]?.elements.map { $0["name"]?.text } == ["book", "limit", "tags", "q"])
    #expect(at("/parameters/0/required", list) == true)
    #expect(at("/parameters/1/required", list) == nil)
    #expect(at("/parameters/1/schema/maximum", list) == 100)
    #expect(at("/parameters/2/explode", list) == false)
    #expect(at("/parameters/3/required", list) == true)
    #expect(list["security"] == [[:], ["userToken": []]])
    #expect(at("/responses/409", list) == nil)
    #expect(at("/responses/413", list) == nil)
  }

  @Test func `names an alias without a second operation`() throws {
    let alias = try #require(at("/paths/~1books~1{book}~1notes/post", document([try notes()])))
    #expect(alias["operationId"] == nil)
    #expect(
      alias["description"]?.text?.hasSuffix("Another name for `/v1/books/{book}/notes`.") == true)
  }

  @Test func `describes what is open and streamed, and what a request may meet on its way there`()
    throws
  {
    let put = try #require(at("/paths/~1v1~1cover/put", document([try notes()])))
    #expect(put["security"] == [])
    #expect(put["requestBody"] == ["required": false, "content": ["image/png": [:]]])
    #expect(
      put["responses"]?.members.map(\.key)
        == [
          "2XX", "400", "401", "403", "404", "408", "409", "413", "414", "415", "429", "431", "500",
          "503", "504",
        ])
  }

  @Test func `describes a socket as the GET that opens it`() throws {
    let live = try #require(at("/paths/~1v1~1books~1{book}~1live/get", document([try notes()])))
    #expect(live["operationId"] == "watchBook")
    #expect(
      live["description"]
        == "A WebSocket (RFC 6455). A message has at most 65536 bytes. Subprotocols: `sluice.v1`.")
    #expect(at("/responses/101/description", live) != nil)
    #expect(live["security"] == [["userToken": []], ["tokenInQuery": []]])
    #expect(at("/responses/414/$ref", live) == "#/components/responses/URITooLong")
  }

  @Test func `describes an answer by its media type, with a schema and without`() throws {
    let text = { (response: String) in
      #"{"routes":[{"method":"GET","path":"/a","operation":"get","handler":"h","auth":["none"],"responses":{"200":\#(response)}}]}"#
    }
    for (response, content) in [
      (
        #"{"description":"Keys","content_type":"application/jwk-set+json","schema":{"type":"object"}}"#,
        ["application/jwk-set+json": ["schema": ["type": "object"]]]
      ),
      (#"{"description":"Events","content_type":"text/event-stream"}"#, ["text/event-stream": [:]]),
      (
        #"{"description":"JSON","schema":{"type":"object"}}"#,
        ["application/json": ["schema": ["type": "object"]]]
      ),
    ] as [(String, ConfigValue)] {
      let document = document([try samples.plugin("a", text(response))])
      #expect(at("/paths/~1a/get/responses/200/content", document) == content)
    }
    let refused = samples.refusals("x", text(#"{"description":"Keys","content_type":"JSON"}"#))
    #expect(refused.count == 1 && refused[0].hasPrefix("/routes/0/responses/200/content_type: "))
  }

  @Test func `tells apart operations that two plugins call the same`() throws {
    let text = { (path: String) in
      #"{"routes":[{"method":"GET","path":"\#(path)","operation":"get","handler":"h","auth":["none"]}]}"#
    }
    let document = document([
      try samples.plugin("a-b", text("/a")), try samples.plugin("c", text("/c")),
    ])
    #expect(at("/paths/~1a/get/operationId", document) == "a_b_get")
    #expect(at("/paths/~1c/get/operationId", document) == "c_get")
  }

  @Test func `never promises more than the operator's limits`() throws {
    var limits = Limits()
    limits[.bodyBytes] = 100
    limits[.webSocketMessageBytes] = 200
    let text = OpenAPIDocument(title: "T", version: "1", plugins: [try notes()], limits: limits)
      .json
    #expect(text.contains("The body has at most 100 bytes."))
    #expect(text.contains("A message has at most 200 bytes."))
    #expect(!text.contains("at most 4096"))
  }
}
