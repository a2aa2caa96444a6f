internal import CSluice

/// `sluice.log/1`: lines in the gateway's log. Where it is not granted, lines go nowhere.
///
/// Never log a credential.
public struct Log {
  unowned(unsafe) let link: HostLink

  public typealias Fields = KeyValuePairs<String, any Encodable>

  public func debug(_ message: String, _ fields: Fields = [:]) {
    write(SLUICE_LOG_DEBUG, message, fields)
  }

  public func info(_ message: String, _ fields: Fields = [:]) {
    write(SLUICE_LOG_INFO, message, fields)
  }

  public func warning(_ message: String, _ fields: Fields = [:]) {
    write(SLUICE_LOG_WARNING, message, fields)
  }

  public func error(_ message: String, _ fields: Fields = [:]) {
    write(SLUICE_LOG_ERROR, message, fields)
  }

  private func write(_ level: UInt32, _ message: String, _ fields: Fields) {
    guard let (log, host) = link.find("sluice.log/1", sluice_log_v1_t.self) else { return }
    message.withSlice { message in
      if fields.isEmpty {
        log.pointee.write(host, level, message, .absent)
      } else if let json = try? JSON.encode(fields: fields) {
        json.withSlice { log.pointee.write(host, level, message, $0) }
      } else {
        log.pointee.write(host, level, message, .absent)
      }
    }
  }
}
