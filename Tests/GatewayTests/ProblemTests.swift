import CSluice
import Foundation
import Testing
import Wire

@testable import Gateway

@Suite struct `Problem documents` {
  struct Document: Decodable {
    struct Part: Decodable {
      var pointer: String
      var message: String
    }
    var type: String
    var title: String
    var status: Int
    var code: String
    var detail: String
    var requestId: String
    var errors: [Part]?
  }

  static func render(
    _ status: Int, _ code: String, _ detail: String, errors: String = ""
  ) throws -> Document {
    let text = written { text in
      withBytes(code) { code in
        withBytes(detail) { detail in
          withBytes("req_1") { id in
            withBytes(errors) { errors in
              ProblemDocument.render(
                status: status, code: code, detail: detail, requestID: id, errors: errors,
                into: &text)
            }
          }
        }
      }
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Document.self, from: Data(text.utf8))
  }

  // RFC 9457 §3.1
  @Test func `have type, title, status, code, detail and the request's id`() throws {
    let document = try Self.render(404, "not_found", "There is no \"such\" thing.\n")
    #expect(document.type == "urn:sluice:problem:not_found")
    #expect(document.title == "Not Found")
    #expect(document.status == 404 && document.code == "not_found")
    #expect(document.detail == "There is no \"such\" thing.\n")
    #expect(document.requestId == "req_1")
    #expect(document.errors == nil)
  }

  @Test func `have a title for every status that a plugin may choose`() throws {
    for status in 200...599 {
      let document = try Self.render(status, "any", "")
      #expect(document.status == status)
      #expect(!document.title.isEmpty)
      #expect(document.title.first?.isLetter == true && document.title.last?.isLetter == true)
    }
    #expect(try Self.render(418, "any", "").title == "Error")
    #expect(try Self.render(503, "any", "").title == "Service Unavailable")
  }

  @Test func `name the parts of a request that are wrong`() throws {
    let problems = [
      FieldProblem(pointer: "/a~1b/0", message: "must be a \"string\""),
      FieldProblem(pointer: "/query/é", message: "tab\there"),
    ]
    let list = String(decoding: ProblemDocument.render(problems), as: UTF8.self)
    let document = try Self.render(400, "invalid_request", "", errors: list)
    #expect(document.errors?.map(\.pointer) == ["/a~1b/0", "/query/é"])
    #expect(document.errors?.map(\.message) == ["must be a \"string\"", "tab\there"])
    #expect(String(decoding: ProblemDocument.render([]), as: UTF8.self) == "[]")
  }

  static let statuses: [(status: Int32, http: Int, code: String)] = [
    (SLUICE_E_INTERNAL, 500, "internal"), (SLUICE_E_INVALID, 400, "invalid_request"),
    (SLUICE_E_STALE, 500, "internal"), (SLUICE_E_UNSUPPORTED, 500, "internal"),
    (SLUICE_E_WRONG_THREAD, 500, "internal"), (SLUICE_E_WRONG_STATE, 500, "internal"),
    (SLUICE_E_DENIED, 403, "forbidden"), (SLUICE_E_NOT_FOUND, 404, "not_found"),
    (SLUICE_E_CONFLICT, 409, "conflict"), (SLUICE_E_UNAUTHENTICATED, 401, "unauthenticated"),
    (SLUICE_E_TOO_LARGE, 413, "payload_too_large"), (SLUICE_E_OVERLOADED, 503, "overloaded"),
    (SLUICE_E_UNAVAILABLE, 503, "plugin_unavailable"),
    (SLUICE_E_STORAGE_FULL, 503, "storage_full"), (SLUICE_E_DEADLINE, 504, "deadline_exceeded"),
    (SLUICE_E_CANCELLED, 503, "plugin_unavailable"), (SLUICE_E_CONFIG, 500, "internal"),
    (SLUICE_E_LIMITED, 429, "rate_limited"), (-999, 500, "internal"), (.min, 500, "internal"),
  ]

  // The numbers in square brackets in status.h.
  @Test(arguments: statuses) func `belong to the statuses of the contract`(
    status: Int32, http: Int, code: String
  ) {
    let (problem, detail) = ProblemCode.forStatus(status)
    #expect(problem.status == http && "\(problem.code)" == code)
    #expect(detail.utf8CodeUnitCount > 0)
  }
}
