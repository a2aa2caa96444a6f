@testable import PluginHost

/// Small plugins for tests: a folder with a manifest, made of a base and the members that a test cares about.
struct SamplePlugins {
  let folder = ScratchFolder()

  /// The least that a manifest says.
  static func base(_ id: String) -> String {
    """
    {"id": "\(id)", "version": "0.1.0", "abi": 1, "summary": "A sample called \(id)",
     "library": "lib\(id).so", "runtime": "c", "tenants": "both",
     "capabilities": ["sluice.http/1", "sluice.websocket/1", "sluice.store/1", "sluice.events/1",
                      "sluice.services/1", "sluice.phases/1"]}
    """
  }

  /// Writes a plugin whose manifest has the base's members, replaced and completed by those of `text`.
  ///
  /// - Returns: the plugin's folder.
  @discardableResult
  func write(_ id: String, _ text: String = "{}") -> String {
    var members = Self.value(Self.base(id)).members
    for member in Self.value(text).members {
      members.removeAll { $0.key == member.key }
      members.append(member)
    }
    folder.write(ConfigValue.object(members).indentedJSON, to: "\(id)/plugin.json")
    return "\(folder.path)/\(id)"
  }

  /// Writes and reads a plugin.
  func plugin(_ id: String, _ text: String = "{}") throws -> PluginManifest {
    try PluginManifest.read(folder: write(id, text))
  }

  /// What is said of a plugin: `pointer: message`, without file and position.
  func refusals(_ id: String, _ text: String) -> [String] {
    do {
      _ = try PluginManifest.read(folder: write(id, text))
      return []
    } catch {
      return error.problems.map { Self.short($0, without: folder) }
    }
  }

  static func short(_ problem: ConfigProblem, without folder: ScratchFolder) -> String {
    var bare = problem
    bare.file = ""
    bare.position = nil
    let text = String(bare.description.dropFirst(2))
    return text.replacing(folder.path + "/", with: "")
  }

  static func value(_ text: String) -> ConfigValue {
    do {
      return try ConfigReader.read(text: Array(text.utf8), name: "sample").root
    } catch {
      fatalError(error.description)
    }
  }
}
