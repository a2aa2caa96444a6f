/// What a client is told without having asked, on one line.
enum Push {
  /// A publication. `asText` for subscriptions with deltas: the data is then a string.
  static func publication(_ event: ChannelEvent, in channel: String, asText: Bool = false)
    -> [UInt8]
  {
    line(channel, capacity: event.data.count + 128) { line in
      line.object("pub") { event.write(&$0, asText: asText) }
    }
  }

  /// A publication as the difference to the one before.
  static func delta(_ delta: [UInt8], of event: ChannelEvent, in channel: String) -> [UInt8] {
    line(channel, capacity: delta.count + 128) { line in
      line.object("pub") { line in
        line.member("data", text: delta)
        event.writeRest(&line)
        line.flag("delta", true)
      }
    }
  }

  /// - Parameter info: the JSON that describes the client.
  static func join(_ info: [UInt8], in channel: String) -> [UInt8] {
    line(channel) { line in line.object("join") { $0.member("info", json: info) } }
  }

  static func leave(_ info: [UInt8], in channel: String) -> [UInt8] {
    line(channel) { line in line.object("leave") { $0.member("info", json: info) } }
  }

  static func unsubscribe(_ code: UnsubscribeCode, from channel: String) -> [UInt8] {
    line(channel) { line in
      line.object("unsubscribe") { line in
        line.member("code", code.code)
        line.member("reason", code.reason)
      }
    }
  }

  /// For transports that have no close of their own.
  static func disconnect(_ close: CloseCode) -> [UInt8] {
    line(nil) { line in
      line.object("disconnect") { line in
        line.member("code", close.code)
        line.member("reason", close.reason)
      }
    }
  }

  private static func line(
    _ channel: String?, capacity: Int = 128, _ body: (inout JSONLine) -> Void
  ) -> [UInt8] {
    var line = JSONLine(capacity: capacity)
    line.object { line in
      line.object("push") { line in
        if let channel { line.member("channel", channel) }
        body(&line)
      }
    }
    return line.bytes
  }
}

/// The client behind a connection, as others see it.
struct ClientInfo {
  let user: String
  let client: String
  /// What its connection's token says of it, JSON.
  var connection: [UInt8]?
  /// What its subscription's token says of it, JSON.
  var channel: [UInt8]?

  var json: [UInt8] {
    var line = JSONLine()
    line.object { line in
      line.member("user", user)
      line.member("client", client)
      if let connection { line.member("conn_info", json: connection) }
      if let channel { line.member("chan_info", json: channel) }
    }
    return line.bytes
  }
}
