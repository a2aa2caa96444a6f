internal import Wire

/// The secrets among one tenant's settings of one plugin, by the JSON pointers of their places. They are kept sealed, as one
/// secret of the tenant, which no plugin can ask for.
struct SealedSettings: Sendable, Equatable {
  /// Secrets of this prefix are the host's own.
  static let prefix = "sluice."

  /// Under which name they are sealed.
  static func name(of plugin: String) -> String { "\(prefix)config.\(plugin)" }

  private(set) var values: [String: ConfigValue] = [:]

  init() {}

  /// - Throws: ``TenantError/Code/damaged``.
  init(_ bytes: [UInt8], plugin: String) throws(TenantError) {
    guard case .object(let members)? = try? ConfigReader.read(text: bytes, name: "secrets").root
    else {
      throw TenantError(
        .damaged, "the secrets among the settings of \"\(plugin)\" are no JSON object")
    }
    values = Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  /// What is sealed; nil when there is none.
  var bytes: [UInt8]? {
    guard !values.isEmpty else { return nil }
    let members = values.sorted { $0.key < $1.key }.map { ConfigValue.Member($0.key, $0.value) }
    return Array(ConfigValue.object(members).json.utf8)
  }

  /// Takes the secrets out of settings that are given: what is left may be shown. A secret that is left out, or whose object is there
  /// without it, stays as it was; `null` removes it.
  mutating func take(from settings: ConfigValue, _ paths: [[String]]) -> ConfigValue {
    var open = settings
    var kept: [String: ConfigValue] = [:]
    for path in paths {
      let pointer = Self.pointer(path)
      guard open.hasObject(for: path[...]) else { continue }
      switch open.remove(path[...]) {
      case .null?: continue
      case let given?: kept[pointer] = given
      case nil: kept[pointer] = values[pointer]
      }
    }
    values = kept
    return open
  }

  /// The settings with their secrets in them, as the plugin gets them.
  func put(into open: ConfigValue, _ paths: [[String]]) -> ConfigValue {
    var whole = open
    for path in paths {
      if let value = values[Self.pointer(path)] { whole.insert(value, path[...]) }
    }
    return whole
  }

  static func pointer(_ path: [String]) -> String {
    path.reduce("") { JSONPointer.appending($1, to: $0) }
  }
}

extension ConfigValue {
  /// Whether there is an object that the last key of the path belongs to.
  fileprivate func hasObject(for path: ArraySlice<String>) -> Bool {
    guard case .object = self, let key = path.first else { return false }
    if path.count == 1 { return true }
    return self[key]?.hasObject(for: path.dropFirst()) ?? false
  }

  /// Removes a value, which is returned.
  fileprivate mutating func remove(_ path: ArraySlice<String>) -> ConfigValue? {
    guard case .object(var members) = self, let key = path.first,
      let place = members.firstIndex(where: { $0.key == key })
    else { return nil }
    var removed: ConfigValue?
    if path.count == 1 {
      removed = members.remove(at: place).value
    } else {
      removed = members[place].value.remove(path.dropFirst())
    }
    self = .object(members)
    return removed
  }

  /// Puts a value into the object that its path leads to; nowhere when there is none.
  fileprivate mutating func insert(_ value: ConfigValue, _ path: ArraySlice<String>) {
    guard case .object(var members) = self, let key = path.first else { return }
    let place = members.firstIndex { $0.key == key }
    if path.count == 1 {
      if let place { members[place].value = value } else { members.append(Member(key, value)) }
    } else if let place {
      members[place].value.insert(value, path.dropFirst())
    }
    self = .object(members)
  }
}
