import Testing
import Wire

@testable import Gateway

@Suite struct `The table of routes` {
  @Test func `a literal segment wins over a parameter`() throws {
    let table = try RouteTable([
      route(.get, "/v1/users/{id}"), route(.get, "/v1/users/me"),
      route(.get, "/v1/{kind}/me/photo"), route(.get, "/v1/users/{id}/posts/{post}"),
    ])
    #expect(table.find(.get, "/v1/users/me") == .init(match: .route(1), parameters: []))
    #expect(table.find(.get, "/v1/users/7") == .init(match: .route(0), parameters: ["7"]))
    #expect(table.find(.get, "/v1/users/mee") == .init(match: .route(0), parameters: ["mee"]))
    // The literal branch ends early, and the parameter's is tried.
    #expect(
      table.find(.get, "/v1/users/me/photo") == .init(match: .route(2), parameters: ["users"]))
    #expect(
      table.find(.get, "/v1/users/me/posts/3") == .init(match: .route(3), parameters: ["me", "3"]))
  }

  @Test func `a method that the literal path lacks may be the pattern's`() throws {
    let table = try RouteTable([
      route(.get, "/users/me"), route(.delete, "/users/{id}"), route(.post, "/{a}/{b}"),
    ])
    #expect(table.find(.delete, "/users/me") == .init(match: .route(1), parameters: ["me"]))
    #expect(table.find(.post, "/users/me") == .init(match: .route(2), parameters: ["users", "me"]))
    #expect(table.find(.put, "/users/me").match == methods(.get, .head, .delete, .post))
    #expect(table.find(.put, "/users/7").match == methods(.delete, .post))
  }

  @Test func `an unknown path is not found, whatever the method`() throws {
    let table = try RouteTable([route(.get, "/a/b"), route(.get, "/c/{x}")])
    for path in ["/", "/a", "/b", "/a/b/c", "/a/bb", "/A/b", "/c", "/c/x/y", "", "a/b", "*"] {
      for method in [HTTPMethod.get, .post, .other] {
        #expect(table.find(method, path).match == .notFound, "\(path)")
      }
    }
  }

  @Test func `an empty table finds nothing`() throws {
    let table = try RouteTable([])
    #expect(table.find(.get, "/").match == .notFound)
    #expect(table.find(.get, "/a").match == .notFound)
  }

  @Test func `GET answers HEAD too, unless a route says otherwise`() throws {
    let table = try RouteTable([
      route(.get, "/a"), route(.get, "/b"), route(.head, "/b"), route(.post, "/c"),
      route(.get, "/d/{x}"),
    ])
    #expect(table.find(.head, "/a").match == .route(0))
    #expect(table.find(.head, "/b").match == .route(2))
    #expect(table.find(.get, "/b").match == .route(1))
    #expect(table.find(.head, "/c").match == methods(.post))
    #expect(table.find(.head, "/d/1") == .init(match: .route(4), parameters: ["1"]))
  }

  @Test func `another method than the known ones is never allowed`() throws {
    let all: [HTTPMethod] = [.get, .head, .post, .put, .patch, .delete, .options]
    let table = try RouteTable(all.map { route($0, "/a") })
    for (index, method) in all.enumerated() {
      #expect(table.find(method, "/a").match == .route(index))
    }
    #expect(
      table.find(.other, "/a").match
        == methods(.get, .head, .post, .put, .patch, .delete, .options))
  }

  @Test func `a trailing slash is a segment of its own`() throws {
    let table = try RouteTable([
      route(.get, "/a"), route(.get, "/b/"), route(.get, "/c/{x}"), route(.get, "/"),
    ])
    #expect(table.find(.get, "/a").match == .route(0))
    #expect(table.find(.get, "/a/").match == .notFound)
    #expect(table.find(.get, "/b/").match == .route(1))
    #expect(table.find(.get, "/b").match == .notFound)
    #expect(table.find(.get, "/b//").match == .notFound)
    #expect(table.find(.get, "/c/1/").match == .notFound)
    #expect(table.find(.get, "/").match == .route(3))
    #expect(table.find(.get, "//").match == .notFound)
  }

  @Test func `a parameter takes no empty segment`() throws {
    let table = try RouteTable([route(.get, "/a/{x}/b"), route(.get, "/{x}"), route(.get, "/p//q")])
    #expect(table.find(.get, "/a//b").match == .notFound)
    #expect(table.find(.get, "/a/").match == .notFound)
    #expect(table.find(.get, "/").match == .notFound)
    #expect(table.find(.get, "//").match == .notFound)
    #expect(table.find(.get, "/p//q").match == .route(2))
    #expect(table.find(.get, "/a/%2F/b") == .init(match: .route(0), parameters: ["%2F"]))
  }

  @Test func `a pattern has up to eight parameters`() throws {
    let pattern = "/" + (1...8).map { "{p\($0)}" }.joined(separator: "/")
    let table = try RouteTable([route(.get, pattern), route(.get, pattern + "/end")])
    let values = (1...8).map { "value-\($0)" }
    let path = "/" + values.joined(separator: "/")
    #expect(table.find(.get, path) == .init(match: .route(0), parameters: values))
    #expect(table.find(.get, path + "/end") == .init(match: .route(1), parameters: values))
    #expect(table.find(.get, path + "/9").match == .notFound)
    #expect(table.find(.get, "/1/2/3/4/5/6/7").match == .notFound)
  }

  @Test func `a route is found under each of its aliases`() throws {
    let table = try RouteTable([
      route(.get, "/v1/things/{id}", "/things/{id}", "/t/{id}"), route(.get, "/v1/things"),
    ])
    for path in ["/v1/things/7", "/things/7", "/t/7"] {
      #expect(table.find(.get, path) == .init(match: .route(0), parameters: ["7"]))
    }
    #expect(table.routes.count == 2)
  }

  @Test func `two routes of one method and path shape are a conflict`() throws {
    func conflict(_ routes: [(patterns: [String], route: Route)]) -> RouteConflict? {
      do throws(RouteConflict) {
        _ = try RouteTable(routes)
        return nil
      } catch {
        return error
      }
    }
    let plain = conflict([route(.get, "/x"), route(.get, "/a"), route(.get, "/b", "/a")])
    #expect(plain?.pattern == "/a" && plain?.method == .get)
    #expect(plain?.first == 1 && plain?.second == 2)
    // What a parameter is called does not tell two paths apart.
    let named = conflict([route(.put, "/a/{x}/b"), route(.put, "/a/{y}/b")])
    #expect(named?.first == 0 && named?.second == 1 && named?.pattern == "/a/{y}/b")
    #expect(conflict([route(.get, "/a"), route(.post, "/a")]) == nil)
    #expect(conflict([route(.get, "/a/{x}"), route(.get, "/a/b")]) == nil)
    #expect(conflict([route(.get, "/a"), route(.get, "/a/")]) == nil)
    #expect(conflict([route(.get, "/a"), route(.head, "/a")]) == nil)
  }

  @Test func `many paths are all found, and none of their neighbours`() throws {
    // Lengths around the words in which a path may be compared and hashed.
    let paths = (0..<500).map { number in
      "/" + String(repeating: "x", count: number % 23) + "/\(number)"
    }
    let table = try RouteTable(paths.map { route(.get, $0) })
    for (index, path) in paths.enumerated() {
      #expect(table.find(.get, path).match == .route(index))
      #expect(table.find(.get, path + "/").match == .notFound)
      #expect(table.find(.get, path + "y").match == .notFound)
      #expect(table.find(.get, "/y" + path).match == .notFound)
    }
  }

  @Test func `what a route asks for is at hand without the route`() throws {
    var checked = route(.post, "/a")
    checked.route.body = .buffered
    checked.route.bodyLimit = 42
    checked.route.requiresBody = true
    checked.route.scopes = ["read"]
    checked.route.auth = [.user, .key]
    checked.route.plugin = 3
    let table = try RouteTable([route(.get, "/b"), checked])
    let facts = table.facts[1]
    #expect(facts.body == .buffered && facts.bodyLimit == 42 && facts.requiresBody)
    #expect(facts.needsScopes && !facts.declaresQuery && facts.auth == [.user, .key])
    #expect(facts.plugin == 3 && facts.function != nil && facts.socket == nil)
    #expect(!table.facts[0].needsScopes)
  }
}
