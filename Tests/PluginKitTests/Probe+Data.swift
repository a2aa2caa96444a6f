import Glibc
import PluginKit

enum Thread {
  static var number: UInt { UInt(pthread_self()) }
}

extension ProbeShard {
  static func registerStore(_ on: inout Registry<ProbeShard>) {
    on.route("insert") { shard, request async throws in
      let note: Note = try request.decode()
      let at = try shard.context.clock.now()
      let commit = try await shard.context.store.commit {
        SQL(
          """
          INSERT INTO probe_notes (name, size, ratio, tags, at, flag) VALUES
          (\(note.name), \(note.size?.rawValue), \(note.ratio),
          \(try note.tags.map { try RawJSON(encoding: $0) }), \(at), \(note.flag)) RETURNING id
          """
        ).expect(exactly: 1)
        SQL("UPDATE probe_notes SET data = x'00ff' WHERE id = \(.returned(from: 0, "id"))")
          .expect(exactly: 1)
        try Emit("probe.note.created", channel: "probe:notes", data: ["name": note.name])
      }
      let id = try commit.statements[0].first?["id", Int.self]
      return try .json(
        [id ?? -1, commit.statements[1].changed, Int(commit.events[0].offset)], status: 201)
    }
    on.route("notes") { shard, _ async throws in
      let rows = try await shard.context.store.read(
        "SELECT id, name, size, ratio, tags, at, flag FROM probe_notes ORDER BY id")
      return try .json(try rows.decode(Note.self))
    }
    on.route("guard") { shard, _ async throws in
      try await shard.context.store.commit(
        Batch {
          "INSERT INTO probe_notes (name) VALUES ('kept?')"
          SQL("UPDATE probe_notes SET flag = 1 WHERE name = 'nobody'").expect(atLeast: 1)
        })
      return .empty()
    }
    on.route("guard_caught") { shard, _ async throws in
      do {
        try await shard.context.store.commit {
          SQL("INSERT INTO probe_notes (name) VALUES ('kept?')")
          SQL("DELETE FROM probe_notes WHERE name = 'nobody'").expect(exactly: 1)
        }
      } catch StoreError.conflict(let statement, let detail) {
        return .text("\(statement ?? -1) \(detail)")
      }
      return .empty()
    }
    on.route("insert_at_once") { shard, request in
      let name = request.body.text
      var batch = Batch()
      batch.add(
        SQL("INSERT INTO probe_notes (name) VALUES (\(name)) RETURNING id").expect(exactly: 1))
      return try shard.context.store.commit(batch, answering: request) { commit in
        guard name != "refused" else { throw Problem.invalid("Not this one.") }
        let id = try commit.statements[0].first?["id", Int.self]
        return .text("\(id ?? -1)", status: 201)
      }
    }
    on.route("bad_sql") { shard, _ async throws in
      _ = try await shard.context.store.read("SELEKT 1")
      return .empty()
    }
    on.route("foreign_table") { shard, _ async throws in
      do {
        _ = try await shard.context.store.read("SELECT * FROM other_table")
      } catch let error as StoreError {
        return .text("\(error.status == .denied || error.status == .invalid)")
      }
      return .empty()
    }
    on.credential(
      ofRoute: "mismatch",
      RequestCredential(
        find: { query, body in
          if let app = query["app-of"] { return .app(app) }
          if let token = query["t k"] { return .credential(token) }
          guard body.isEmpty || body.text == "token abc" else { throw Problem.notFound("no") }
          return body.isEmpty ? nil : .credential("abc")
        },
        refuse: { query, body, why in
          guard why == .expired else { return nil }
          return RequestRefusal(
            status: 200, contentType: "text/plain",
            body: Array("\(query["t k"] ?? "-") \(body.count)".utf8))
        }))
    on.route("mismatch") { shard, _ async throws in
      let rows = try await shard.context.store.read("SELECT 'text' AS size, NULL AS name")
      do {
        _ = try rows[0]["size", Int.self]
        return .empty()
      } catch let error as RowError {
        return .text(error.description)
      }
    }
    on.route("history") { shard, _ async throws in
      let page = try await shard.context.bus.history("probe:notes", since: 1, limit: 10)
      return .text("\(page.entries.map(\.offset)) \(page.topOffset) \(page.epoch.isEmpty)")
    }
  }
}

final class ProbePeer {
  let name: String
  var messages = 0

  init(_ name: String) {
    self.name = name
  }
}

