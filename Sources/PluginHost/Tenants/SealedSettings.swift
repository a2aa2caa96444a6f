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
  /// without it, stays as it was; `null` removes it. An element of an array has the secrets of its ``SecretPath/counterparts``.
  ///
  /// - Parameter former: the settings that the secrets so far belong to, with or without them.
  mutating func take(
    from settings: ConfigValue, _ paths: [SecretPath], after former: ConfigValue
  ) -> ConfigValue {
    let (open, given) = Self.strip(settings, paths)
    let (old, _) = Self.strip(former, paths)
    var kept: [String: ConfigValue] = [:]
    for path in paths {
      for (place, origin) in path.places(in: open, since: old) {
        let value = given[place] ?? origin.flatMap { values[$0] }
        if let value, value != .null { kept[place] = value }
      }
    }
    values = kept
    return open
  }

  /// Settings as they may be shown, with whatever secrets still stand in them taken out.
  static func open(_ settings: ConfigValue, _ paths: [SecretPath]) -> ConfigValue {
    strip(settings, paths).open
  }

  private static func strip(
    _ settings: ConfigValue, _ paths: [SecretPath]
  ) -> (open: ConfigValue, given: [String: ConfigValue]) {
    var open = settings
    var given: [String: ConfigValue] = [:]
    for path in paths { open.remove(path.steps[...], at: "", into: &given) }
    return (open, given)
  }

  /// The settings with their secrets in them, as the plugin gets them.
  func put(into open: ConfigValue, _ paths: [SecretPath]) -> ConfigValue {
    var whole = open
    for path in paths { whole.insert(path.steps[...], at: "", from: values) }
    return whole
  }

  /// The places of these settings where a secret may be, and whether there is one, in the order of the schema and of arrays.
  func places(in open: ConfigValue, _ paths: [SecretPath]) -> [(pointer: String, isSet: Bool)] {
    paths.flatMap { path in
      path.isInArray
        ? path.places(in: open, since: open).map { ($0.place, values[$0.place] != nil) }
        : [(path.pointer, values[path.pointer] != nil)]
    }
  }
}

extension ConfigValue {
  /// Removes what a path leads to, which is put among `found` by its pointer.
  fileprivate mutating func remove(
    _ path: ArraySlice<SecretPath.Step>, at pointer: String, into found: inout [String: ConfigValue]
  ) {
    switch (self, path.first) {
    case (.object(var members), .key(let key)):
      guard let place = members.firstIndex(where: { $0.key == key }) else { return }
      let below = JSONPointer.appending(key, to: pointer)
      if path.count == 1 {
        found[below] = members.remove(at: place).value
      } else {
        members[place].value.remove(path.dropFirst(), at: below, into: &found)
      }
      self = .object(members)
    case (.array(var elements), .each):
      for index in elements.indices {
        elements[index].remove(path.dropFirst(), at: "\(pointer)/\(index)", into: &found)
      }
      self = .array(elements)
    default: break
    }
  }

  /// Puts values into the objects that a path leads to; nowhere where there is none.
  fileprivate mutating func insert(
    _ path: ArraySlice<SecretPath.Step>, at pointer: String, from values: [String: ConfigValue]
  ) {
    switch (self, path.first) {
    case (.object(var members), .key(let key)):
      let place = members.firstIndex { $0.key == key }
      let below = JSONPointer.appending(key, to: pointer)
      if path.count > 1 {
        if let place { members[place].value.insert(path.dropFirst(), at: below, from: values) }
      } else if let value = values[below] {
        if let place { members[place].value = value } else { members.append(Member(key, value)) }
      }
      self = .object(members)
    case (.array(var elements), .each):
      for index in elements.indices {
        elements[index].insert(path.dropFirst(), at: "\(pointer)/\(index)", from: values)
      }
      self = .array(elements)
    default: break
    }
  }
}
