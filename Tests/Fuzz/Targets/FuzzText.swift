import Wire

/// Paths, queries and percent-encoding.
func fuzzURL(_ input: UnsafeRawBufferPointer) {
  let bytes = Array(input)
  bytes.withUnsafeBytes { bytes in
    guard let base = bytes.baseAddress else { return }
    for plusIsSpace in [true, false] {
      var decoded = ByteWriter(growingFrom: max(bytes.count, 1))
      defer { decoded.deallocate() }
      guard PercentDecoding.decode(bytes, plusIsSpace: plusIsSpace, into: &decoded) == nil else {
        continue
      }
      promise(UTF8Validator.isValid(decoded.bytes), "what is decoded is UTF-8")
      var encoded = ByteWriter(growingFrom: 3 * bytes.count + 1)
      var again = ByteWriter(growingFrom: 3 * bytes.count + 1)
      defer {
        encoded.deallocate()
        again.deallocate()
      }
      PercentDecoding.encode(decoded.bytes, into: &encoded)
      promise(
        PercentDecoding.decode(encoded.bytes, plusIsSpace: false, into: &again) == nil
          && again.bytes.elementsEqual(decoded.bytes), "encoding is undone by decoding")
    }
    let all = ByteSpan(from: 0, to: bytes.count)
    if bytes.first == 0x2f, PathSegments.check(all, in: base) == nil {
      var segments = PathSegments(all, in: base)
      while let segment = segments.next(in: base) {
        promise(segment.end <= bytes.count, "a segment lies in the path")
      }
    }
    var items = QueryItems(all)
    while let item = items.next(in: base) {
      promise(item.name.end <= bytes.count && item.value.end <= bytes.count, "so does an item")
    }
    _ = HostSyntax.isAuthority(bytes)
  }
}

/// UTF-8, Base64, hexadecimal, identifiers and formats.
func fuzzText(_ input: UnsafeRawBufferPointer) {
  let bytes = Array(input)
  let isValid = bytes.withUnsafeBytes(UTF8Validator.isValid)
  promise(
    isValid == (String(validating: bytes, as: UTF8.self) != nil),
    "UTF-8 is what the standard library takes for it")
  var validator = UTF8Validator()
  var pieces = Pieces(input)
  var offset = 0
  while offset < bytes.count {
    let end = min(offset + pieces.next(bytes.count - offset), bytes.count)
    _ = bytes[offset..<end].withUnsafeBytes { validator.consume($0) }
    offset = end
  }
  promise(isValid == (validator.isComplete && !validator.hasFailed), "also in pieces")
  bytes.withUnsafeBytes { bytes in
    for kind in [Base64.standard, .url] {
      var text = ByteWriter(growingFrom: 2 * bytes.count + 4)
      var back = ByteWriter(growingFrom: 2 * bytes.count + 4)
      defer {
        text.deallocate()
        back.deallocate()
      }
      kind.encode(bytes, into: &text)
      promise(
        kind.decode(text.bytes, into: &back) && back.bytes.elementsEqual(bytes),
        "Base64 is undone by decoding")
      back.reset()
      _ = kind.decode(bytes, into: &back)
    }
    if let id = Identifier(bytes) {
      promise(id.text().utf8.elementsEqual(bytes), "an identifier has one text")
    }
    for format in Format.allCases { _ = format.matches(bytes) }
  }
}
