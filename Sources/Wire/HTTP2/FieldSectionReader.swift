/// Reads the field section of an HTTP/2 request, line by line as HPACK's decoder hands it out, into the same
/// `RequestHead` that an HTTP/1 request becomes (RFC 9113 §8).
///
/// As strict as `RequestHeadParser`: the same syntax of names, values, hosts and paths, the same fields that may stand
/// once. The first error is kept, what follows is only measured, so that what is refused is never held in memory. It
/// owns memory between `begin` and `release`; one thread at a time.
public struct FieldSectionReader {
  /// What a field section belongs to.
  public enum Kind: Sendable {
    case request
    case trailers
  }

  /// What the section says, once `finish` has returned; spans into `base`.
  public internal(set) var head = RequestHead()
  /// The first error.
  public internal(set) var error: FieldSectionError?
  /// Bytes of all lines as RFC 9113 §6.5.2 counts them: name, value and 32 for each.
  public private(set) var listBytes = 0

  let limits: RequestHeadLimits
  var text: ByteWriter?
  var fields: UnsafeMutableBufferPointer<HeaderField>?
  var fieldCount = 0
  var kind = Kind.request
  var pseudo = PseudoHeaders()
  var hasField = false
  var cookies = 0

  /// Before the first field of a section.
  public init(limits: RequestHeadLimits) { self.limits = limits }

  /// The first byte of what the head's spans point into.
  public var base: UnsafeRawPointer { UnsafeRawPointer(text.unsafelyUnwrapped.base) }

  /// Bytes that the spans point into.
  public var byteCount: Int { text?.count ?? 0 }

  /// The header fields, as many as `head.fieldCount` says.
  public var fieldMemory: UnsafeMutablePointer<HeaderField> {
    fields.unsafelyUnwrapped.baseAddress.unsafelyUnwrapped
  }

  /// Starts a section.
  public mutating func begin(_ kind: Kind) {
    release()
    self = FieldSectionReader(limits: limits)
    self.kind = kind
    text = ByteWriter(growingFrom: 1_024)
    fields = .allocate(capacity: 24)
  }

  /// Frees the memory; the head's spans mean nothing any more.
  public mutating func release() {
    text?.deallocate()
    text = nil
    fields?.deallocate()
    fields = nil
  }

  /// Takes the next line.
  public mutating func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
    listBytes += name.count + value.count + 32
    guard error == nil, let start = name.baseAddress, name.count > 0 else {
      if error == nil { error = .http(.emptyFieldName) }
      return
    }
    if start.byte(0) == 0x3a { addPseudoHeader(name, value) } else { addField(name, value) }
    if error == nil, listBytes > limits.headBytes { error = .http(.headTooLarge) }
  }

  private mutating func addPseudoHeader(
    _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
  ) {
    guard kind == .request else { return fail(.pseudoHeaderInTrailers) }
    guard !hasField else { return fail(.pseudoHeaderAfterField) }
    guard let known = PseudoHeaders.Name(name) else { return fail(.unknownPseudoHeader) }
    guard pseudo[known] == nil else { return fail(.duplicatePseudoHeader) }
    if known == .path, value.count > limits.targetBytes { return fail(.http(.targetTooLong)) }
    guard listBytes <= limits.headBytes else { return fail(.http(.headTooLarge)) }
    guard FieldSyntax.isValue(value) else { return fail(.http(.invalidFieldValue)) }
    pseudo[known] = append(value)
  }

  private mutating func addField(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
    hasField = true
    for byte in name {
      if byte >= 0x41, byte <= 0x5a { return fail(.upperCaseName) }
      guard CharacterClass.contains(byte, CharacterClass.token) else {
        return fail(.http(.invalidFieldName))
      }
    }
    guard FieldSyntax.isValue(value) else { return fail(.http(.invalidFieldValue)) }
    let id = HeaderID.identify(name.baseAddress.unsafelyUnwrapped, name.count)
    if let error = connectionError(id, name, value) { return fail(error) }
    guard kind == .request else {
      if TrailerName(name).isForbidden { fail(.http(.forbiddenTrailer)) }
      return
    }
    guard fieldCount < limits.fields else { return fail(.http(.tooManyFields)) }
    guard listBytes <= limits.headBytes else { return fail(.http(.headTooLarge)) }
    let nameSpan = append(name)
    insert(nameSpan, id, append(value))
    if id == .cookie { cookies += 1 }
  }

  /// RFC 9113 §8.2.2: what is between two neighbours in HTTP/1 has no place here.
  private func connectionError(
    _ id: HeaderID, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
  ) -> FieldSectionError? {
    let start = name.baseAddress.unsafelyUnwrapped
    switch id {
    case .connection, .transferEncoding, .upgrade: return .connectionSpecificField
    case .other: break
    default: return nil
    }
    switch name.count {
    case 2 where matchesFolded(start, "te", 2):
      guard value.count == 8, let base = value.baseAddress, matchesFolded(base, "trailers", 8)
      else { return .invalidTE }
    case 10 where matchesFolded(start, "keep-alive", 10): return .connectionSpecificField
    case 16 where matchesFolded(start, "proxy-connection", 16): return .connectionSpecificField
    default: break
    }
    return nil
  }

  /// Adds a field whose bytes are in the text already.
  mutating func insert(_ name: ByteSpan, _ id: HeaderID, _ value: ByteSpan) {
    if fieldCount == fields.unsafelyUnwrapped.count { growFields() }
    (fieldMemory + fieldCount).initialize(
      to: HeaderField(nameOffset: name.start, nameLength: name.count, id: id, value: value))
    if id != .other,
      let error = RequestHeadParser.note(id, at: fieldCount, base, byteCount, value, &head)
    {
      fail(.http(error))
    }
    fieldCount += 1
  }

  private mutating func growFields() {
    let old = fields.unsafelyUnwrapped
    let fresh = UnsafeMutableBufferPointer<HeaderField>.allocate(capacity: 2 * old.count)
    fresh.baseAddress.unsafelyUnwrapped.moveInitialize(
      from: old.baseAddress.unsafelyUnwrapped, count: fieldCount)
    old.deallocate()
    fields = fresh
  }

  /// Copies bytes in, with a space behind them, which ends every scan over them.
  mutating func append(_ bytes: UnsafeRawBufferPointer) -> ByteSpan {
    let start = byteCount
    text?.append(bytes)
    text?.append(" ")
    return ByteSpan(from: start, to: start + bytes.count)
  }

  mutating func fail(_ error: FieldSectionError) {
    if self.error == nil { self.error = error }
  }
}