extension ProbeShard {
  static func registerSockets(_ on: inout Registry<ProbeShard>) {
    on.socket(
      "numbered",
      open: { shard, request, connection in
        guard connection.principal.kind == .user else { throw Problem.unauthenticated("who?") }
        connection.send("welcome")
        return UInt64(request.query("n") ?? "0") ?? 0
      },
      message: { _, connection, message in
        connection.send("\(connection.context):\(message.text)")
      },
      closed: { shard, connection, reason in
        shard.context.log.info("closed", ["code": reason.code, "context": connection.context])
      })
    on.message("sum") { (shard: ProbeShard, message: ClientMessage) -> [String: Int] in
      let numbers: [Int] = try message.decode()
      if numbers.isEmpty { throw Problem.conflict("nothing to add") }
      return ["sum": numbers.reduce(0, +)]
    }
    on.message("later") {
      (shard: ProbeShard, message: ClientMessage) async throws -> [String: String] in
      _ = try await shard.context.store.read("SELECT 1 AS n")
      return ["id": message.principal.id, "type": message.type]
    }
    on.credential(
      ofSocket: "numbered",
      FirstMessageCredential(
        find: { message in
          if message.text == "nobody" { return nil }
          guard message.text.hasPrefix("token ") else { throw HostError(.invalid) }
          return String(message.text.dropFirst(6))
        },
        refuse: { message, why in
          SocketRefusal(
            message: message.map { Array("\($0.bytes.count) \(why.rawValue)".utf8) }, code: 3500,
            reason: "no")
        }))
    on.socket(
      "peer", peer: ProbePeer.self,
      open: { shard, request, connection in
        if shard.group == nil { shard.group = try shard.context.groups.make() }
        shard.group?.add(connection)
        return ProbePeer(request.query("name") ?? "")
      },
      message: { shard, peer, connection, message in
        peer.messages += 1
        switch message.text {
        case "close": connection.close(code: 4001, reason: "as you wish")
        case "all": shard.group?.send("from \(peer.name)")
        case "count": connection.send("\(shard.group?.count ?? 0)")
        case "async":
          shard.context.spawn {
            let rows = try await shard.context.store.read("SELECT 41 + 1 AS n")
            connection.send("\(try rows[0]["n", Int.self]) on loop \(shard.context.isOnLoop)")
          }
        case "sleep":
          shard.context.spawn {
            do {
              try await shard.context.timers.sleep(milliseconds: 1_000_000)
            } catch {
              shard.context.log.info("woken", ["isCancelled": Task.isCancelled])
            }
          }
        case "fail": shard.context.spawn { throw Failure() }
        case "flood": for _ in 0..<200 { connection.send(String(repeating: "x", count: 10_000)) }
        case "queued": connection.send("\(connection.queued > 0)")
        case let text where text.hasPrefix("say "):
          shard.context.spawn {
            do {
              let reply = try await shard.context.dispatch(
                "other.thing", RawJSON(unchecked: Array(text.dropFirst(4).utf8)), from: connection)
              connection.send(reply.text)
            } catch let problem as Problem {
              connection.send("\(problem.status) \(problem.code)")
            } catch let error as HostError where error.status == .notFound {
              connection.send("nobody takes it")
            }
          }
        case let text where text.hasPrefix("who "):
          shard.context.spawn {
            do {
              let principal = try await shard.context.identify(String(text.dropFirst(4)))
              connection.send(principal.id)
            } catch let error as HostError {
              let words: [Status: String] = [.unavailable: "unavailable", .expired: "expired"]
              connection.send(words[error.status] ?? "\(error)")
            }
          }
        default: connection.send("\(peer.name) \(peer.messages)")
        }
      },
      closed: { shard, peer, _, _ in
        shard.context.log.info("peer closed", ["name": peer.name, "members": shard.group?.count])
      })
  }

  struct Question: Codable {
    var a: Int
    var b: Int
  }

