import EventLoop
import Glibc
import Testing

/// A blocking TCP client that gives up after ten seconds of silence.
final class Client {
  private(set) var descriptor: Int32

  init(port: UInt16, receiveBuffer: Int32? = nil, connects: Bool = true) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    if let receiveBuffer { set(SO_RCVBUF, receiveBuffer) }
    var timeout = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    if connects { try connect(to: port) }
  }

  func connect(to port: UInt16) throws {
    var address = sockaddr_in()
    address.sin_family = UInt16(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let status = withUnsafeBytes(of: &address) {
      Glibc.connect(
        descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    guard status == 0 else { throw SystemError("connect", code: errno) }
  }

  deinit { close() }

  private func set(_ option: Int32, _ value: Int32) {
    var value = value
    setsockopt(descriptor, SOL_SOCKET, option, &value, 4)
  }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
      }
      try #require(count > 0, "send: \(String(cString: strerror(errno)))")
      sent += count
    }
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  /// What came until `count` bytes or the end.
  func receive(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = bytes[filled...].withUnsafeMutableBytes {
        recv(descriptor, $0.baseAddress!, $0.count, 0)
      }
      try #require(got >= 0, "recv: \(String(cString: strerror(errno)))")
      if got == 0 { break }
      filled += got
    }
    return Array(bytes[..<filled])
  }

  func receiveText(_ count: Int) throws -> String {
    String(decoding: try receive(count), as: UTF8.self)
  }

  /// The error of one read; 0 for bytes or the end.
  func readError() -> Int32 {
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, 0) < 0 ? errno : 0
  }

  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }
}

func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }
