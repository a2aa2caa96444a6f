import CUV
import Glibc
import Testing

@testable import EventLoop

@Suite struct `What a stream has yet to write` {
  /// The bytes that the next request would write, and how many places they lie in.
  func gathered(_ outbound: inout Outbound) -> (bytes: [UInt8], places: Int) {
    var buffers = [uv_buf_t](repeating: uv_buf_t(), count: Outbound.gatherLimit)
    let count = outbound.gather(into: &buffers)
    let bytes = buffers[..<count].flatMap {
      Array(UnsafeRawBufferPointer(start: $0.base, count: $0.len))
    }
    return (bytes, count)
  }

  func empty() -> Outbound {
    // The queue never follows the stream's pointer.
    Outbound(stream: TCPStream(storage: UnsafeMutableRawPointer(bitPattern: 16)!))
  }

  @Test func `costs many small writes little more than their bytes`() {
    var outbound = empty()
    var expected: [UInt8] = []
    for number in 0..<100_000 {
      let message = (0..<10).map { UInt8(truncatingIfNeeded: number &+ $0) }
      message.withUnsafeBytes { outbound.append(copying: $0) }
      expected += message
    }
    #expect(outbound.waitingBytes == 1_000_000)
    let (bytes, places) = gathered(&outbound)
    #expect(bytes == expected)
    #expect(places < 25)
    #expect(outbound.waitingBytes == 0)
    outbound.releaseInFlight()
    #expect(outbound.isEmpty)
  }

  @Test func `is not changed under a request that is in flight`() {
    var outbound = empty()
    let (first, second): ([UInt8], [UInt8]) = ([1, 2, 3], [4, 5])
    first.withUnsafeBytes { outbound.append(copying: $0) }
    #expect(gathered(&outbound).bytes == first)
    second.withUnsafeBytes { outbound.append(copying: $0) }
    #expect(outbound.waitingBytes == 2)
    outbound.releaseInFlight()
    let next = gathered(&outbound)
    #expect(next.bytes == second)
    #expect(next.places == 1)
    outbound.releaseAll()
    #expect(outbound.isEmpty)
  }

  @Test func `never adds to a chunk that others share`() {
    var outbound = empty()
    let chunk = SharedChunk.make(capacity: 100)
    let bytes: [UInt8] = [1, 2, 3]
    bytes.withUnsafeBytes { chunk.append($0) }
    outbound.append(chunk, from: 1)
    bytes.withUnsafeBytes { outbound.append(copying: $0) }
    #expect(chunk.count == 3)
    let (all, places) = gathered(&outbound)
    #expect(all == [2, 3, 1, 2, 3])
    #expect(places == 2)
    outbound.releaseAll()
    chunk.release()
  }

  @Test func `is given to libuv so many places at a time`() {
    var outbound = empty()
    let chunk = [UInt8](0...9).withUnsafeBytes { SharedChunk.make(copying: $0) }
    for _ in 0..<40 { outbound.append(chunk, from: 0) }
    #expect(gathered(&outbound).places == Outbound.gatherLimit)
    #expect(outbound.waitingBytes == 80)
    outbound.releaseInFlight()
    #expect(gathered(&outbound).places == 8)
    outbound.releaseInFlight()
    #expect(gathered(&outbound).places == 0)
    chunk.release()
  }
}
