internal import EventLoop
internal import Wire

/// A peer's address, written as text when it is wanted.
struct PeerText {
  let address: PeerAddress

  func append(to text: inout ByteWriter) {
    if address.isIPv4 {
      // inet_ntop formats through printf; every line of the access log has an address.
      let octets = address.low >> 32
      for shift in stride(from: 0, through: 24, by: 8) {
        if shift > 0 { text.append(UInt8(ascii: ".")) }
        text.append(decimal: Int(octets >> UInt64(shift) & 0xff))
      }
      return
    }
    guard text.reserve(PeerAddress.longestText) else { return }
    let target = (text.base + text.count).assumingMemoryBound(to: UInt8.self)
    text.count += address.writeText(to: target)
  }
}

extension PeerAddress {
  /// Whether the peer is this machine: 127.0.0.0/8 or ::1.
  var isLoopback: Bool {
    isIPv4 ? low >> 32 & 0xff == 127 : high == 0 && low == UInt64(1).bigEndian
  }
}
