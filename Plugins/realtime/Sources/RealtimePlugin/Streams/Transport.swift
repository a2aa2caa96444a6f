internal import PluginKit

/// What carries a connection's messages: a WebSocket, or an answer without an end.
enum Transport {
  case socket(Connection)
  case stream(LineStream)

  /// The number by which the host knows it; that of a socket is never a stream's.
  var token: UInt64 {
    switch self {
    case .socket(let connection): connection.token
    case .stream(let stream): stream.token
    }
  }

  /// Who is on it; nobody when it has ended.
  var principal: Principal {
    switch self {
    case .socket(let connection): connection.principal
    case .stream(let stream): stream.sender.principal
    }
  }

  /// Sends a message of text.
  func send(_ message: [UInt8]) {
    switch self {
    case .socket(let connection): connection.send(message, as: .text)
    case .stream(let stream): stream.send(message)
    }
  }

  /// Says why, and closes.
  func close(_ close: CloseCode) {
    switch self {
    case .socket(let connection): connection.close(code: close.code, reason: close.reason)
    case .stream(let stream): stream.close(close)
    }
  }
}

extension Transport: Equatable {
  static func == (a: Transport, b: Transport) -> Bool { a.token == b.token }
}

extension ShardContext {
  /// Who a token stands for by which a connection is to act from now on.
  func identify(_ token: String, renewing transport: Transport) async throws -> Principal {
    switch transport {
    case .socket(let connection): try await identify(token, renewing: connection)
    case .stream(let stream): try await identify(token, renewing: stream.sender)
    }
  }

  /// Counts what a client asks for as a request of its user's and of the app's.
  ///
  /// - Throws: `Problem` 429.
  func admit(_ transport: Transport) throws {
    switch transport {
    case .socket(let connection): try admit(connection)
    case .stream(let stream): try admit(stream.sender)
    }
  }

  /// Counts the commands of a message, of which the host has seen one on a WebSocket; false when the plan allows no more.
  func count(commands: Int, of transport: Transport) -> Bool {
    switch transport {
    case .socket(let connection): count(commands - 1, of: connection)
    case .stream(let stream): count(commands, of: stream.sender)
    }
  }

  /// Hands what a client has said to the plugin that declares its type.
  func dispatch(
    _ type: String, _ data: RawJSON, from transport: Transport
  ) async throws -> RawJSON {
    switch transport {
    case .socket(let connection): try await dispatch(type, data, from: connection)
    case .stream(let stream): try await dispatch(type, data, from: stream.sender)
    }
  }
}
