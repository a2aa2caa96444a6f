public import PluginKit

/// Serves what conformance and load tools ask for, each route through the contract like any plugin's.
public struct Conformance: Plugin {
  /// There are no settings to read.
  public init(_ context: InstanceContext) throws {}

  /// Called once for each loop.
  public func makeShard(_ context: ShardContext) throws -> ConformanceShard {
    try ConformanceShard(context)
  }
}

/// What one loop has of the plugin: the sockets on it. Loop thread only.
public final class ConformanceShard: PluginShard {
  /// Every message received on `/fan` is published here and comes back to every shard.
  static let fanChannel = "conformance:fan"

  let context: ShardContext
  /// The connections on `/fan` that live on this loop.
  let fan: Group

  init(_ context: ShardContext) throws {
    self.context = context
    fan = try context.groups.make()
    _ = try context.bus.subscribe(ConformanceShard.fanChannel)
  }

  /// The handlers that `plugin.json` names.
  public static func register(_ on: inout Registry<ConformanceShard>) {
    on.route("read") { _, _ in .literal("ok\n", contentType: "text/plain; charset=utf-8") }
    on.route("receive") { _, request in .json("{\"received\":\(request.body.count)}") }
    on.route("mirror") { _, request in ConformanceShard.mirror(request) }
    on.route("bytes") { _, request in try ConformanceShard.bytes(request) }
    on.route("durable", ConformanceShard.durable)
    registerEcho(&on)
    registerFan(&on)
  }

  private static func registerEcho(_ on: inout Registry<ConformanceShard>) {
    on.socket(
      "echo",
      open: { _, _, _ in 0 },
      message: { _, connection, message in
        connection.send(message.bytes, as: message.kind)
      },
      closed: { _, _, _ in })
  }

  private static func registerFan(_ on: inout Registry<ConformanceShard>) {
    on.socket(
      "fan",
      open: { shard, _, connection in
        shard.fan.add(connection)
        return 0
      },
      message: { shard, connection, message in shard.publish(message, from: connection) },
      closed: { _, _, _ in })
    on.publication { shard, _, event in
      shard.fan.send(event.data, as: event.type == "binary" ? .binary : .text)
    }
  }

  private func publish(_ message: Message, from connection: Connection) {
    do {
      try context.bus.publish(
        ConformanceShard.fanChannel, type: message.kind == .binary ? "binary" : "text",
        bytes: message.bytes)
    } catch {
      context.log.warning("a message was not published", ["error": "\(error)"])
      connection.close(code: 3000, reason: "not published")
    }
  }

  /// What was seen of the request: a client behind a proxy compares it with what it sent.
  private static func mirror(_ request: Request) -> Response {
    .bytes(Array(request.body), contentType: "application/octet-stream")
      .header("seen-method", request.method)
      .header("seen-path", request.path)
      .header("seen-host", request.header("host") ?? "")
  }

  /// An answer of the size that is asked for: for clients that read slowly.
  private static func bytes(_ request: Request) throws -> Response {
    guard let count = Int(try request.parameter(0)), 0...(1 << 20) ~= count else {
      throw Problem.invalid("The count is not a number from 0 to 1048576.")
    }
    return .bytes([UInt8](repeating: 0, count: count), contentType: "application/octet-stream")
  }

  /// Commits the body as one row; the answer comes when it is on disk.
  private func durable(_ request: Request) throws -> Response {
    var batch = Batch()
    batch.add(
      SQL("INSERT INTO conformance_durable (body) VALUES (\(Array(request.body)))")
        .expect(exactly: 1))
    return try context.store.commit(batch, answering: request) { _ in .empty(201) }
  }
}
