extension StaticTenant {
  /// Reads a file that holds one tenant. Control thread only.
  ///
  /// - Throws: everything that is wrong in the file.
  public static func read(file path: String) throws(ConfigurationError) -> StaticTenant {
    let problems = ConfigProblems(try ConfigReader.read(file: path))
    let tenant = StaticTenant(reading: ConfigNode(rootOf: problems))
    try problems.throwIfAny()
    guard let tenant else { throw ConfigurationError(problems.list) }
    return tenant
  }

  init?(reading node: ConfigNode) {
    let tenant = node.object { reader in
      var tenant = StaticTenant(id: reader.string("id", .tenantID))
      tenant.hosts = reader.strings("hosts", .host)
      tenant.origins = reader.strings("allowed_origins", .origin)
      tenant.plugins = (reader.optional("plugins")?.entries() ?? []).compactMap { id, node in
        node.checkKey(id, .pluginID)
        return node.object { Self.readPlugin(id, &$0) }
      }
      tenant.keys = reader.objects("keys", Self.readKey)
      for (name, node) in reader.optional("secrets")?.entries() ?? [] {
        node.checkKey(name, .name)
        tenant.secrets[name] = Self.readSecret(node)
      }
      if let compression = reader.optional("compression")?.object({
        CompressionChoice(reading: &$0)
      }) {
        tenant.compression = compression
      }
      return tenant
    }
    guard var tenant else { return nil }
    tenant.origin = Origin(source: node.problems.source.text, pointer: node.pointer)
    self = tenant
  }

  private static func readPlugin(_ id: String, _ reader: inout ObjectReader) -> Plugin {
    let isEnabled = reader.boolean("enabled", default: true)
    let config = reader.optional("config")
    if let config, case .object = config.value {
    } else {
      config?.refuse("must be an object, not \(config?.value.kind ?? "")")
    }
    return Plugin(id: id, isEnabled: isEnabled, config: config?.value ?? .object([]))
  }

  private static func readKey(_ reader: inout ObjectReader) -> Key {
    let digest = readDigest(reader.required("secret_sha256"))
    return Key(
      id: reader.string("id", .name),
      digest: stride(from: 0, to: digest.utf8.count, by: 2).map { start in
        UInt8(digest.dropFirst(start).prefix(2), radix: 16) ?? 0
      },
      kind: reader.word("kind"),
      scopes: reader.optional("scopes")?.distinct(DottedPattern.init(reading:)) ?? [])
  }

  /// Whoever writes the key itself here must not find it in a log: the error does not repeat it.
  private static func readDigest(_ node: ConfigNode?) -> String {
    guard let node else { return "" }
    let digest = node.string()
    if !digest.isEmpty && !Grammar.sha256.accepts(digest) {
      node.refuse("must be \(Grammar.sha256.description), the key's SHA-256")
    }
    return digest
  }

  private static func readSecret(_ node: ConfigNode) -> SecretSource {
    let text = node.string()
    guard text.hasPrefix("env:") else { return .literal(text) }
    let name = String(text.dropFirst(4))
    if !Grammar.environmentName.accepts(name) {
      node.refuse("\"\(name)\" is not \(Grammar.environmentName.description)")
    }
    return .environment(name)
  }

  /// Ids, hosts and keys that belong to two tenants, or to one of them twice.
  static func conflicts(among tenants: [StaticTenant]) -> [ConfigProblem] {
    var problems: [ConfigProblem] = []
    var ids: [String: StaticTenant] = [:]
    var hosts: [String: StaticTenant] = [:]
    var digests: [[UInt8]: StaticTenant] = [:]
    for tenant in tenants {
      if let other = ids.updateValue(tenant, forKey: tenant.id) {
        problems.append(
          tenant.problem(at: "/id", "tenant \"\(tenant.id)\" is also given in \(other.place)"))
        continue
      }
      for (index, host) in tenant.hosts.enumerated() {
        if let other = hosts.updateValue(tenant, forKey: host) {
          problems.append(
            tenant.problem(
              at: "/hosts/\(index)", "host \"\(host)\" belongs to tenant \"\(other.id)\" already"))
        }
      }
      for (index, key) in tenant.keys.enumerated() {
        if let other = digests.updateValue(tenant, forKey: key.digest) {
          problems.append(
            tenant.problem(
              at: "/keys/\(index)/secret_sha256",
              "the same key belongs to tenant \"\(other.id)\" already"))
        }
      }
    }
    return problems
  }

  /// The file and pointer of this tenant, for the eyes of an operator.
  private var place: String {
    guard let origin else { return "the program" }
    return origin.pointer.isEmpty ? origin.source.name : "\(origin.source.name): \(origin.pointer)"
  }

  /// A problem with the value at `pointer` below this tenant.
  func problem(
    at pointer: String, _ message: String, suggestion: String? = nil
  ) -> ConfigProblem {
    guard let origin else {
      return ConfigProblem(
        file: "tenant \(id)", pointer: pointer, message: message, suggestion: suggestion)
    }
    let whole = origin.pointer + pointer
    return ConfigProblem(
      file: origin.source.name, position: origin.source.locate(whole)?.value, pointer: whole,
      message: message, suggestion: suggestion)
  }
}
