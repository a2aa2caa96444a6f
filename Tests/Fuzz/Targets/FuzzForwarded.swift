import Glibc
import Wire

/// Where a request comes from as proxies say, one field a line: what the nearest proxy has appended counts, whatever
/// stands before it. The first line is read as an address and as a network too.
func fuzzForwarded(_ input: UnsafeRawBufferPointer) {
  // What is behind them is left away: a line feed in a field would end it, and the head with it.
  let lines = input.split(separator: 0x0a, omittingEmptySubsequences: false).prefix(21)
    .map(Array.init)
  let first = lines.first ?? []
  checkAddress(first)
  checkNetwork(String(decoding: first, as: UTF8.self))
  for (name, node) in [("X-Forwarded-For", "192.0.2.77"), ("Forwarded", "for=192.0.2.77")] {
    let hop = name == "Forwarded" ? "for=\"10.0.0.9:80\"" : "10.0.0.9:80"
    for appended in [node, ", \(node)", ",\(node), \(hop)", "\t, ,\(node),,"] {
      let fields = appended == node ? lines + [[]] : lines.isEmpty ? [[]] : lines
      let last = (fields.last ?? []) + Array(appended.utf8)
      guard let client = client(name, Array(fields.dropLast()) + [last]) else { return }
      promise(client.value == 0xffff_c000_024d, "a client's own words do not hide it")
    }
    guard let client = client(name, lines) else { return }
    let isPeer = client.value == 0xffff_0a00_0001
    promise(isPeer || lines.contains { $0.count > 1 }, "where nothing is said it is the peer")
  }
}

/// What inet_pton takes is an address, and nothing else is.
private func checkAddress(_ text: [UInt8]) {
  let read = text.withUnsafeBytes { IPAddress($0) }
  guard !text.contains(0) else { return promise(read == nil, "no address has a zero byte") }
  var bytes: [UInt8] = Array(repeating: 0, count: 16)
  let terminated = (text + [0]).map { CChar(bitPattern: $0) }
  var known: UInt128?
  if inet_pton(AF_INET6, terminated, &bytes) == 1 {
    known = bytes.reduce(0) { $0 << 8 | UInt128($1) }
  } else if inet_pton(AF_INET, terminated, &bytes) == 1 {
    known = bytes[..<4].reduce(0xffff) { $0 << 8 | UInt128($1) }
  }
  promise(read?.value == known, "an address is what the system takes for one")
}

private func checkNetwork(_ text: String) {
  do throws(IPNetwork.Malformed) {
    let network = try IPNetwork(text)
    promise(network.contains(network.address), "a network has its first address in it")
    let other = IPAddress(value: ~network.address.value)
    promise(!network.contains(other), "and not every address")
  } catch {
    promise(error.description.utf8.count > text.utf8.count, "the reason names what is wrong")
  }
}

/// Whom a request of 10.0.0.1 is from, which is a proxy, with a field for each of these values; nil if it is none.
private func client(_ name: String, _ values: [[UInt8]]) -> IPAddress? {
  guard let network = try? IPNetwork("10.0.0.0/8") else { return nil }
  var text = Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8)
  for value in values { text += Array("\(name): ".utf8) + value + [0x0d, 0x0a] }
  text += [0x0d, 0x0a]
  let fields = UnsafeMutableBufferPointer<HeaderField>.allocate(capacity: 100)
  defer { fields.deallocate() }
  return text.withUnsafeBytes { bytes in
    var progress = HeadProgress()
    var head = RequestHead()
    let result = RequestHeadParser.parse(
      bytes, limits: RequestHeadLimits(), progress: &progress, head: &head, fields: fields)
    guard case .complete = result, let base = bytes.baseAddress, let first = fields.baseAddress
    else { return nil }
    return TrustedProxies([network]).client(
      behind: IPAddress(value: 0xffff_0a00_0001), head, first, in: base)
  }
}
