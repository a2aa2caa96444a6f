internal import CSluice

/// `sluice.log/1`: lines in the gateway's log. Where it is not granted, lines go nowhere.
///
/// Never log a credential.
public struct Log {
  unowned(unsafe) let link: HostLink

  /// Names and values beside a message, written as JSON. Names are literals, so that a log can be searched
  /// for them.
  public typealias Fields = KeyValuePairs<String, any Encodable>

  /// What only the plugin's author wants to see; below the usual level.
  public func debug(_ message: String, _ fields: Fields = [:]) {
    write(SLUICE_LOG_DEBUG, message, fields)
  }

  /// What an operator may want to know and need not act upon.
  public func info(_ message: String, _ fields: Fields = [:]) {
    write(SLUICE_LOG_INFO, message, fields)
  }

  /// What an operator should look at soon; the request was served.
  public func warning(_ message: String, _ fields: Fields = [:]) {
    write(SLUICE_LOG_WARNING, message, fields)
  }

  /// What failed and should not have.
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
