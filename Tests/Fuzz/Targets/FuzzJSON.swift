import Wire

/// JSON: what is accepted is accepted again as it was, and every value in it can be read.
func fuzzJSON(_ input: UnsafeRawBufferPointer) {
  let bytes = Array(input)
  bytes.withUnsafeBytes { bytes in
    guard let document = try? JSONDocument(bytes, limits: JSONLimits(depth: 64, nodes: 2_000))
    else {
      return
    }
    var writer = JSONWriter(ByteWriter(growingFrom: 256))
    defer { writer.output.deallocate() }
    copy(document.root, to: &writer)
    guard let again = try? JSONDocument(writer.output.bytes) else {
      return promise(false, "what is written can be read")
    }
    var second = JSONWriter(ByteWriter(growingFrom: 256))
    defer { second.output.deallocate() }
    copy(again.root, to: &second)
    promise(
      second.output.bytes.elementsEqual(writer.output.bytes), "and what is read is what was written"
    )
  }
}

private func copy(_ value: JSONValue, to writer: inout JSONWriter) {
  switch value.kind {
  case .object:
    writer.beginObject()
    for member in value.members {
      writer.key(text: member.name)
      copy(member.value, to: &writer)
    }
    writer.endObject()
  case .array:
    writer.beginArray()
    for element in value.elements { copy(element, to: &writer) }
    writer.endArray()
  case .string: writer.string(value.string ?? "")
  case .number, .bool, .null:
    _ = value.int64
    _ = value.double
    writer.raw(value)
  }
}

/// JSON Schemas and what they are asked to check: `{"schema":…,"value":…}`.
func fuzzSchema(_ input: UnsafeRawBufferPointer) {
  let bytes = Array(input)
  bytes.withUnsafeBytes { bytes in
    guard let document = try? JSONDocument(bytes, limits: JSONLimits(depth: 32, nodes: 2_000)),
      let source = document.root["schema"], let schema = try? JSONSchema(source)
    else { return }
    let value = document.root["value"] ?? document.root
    let violations = schema.validate(value)
    promise(violations.isEmpty == schema.accepts(value), "a value is refused with a reason")
    promise(violations.count <= JSONSchema.maximumViolations, "reasons are bounded")
  }
}

/// Patterns: the first line is the pattern, the rest is the text.
func fuzzPattern(_ input: UnsafeRawBufferPointer) {
  guard input.count <= 2_000 else { return }
  let parts = input.split(separator: 0x0a, maxSplits: 1, omittingEmptySubsequences: false)
  guard let source = parts.first,
    let pattern = try? LinearPattern(String(decoding: source, as: UTF8.self))
  else { return }
  _ = pattern.matches(parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : "")
}