  static func registerOthers(_ on: inout Registry<ProbeShard>) {
    on.service("probe.sum/1", method: 1) { (_, question: Question) throws in
      guard question.a >= 0 else { throw HostError(.denied, "a is negative") }
      return question.a + question.b
    }
    on.service("probe.sum/1", method: 2) { (shard, question: Question) async throws in
      let rows = try await shard.context.store.read("SELECT \(question.a) + \(question.b) AS n")
      return try rows[0]["n", Int.self]
    }
    on.service(
      "probe.sum/1", method: 3,
      bytes: { _, call async throws in Array((call.key ?? "none").utf8) + call.payload })
    on.route("ask") { shard, _ async throws in
      let sum: Int = try await shard.context.services.call(
        "other.sum/1", key: "k", method: 1, Question(a: 2, b: 3))
      return .text("\(sum)")
    }
    on.route("subscribe") { shard, _ in
      let number = shard.subscriptions.insert("first")
      let subscription = try shard.context.bus.subscribe("probe:notes", context: number)
      try shard.context.bus.publish("probe:notes", type: "typing", data: #"{"a": 1}"#)
      shard.context.spawn {
        try await shard.context.timers.sleep(milliseconds: 10)
        shard.context.bus.unsubscribe(subscription)
      }
      return .empty()
    }
    on.publication { shard, number, event in
      shard.heard.append(
        "\(shard.subscriptions[number] ?? "?") \(event.type.text) \(event.offset) \(event.data.text)"
      )
    }
    on.route("heard") { shard, _ in try .json(shard.heard) }
    on.event("other.thing.*") { shard, event async throws in
      let thing: [String: Int] = try event.decode()
      guard let size = thing["size"] else { throw Failure() }
      try await shard.context.store.commit(
        Batch(settling: event) {
          SQL("INSERT INTO probe_notes (name, size) VALUES (\(event.id), \(size))")
        })
    }
    on.event("other.sync") { shard, event in shard.heard.append(event.type) }
    on.route("timers") { shard, _ in
      let repeating = try shard.context.timers.every(milliseconds: 100) {
        shard.heard.append("tick")
      }
      try shard.context.timers.after(milliseconds: 350) {
        shard.heard.append("stop")
        shard.context.timers.cancel(repeating)
      }
      return .empty()
    }
    on.route("ids") { shard, _ in
      try .json([try shard.context.id.make("msg"), try shard.context.id.make("msg")])
    }
    on.route("secrets") { shard, _ async throws in
      let secrets = shard.context.secrets
      try await secrets.put("probe.key", [1, 2, 3])
      do {
        try await secrets.put("probe.key", [4], onlyIfAbsent: true)
      } catch let error as HostError where error.status == .conflict {
        let value = try secrets.get("probe.key")
        try await secrets.remove("probe.key")
        return .text("\(value ?? []) \(try secrets.get("probe.key") == nil)")
      }
      return .empty()
    }
    on.route("metrics") { shard, _ in
      try shard.context.metrics.counter("sent_total", "Messages sent.").add(3)
      try shard.context.metrics.counter("sent_total", "Messages sent.").add(-1)
      let gauge = try shard.context.metrics.gauge("open", "Connections.")
      gauge.add(5)
      gauge.add(-2)
      _ = try shard.context.metrics.counter("Bad-Name", "?")
      return .empty()
    }
    on.route("tenants") { shard, _ async throws in
      let tenants = shard.context.tenants
      try await tenants.create("shop")
      try await tenants.setPlugin("chat", of: "shop", enabled: true, config: #"{"a":1}"#)
      try await tenants.put(
        Credential(id: "key_1", digest: [UInt8](repeating: 7, count: 32), scopes: ["*"]),
        of: "shop")
      try await tenants.revoke(credential: "key_1", of: "shop")
      try await tenants.putSecret("tenant.signing", [9], of: "shop")
      try await tenants.setHosts(["a.example", "b.example"], of: "shop")
      do {
        try await tenants.create("shop")
      } catch let error as HostError where error.status == .conflict {
        return .json(try tenants.plugins(of: "shop")?.bytes ?? [])
      }
      return .empty()
    }
    on.route("worker_error") { shard, _ async throws in
      do {
        try await shard.context.worker.run { throw Failure() }
      } catch is Failure {
        return .text("failed as it should")
      }
      return .empty()
    }
    on.route("push") { shard, request in
      try request.addHeader("x-kind", "push")
      let answer = try request.push(status: 201, contentType: "text/plain")
      answer.onRoom = { _ = answer.send(Array("room ".utf8)) }
      answer.onGone = { shard.heard.append("gone") }
      shard.pushed = answer
      _ = answer.send(Array("begun ".utf8))
      return .streamed
    }
    on.route("push_more") { shard, request in
      let status = shard.pushed?.send(Array("more ".utf8))
      if request.query("end") != nil { shard.pushed?.end() }
      return .text("\(status?.rawValue ?? 1_000) \(shard.heard)")
    }
    on.route("stream") { shard, request async throws in
      let answer = try request.stream(status: 200, contentType: "text/plain")
      while let piece = try await request.readBody() { try await answer.write(piece) }
      try await answer.write(Array("!".utf8))
      try answer.end()
      return .streamed
    }
  }
}
