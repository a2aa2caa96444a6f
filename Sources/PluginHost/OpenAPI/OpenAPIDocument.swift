/// The description of an API in OpenAPI 3.1.0, made from the manifests of the plugins that serve it.
///
/// The same manifests give the same text. Control thread only; made once for each set of plugins.
public struct OpenAPIDocument: Sendable {
  private let root: ConfigValue

  /// - Parameters:
  ///   - title: what the operator calls the service.
  ///   - version: the gateway's version.
  ///   - plugins: the plugins whose routes are described, in any order.
  ///   - limits: the limits in force, named where they narrow what a manifest says.
  public init(title: String, version: String, plugins: [PluginManifest], limits: Limits = Limits())
  {
    let plugins = plugins.sorted { $0.id < $1.id }
    let paths = OpenAPIPaths(of: plugins, limits: limits)
    root = [
      "openapi": "3.1.0",
      "info": ["title": .string(title), "version": .string(version)],
      "tags": .array(
        plugins.filter { !$0.routes.isEmpty || !$0.sockets.isEmpty }.map { plugin in
          ["name": .string(plugin.id), "description": .string(plugin.summary)]
        }),
      "paths": paths.value,
      "components": OpenAPIComponents.value(schemas: paths.schemas.components),
    ]
  }

  /// The document as JSON text without white space.
  public var json: String { root.json }

  /// The document as JSON text for people.
  public var indentedJSON: String { root.indentedJSON }
}
