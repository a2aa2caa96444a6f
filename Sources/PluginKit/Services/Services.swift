internal import CSluice

/// `sluice.services/1`: asking another plugin. Loop thread only.
public struct Services {
  unowned(unsafe) let context: ShardContext

  /// Calls a method of a service that the manifest requires.
  ///
  /// - Parameters:
  ///   - service: "sluice.channel-authority/1"
  ///   - key: under which the provider is known; nil for a keyless service.
  /// - Throws: `HostError` with the provider's status, `.notFound` when the tenant has no provider,
  ///   `.deadline` after 10 s; `JSONError` when the reply is not a `Reply`; `ExtensionUnavailable`.
  public func call<Query: Encodable, Reply: Decodable>(
    _ service: String, key: String? = nil, method: UInt32, _ query: Query,
    as reply: Reply.Type = Reply.self
  ) async throws -> Reply {
    let bytes = try await call(service, key: key, method: method, bytes: try JSON.encode(query))
    return try JSON.decode(reply, from: bytes)
  }

  /// As the other, with bytes both ways.
  public func call(
    _ service: String, key: String? = nil, method: UInt32, bytes: [UInt8]
  ) async throws -> [UInt8] {
    let (services, host) = try context.servicesTable()
    return try await context.call { completion, call in
      service.withSlice { service in
        key.withSlice { key in
          bytes.withSlice {
            services.pointee.call(host, service, key, method, $0, completion, call)
          }
        }
      }
    }
  }
}

/// A call that this plugin has to answer.
public struct ServiceCall: Sendable {
  /// Name and major of what is called, such as "sluice.authenticator/1".
  public let service: String
  /// nil for a keyless service.
  public let key: String?
  /// The method's number, from the service's header.
  public let method: UInt32
  /// What the caller sent, a copy: JSON or a flat struct, as the service states.
  public let payload: [UInt8]

  /// The payload as a value.
  public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    try JSON.decode(type, from: payload)
  }
}
