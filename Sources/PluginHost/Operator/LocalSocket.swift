internal import Glibc

/// A socket of the Unix domain in a folder: where it is, and how lines go over it. [blocking]
enum LocalSocket {
  static let name = "operator.sock"
  /// The longest line, in bytes.
  static let lineLimit = 1 << 20

  /// Calls `bind` or `connect` with the socket's address in a folder. The address goes through the folder's descriptor,
  /// because an address holds 107 bytes and a path may be longer.
  static func withAddress(
    in folder: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return -1 }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = "/proc/self/fd/\(descriptor)/\(name)"
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// Reads to the end of a line; nil when it does not come.
  static func readLine(from descriptor: Int32) -> [UInt8]? {
    var line: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while line.count <= lineLimit {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return nil }
      if let end = chunk[..<count].firstIndex(of: 0x0a) { return line + chunk[..<end] }
      line += chunk[..<count]
    }
    return nil
  }

  /// Writes a line whole; false when the other side does not take it.
  static func write(line: String, to descriptor: Int32) -> Bool {
    var bytes = Array("\(line)\n".utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes {
        send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      bytes = bytes.dropFirst(count)
    }
    return true
  }
}
