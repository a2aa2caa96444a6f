internal import CSluice
internal import Gateway

extension HTTPBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_http_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_http_v1_t>.size), reserved: 0,
      method: { host, request in
        CallCheck.onLoop(host, "sluice.http/1 method") == nil
          ? plain.method(host, request) : .absent
      },
      path: { host, request in
        CallCheck.onLoop(host, "sluice.http/1 path") == nil ? plain.path(host, request) : .absent
      },
      path_parameter: { host, request, index in
        CallCheck.onLoop(host, "sluice.http/1 path_parameter") == nil
          ? plain.path_parameter(host, request, index) : .absent
      },
      query: { host, request, name in
        CallCheck.onLoop(host, "sluice.http/1 query") == nil
          ? plain.query(host, request, name) : .absent
      },
      header: { host, request, name in
        CallCheck.onLoop(host, "sluice.http/1 header") == nil
          ? plain.header(host, request, name) : .absent
      },
      body: { host, request in
        CallCheck.onLoop(host, "sluice.http/1 body") == nil ? plain.body(host, request) : .absent
      },
      request_id: { host, request in
        CallCheck.onLoop(host, "sluice.http/1 request_id") == nil
          ? plain.request_id(host, request) : .absent
      },
      peer: { host, request in
        CallCheck.onLoop(host, "sluice.http/1 peer") == nil ? plain.peer(host, request) : .absent
      },
      principal: { host, request, target in
        guard let refusal = CallCheck.onLoop(host, "sluice.http/1 principal") else {
          return plain.principal(host, request, target)
        }
        target.pointee = Principal.anonymous.contract
        return refusal
      },
      set_header: { host, request, name, value in
        CallCheck.onLoop(host, "sluice.http/1 set_header")
          ?? plain.set_header(host, request, name, value)
      },
      respond: { host, request, code, contentType, body in
        CallCheck.anyThread(host, "sluice.http/1 respond")
          ?? plain.respond(host, request, code, contentType, body)
      },
      problem: { host, request, code, name, detail, errors in
        CallCheck.anyThread(host, "sluice.http/1 problem")
          ?? plain.problem(host, request, code, name, detail, errors)
      },
      begin: { host, request, code, contentType, length in
        CallCheck.onLoop(host, "sluice.http/1 begin")
          ?? plain.begin(host, request, code, contentType, length)
      },
      write: { host, request, piece, completion, context in
        CallCheck.onLoop(host, "sluice.http/1 write")
          ?? plain.write(host, request, piece, completion, context)
      },
      end: { host, request in
        CallCheck.onLoop(host, "sluice.http/1 end") ?? plain.end(host, request)
      },
      read: { host, request, completion, context in
        CallCheck.onLoop(host, "sluice.http/1 read")
          ?? plain.read(host, request, completion, context)
      },
      keep: { host, request in
        CallCheck.onLoop(host, "sluice.http/1 keep") ?? plain.keep(host, request)
      },
      ending: { host in
        CallCheck.onLoop(host, "sluice.http/1 ending") == nil
          ? plain.ending(host) : SLUICE_ENDING_NOT
      }))
}

extension ClientCertificateBridge {
  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_client_certificate_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_client_certificate_v1_t>.size), reserved: 0,
      subject: { host, request in
        CallCheck.onLoop(host, "sluice.client-certificate/1 subject") == nil
          ? plain.subject(host, request) : .absent
      }))
}
