internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Tells the client of 429 and 503 when to try again (RFC 9110 §10.2.3), where whoever answers has not.
  @inline(never)
  func addRetryAfter() {
    if !hasRetryAfter { add(("retry-after" as StaticString).raw, ("5" as StaticString).raw) }
  }

  /// Whether whoever answered has said so already.
  var hasRetryAfter: Bool {
    let name: StaticString = "retry-after"
    guard let added = pointee.added?.bytes else { return false }
    return added.split(separator: 0x0A).contains { line in
      let line = UnsafeRawBufferPointer(rebasing: line)
      guard line.count > name.utf8CodeUnitCount, line[name.utf8CodeUnitCount] == 0x3A else {
        return false
      }
      return equalsIgnoringCase(
        UnsafeRawBufferPointer(rebasing: line[..<name.utf8CodeUnitCount]), name.raw)
    }
  }
}
