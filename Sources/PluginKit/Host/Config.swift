internal import CSluice

/// `sluice.config/1`: the tenant's settings, checked against the manifest's schema and completed by its
/// defaults.
public struct Config {
  unowned(unsafe) let link: HostLink

  /// The settings, a JSON object.
  public var json: RawJSON {
    get throws {
      let (config, host) = try link.require("sluice.config/1", sluice_config_v1_t.self)
      return RawJSON(unchecked: Array(Bytes(config.pointee.get(host))))
    }
  }

  /// The settings as a value.
  ///
  /// - Throws: `ConfigurationError` with the JSON pointer of what is wrong; `ExtensionUnavailable`.
  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    do {
      return try json.decode(type)
    } catch let error as JSONError {
      throw ConfigurationError(pointer: error.pointer, message: error.message)
    }
  }

  func refuse(_ error: ConfigurationError) {
    guard let (config, host) = link.find("sluice.config/1", sluice_config_v1_t.self) else { return }
    error.pointer.withSlice { pointer in
      error.message.withSlice { config.pointee.refuse(host, pointer, $0) }
    }
  }
}
