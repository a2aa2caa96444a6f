internal import PluginKit

/// A type of events as the interface shows it.
struct ShownEventType: Encodable {
  let type: String
  /// The plugin that emits it.
  let plugin: String
  let description: String?
  /// What the data of such an event must be.
  let schema: RawJSON
  /// Such data.
  let examples: [RawJSON]

  private struct Annotations: Decodable {
    let description: String?
    let examples: [RawJSON]?
  }

  init(_ event: EventType) {
    type = event.type
    plugin = event.plugin
    schema = event.schema
    // A schema may be true as well, and says nothing then.
    let annotations = try? event.schema.decode(Annotations.self)
    description = annotations?.description
    examples = annotations?.examples ?? []
  }
}
