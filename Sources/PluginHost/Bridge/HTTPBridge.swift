internal import CSluice
internal import Gateway

/// `sluice.http/1` (ext/http.h).
enum HTTPBridge {
  static let table = PermanentTable(
    sluice_http_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_http_v1_t>.size), reserved: 0,
      method: { host, request in
        slice(of: host) { $0.method(request, of: $1) }
      },
      path: { host, request in
        slice(of: host) { $0.path(request, of: $1) }
      },
      path_parameter: { host, request, index in
        slice(of: host) { $0.parameter(request, Int(index), of: $1) }
      },
      query: { host, request, name in
        slice(of: host) { $0.query(request, name.raw, of: $1) }
      },
      header: { host, request, name in
        slice(of: host) { $0.field(request, name.raw, of: $1) }
      },
      body: { host, request in
        slice(of: host) { $0.body(request, of: $1) }
      },
      request_id: { host, request in
        slice(of: host) { $0.requestID(request, of: $1) }
      },
      peer: { host, request in
        slice(of: host) { $0.peer(request, of: $1) }
      },
      principal: { host, request, target in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else {
          target.pointee = Principal.anonymous.contract
          return SLUICE_E_WRONG_THREAD
        }
        let found = shard.generation.flatMap { shard.loop.gateway.principal(request, of: $0) }
        target.pointee = found ?? Principal.anonymous.contract
        return found == nil ? SLUICE_E_STALE : SLUICE_OK
      },
      set_header: { host, request, name, value in
        status(of: host) { $0.setHeader(request, name.raw, value.raw, of: $1) }
      },
      respond: { host, request, code, contentType, body in
        // The path of every answer: no reference is counted.
        unretained(host)._withUnsafeGuaranteedRef { shard in
          guard shard.eventLoop.isCurrent else {
            return later(shard, [contentType, body]) { loop, generation, copies in
              _ = loop.respond(request, code, copies[0], copies[1], of: generation)
            }
          }
          guard let generation = shard.borrowedGeneration else { return SLUICE_E_STALE }
          return generation._withUnsafeGuaranteedRef {
            shard.gateway.respond(request, code, contentType.raw, body.raw, of: $0)
          }
        }
      },
      problem: { host, request, code, name, detail, errors in
        let shard = shard(host)
        guard shard.eventLoop.isCurrent else {
          return later(shard, [name, detail, errors]) { loop, generation, copies in
            _ = loop.problem(
              request, code, code: copies[0], detail: copies[1], errors: copies[2], of: generation)
          }
        }
        guard let generation = shard.generation else { return SLUICE_E_STALE }
        return shard.loop.gateway.problem(
          request, code, code: name.raw, detail: detail.raw, errors: errors.raw, of: generation)
      },
      begin: { host, request, code, contentType, length in
        status(of: host) { $0.begin(request, code, contentType.raw, length: length, of: $1) }
      },
      write: { host, request, piece, completion, context in
        status(of: host) {
          $0.write(request, piece.raw, resume: Completion(completion, context), of: $1)
        }
      },
      end: { host, request in
        status(of: host) { $0.end(request, of: $1) }
      },
      read: { host, request, completion, context in
        status(of: host) { $0.read(request, Completion(completion, context), of: $1) }
      },
      keep: { host, request in
        status(of: host) { $0.keep(request, of: $1) }
      },
      ending: { shard($0).ending.rawValue }))
}

/// Asks the shard's loop for bytes; absent when there are none, or off the loop's thread.
@inline(__always)
func slice(
  of host: UnsafePointer<sluice_host_v1_t>,
  _ body: (GatewayLoop, Generation) -> UnsafeRawBufferPointer?
) -> sluice_slice_t {
  let shard = shard(host)
  guard shard.eventLoop.isCurrent, let generation = shard.generation,
    let bytes = body(shard.loop.gateway, generation)
  else {
    return .absent
  }
  return bytes.baseAddress == nil ? .empty : sluice_slice_t(bytes)
}

/// Has the shard's loop do something.
@inline(__always)
func status(of host: UnsafePointer<sluice_host_v1_t>, _ body: (GatewayLoop, Generation) -> Int32)
  -> Int32
{
  let shard = shard(host)
  guard shard.eventLoop.isCurrent else {
    return SLUICE_E_WRONG_THREAD
  }
  guard let generation = shard.generation else { return SLUICE_E_WRONG_STATE }
  return body(shard.loop.gateway, generation)
}

/// Carries copies of slices to the shard's loop. Absent slices stay absent.
func later(
  _ shard: Shard, _ slices: [sluice_slice_t],
  _ body: @escaping @Sendable (GatewayLoop, Generation, [UnsafeRawBufferPointer]) -> Void
) -> Int32 {
  let copies = slices.map { Array($0.raw) }
  let isTaken = shard.eventLoop.post {
    guard let generation = shard.generation else { return }
    let memory = copies.map { copy in
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: copy.count, alignment: 16)
      buffer.copyBytes(from: copy)
      return buffer
    }
    body(shard.loop.gateway, generation, memory.map { UnsafeRawBufferPointer($0) })
    for buffer in memory { buffer.deallocate() }
  }
  return isTaken ? SLUICE_OK : SLUICE_E_CANCELLED
}

private let emptyByte = PermanentTable<UInt8>(0)

extension sluice_slice_t {
  /// A value that is present and has no bytes.
  static var empty: sluice_slice_t {
    sluice_slice_t(UnsafeRawBufferPointer(start: emptyByte.address, count: 0))
  }
}
