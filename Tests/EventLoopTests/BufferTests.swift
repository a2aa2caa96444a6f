import EventLoop
import Testing

@Suite struct `An output buffer` {
  @Test func `grows, is full at its bound, and gives back what was above it`() {
    let buffer = OutputBuffer.make(bound: 32 * 1024)
    defer { buffer.destroy() }
    #expect(buffer.isEmpty)
    buffer.append("HTTP")
    buffer.append(UInt8(ascii: "!"))
    let bytes = [UInt8](repeating: 3, count: 200_000)
    bytes.withUnsafeBytes { buffer.append($0) }
    #expect(buffer.isFull)
    #expect(buffer.count == 200_005)
    #expect(Array(buffer.bytes.prefix(6)) == Array("HTTP!".utf8) + [3])
    buffer.bytes[0] = UInt8(ascii: "h")
    buffer.truncate(to: 4)
    #expect(String(decoding: buffer.bytes, as: UTF8.self) == "hTTP")
    buffer.removeAll()
    #expect(buffer.isEmpty)
    let place = buffer.reserve(3)
    place.copyMemory(from: bytes, byteCount: 3)
    buffer.advance(by: 2)
    #expect(Array(buffer.bytes) == [3, 3])
  }
}

@Suite struct `A shared chunk` {
  @Test func `holds its bytes until the last owner is gone`() {
    let chunk = SharedChunk.make(capacity: 10)
    #expect(UInt(bitPattern: chunk.bytes.baseAddress) % 16 == 0)
    #expect(chunk.room == 10)
    let text = Array("hello".utf8)
    text.withUnsafeBytes { chunk.append($0) }
    chunk.append(UnsafeRawBufferPointer(start: nil, count: 0))
    #expect(chunk.room == 5)
    chunk.retain()
    chunk.release()
    #expect(Array(chunk.bytes) == text)
    chunk.release()
  }
}

@Suite struct `Errors` {
  @Test func `name the call, the reason and the symbol`() {
    #expect(
      SystemError("bind", code: 98).description == "bind: address already in use (EADDRINUSE)")
    #expect(SystemError("bind", code: -98) == SystemError("bind", code: 98))
    #expect(SystemError.text(-104) == "connection reset by peer (ECONNRESET)")
  }

  @Test(arguments: [
    (ListenError.addressInUse(address: "a:1"), "another program"),
    (.permissionDenied(address: "a:1"), "above 1023"),
    (.addressNotAvailable(address: "a:1"), "does not have"),
    (.badAddress(text: "a:1", reason: "why"), "why"),
    (.failed(address: "a:1", cause: SystemError("listen", code: 12)), "listen: not enough memory"),
  ])
  func `of listening name the address and what to do`(error: ListenError, part: String) {
    #expect(error.description.contains("a:1"))
    #expect(error.description.contains(part))
  }
}
