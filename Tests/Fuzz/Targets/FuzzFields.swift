import Wire

/// Field sections of HTTP/2: what is taken would be taken as a head of HTTP/1.1 too, and means the same. First a byte
/// of options, then fields: the length of the name, the name, that of the value in two bytes, the value.
func fuzzFields(_ input: UnsafeRawBufferPointer) {
  var reader = InputReader(input)
  let options = reader.byte()
  let isTrailers = options & 1 != 0
  let endsStream = options & 2 != 0
  let limits =
    options & 4 != 0
    ? RequestHeadLimits(headBytes: 500, targetBytes: 50, fields: 5) : RequestHeadLimits()
  var section = FieldSectionReader(limits: limits)
  section.begin(isTrailers ? .trailers : .request)
  defer { section.release() }
  var bytes = 0
  while !reader.isAtEnd {
    let name = reader.record()
    let value = reader.record(wide: true)
    bytes += name.count + value.count + 32
    name.withUnsafeBytes { name in value.withUnsafeBytes { section.add(name, $0) } }
  }
  promise(section.listBytes == bytes, "every line counts")
  let error = section.finish(endsStream: endsStream)
  promise(error == section.error, "the error stays")
  promise(section.byteCount <= 4 * limits.headBytes + 1_024, "what is refused is not held")
  guard error == nil, !isTrailers else {
    return promise(section.head.fieldCount == 0, "what is refused says nothing")
  }
  promise(bytes <= limits.headBytes, "what is taken is within the limits")
  promise(section.head.target.count <= limits.targetBytes, "so is its target")
  checkSection(section)
  checkMeaning(section, endsStream: endsStream)
}

/// Promises of every field section that was taken.
func checkSection(_ section: FieldSectionReader) {
  let head = section.head
  let fields = section.fieldMemory
  var spans = [head.methodSpan, head.target, head.path, head.query, head.authority]
  for index in 0..<head.fieldCount { spans += [fields[index].name, fields[index].value] }
  promise(spans.allSatisfy { $0.end <= section.byteCount }, "every span lies in the section")
  promise(!head.path.isEmpty, "there is a path")
  promise(!(head.isChunked && head.contentLength >= 0), "a body has one length")
  var hosts = 0
  var cookies = 0
  for index in 0..<head.fieldCount {
    let value = fields[index].value.bytes(in: section.base)
    promise(
      value.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 },
      "a value has no control character")
    hosts += fields[index].id == .host ? 1 : 0
    cookies += fields[index].id == .cookie ? 1 : 0
    if fields[index].id != .other {
      promise(head.first(fields[index].id).map { $0 <= index } ?? false, "a known field is found")
    }
  }
  promise(hosts == 1, "there is one Host")
  promise(cookies <= 1, "crumbs are one cookie")
}

/// Writes the section as HTTP/1.1 has it and reads that.
private func checkMeaning(_ section: FieldSectionReader, endsStream: Bool) {
  let head = section.head
  // A WebSocket is opened in another way.
  guard !head.wantsUpgradeWebSocket else { return }
  func text(_ span: ByteSpan) -> [UInt8] { Array(span.bytes(in: section.base)) }
  var lines = text(head.methodSpan) + [0x20] + text(head.target) + Array(" HTTP/1.1\r\n".utf8)
  for index in 0..<head.fieldCount {
    let field = section.fieldMemory[index]
    lines += text(field.name) + [0x3a, 0x20] + text(field.value) + [0x0d, 0x0a]
  }
  if head.isChunked { lines += Array("Transfer-Encoding: chunked\r\n".utf8) }
  lines += [0x0d, 0x0a]
  let fields = UnsafeMutableBufferPointer<HeaderField>.allocate(capacity: 255)
  defer { fields.deallocate() }
  lines.withUnsafeBytes { bytes in
    var progress = HeadProgress()
    var read = RequestHead()
    let limits = RequestHeadLimits(headBytes: 65_535, targetBytes: 65_535, fields: 255)
    let result = RequestHeadParser.parse(
      bytes, limits: limits, progress: &progress, head: &read, fields: fields)
    guard case .complete(let consumed) = result, let base = bytes.baseAddress else {
      return promise(
        false, "HTTP/1.1 takes it too: \(String(decoding: lines, as: UTF8.self)) \(result)")
    }
    promise(consumed == bytes.count, "all of it")
    promise(read.method == head.method, "the method is the same")
    promise(read.contentLength == head.contentLength, "and the length")
    promise(read.isPathPlain == head.isPathPlain, "and what the path needs")
    for (one, other) in [(read.path, head.path), (read.query, head.query)] {
      promise(one.bytes(in: base).elementsEqual(other.bytes(in: section.base)), "and the path")
    }
    promise(
      read.authority.bytes(in: base).elementsEqual(head.authority.bytes(in: section.base))
        || text(head.authority).count == read.authority.count, "and who is asked")
  }
}
