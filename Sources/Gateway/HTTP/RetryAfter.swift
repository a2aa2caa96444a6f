internal import Wire

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Tells the client of 429 and 503 when to try again (RFC 9110 §10.2.3), where whoever answers has not.
  @inline(never)
  func addRetryAfter() {
    let name: StaticString = "retry-after"
    if let added = pointee.added?.bytes {
      for line in added.split(separator: 0x0A) {
        let line = UnsafeRawBufferPointer(rebasing: line)
        if line.count > name.utf8CodeUnitCount, line[name.utf8CodeUnitCount] == 0x3A,
          equalsIgnoringCase(
            UnsafeRawBufferPointer(rebasing: line[..<name.utf8CodeUnitCount]), name.raw)
        {
          return
        }
      }
    }
    add(name.raw, ("5" as StaticString).raw)
  }
}
