internal import CSluice

/// `sluice.secrets/1`: secrets that are needed to compute with, sealed under the operator's key.
///
/// Names are [a-z][a-z0-9_.-]{0,63}. A plugin reads and writes those that begin with its id and a dot,
/// and reads those that begin with "tenant.". Loop thread only.
public struct Secrets {
  unowned(unsafe) let context: ShardContext

  /// The secret called `name`, or nil. Do not keep it longer than needed.
  public func get(_ name: String) throws -> [UInt8]? {
    try SecretReader(link: context.link).get(name)
  }

  /// Stores a secret of at most 64 KiB; durable when this returns.
  ///
  /// - Throws: `HostError` `.conflict` with `onlyIfAbsent` when there is one.
  public func put(_ name: String, _ value: [UInt8], onlyIfAbsent: Bool = false) async throws {
    try await put(name, value: value, onlyIfAbsent)
  }

  /// Removes a secret.
  public func remove(_ name: String) async throws {
    try await put(name, value: nil, false)
  }

  private func put(_ name: String, value: [UInt8]?, _ onlyIfAbsent: Bool) async throws {
    let (secrets, host) = try context.link.require("sluice.secrets/1", sluice_secrets_v1_t.self)
    try await context.callForStatus { completion, call in
      name.withSlice { name in
        value.withSlice {
          secrets.pointee.put(host, name, $0, onlyIfAbsent ? 1 : 0, completion, call)
        }
      }
    }
  }
}

struct SecretReader {
  let link: HostLink

  func get(_ name: String) throws -> [UInt8]? {
    let (secrets, host) = try link.require("sluice.secrets/1", sluice_secrets_v1_t.self)
    let value = name.withSlice { Bytes(secrets.pointee.get(host, $0)) }
    return value.isPresent ? Array(value) : nil
  }
}
