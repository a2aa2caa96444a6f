/// The extensions that a client offers, in its order of preference, over all fields of that name
/// (RFC 6455 §9.1, §11.3.2).
///
/// Blanks may stand around separators, and a list may have empty members (RFC 9110 §5.6.1), but not only those.
public struct ExtensionOffers {
  /// What was found next.
  public enum Element: Equatable, Sendable {
    /// A well-formed offer of permessage-deflate.
    case deflate(DeflateOffer)
    /// Another extension, or an offer of permessage-deflate that must be declined: a parameter that is unknown,
    /// stands twice or has a value that it must not have (RFC 7692 §7).
    case declined
    /// The field does not follow the grammar, so the handshake fails. What follows is not looked at.
    case malformed
    case end
  }

  private let fields: UnsafeMutableBufferPointer<HeaderField>
  private let count: Int
  private var index: Int
  private var offset = 0
  private var end = 0
  private var isEmpty = true

  /// The offers of a head and its fields, which must outlive this list.
  public init(_ head: RequestHead, _ fields: UnsafeMutableBufferPointer<HeaderField>) {
    self.fields = fields
    count = head.fieldCount
    index = head.first(.secWebSocketExtensions) ?? head.fieldCount
    isEmpty = index < count
  }

  /// The next element; `base` is the buffer the head was parsed from.
  public mutating func next(in base: UnsafeRawPointer) -> Element {
    while true {
      skipBlanks(base)
      if offset < end, base.byte(offset) == 0x2c {
        offset += 1
      } else if offset < end {
        isEmpty = false
        return offer(base)
      } else if index < count {
        let field = fields[index]
        index += 1
        guard field.id == .secWebSocketExtensions else { continue }
        (offset, end) = (field.value.start, field.value.end)
      } else {
        return isEmpty ? .malformed : .end
      }
    }
  }

  /// Whether all fields of that name follow the grammar; there need be none.
  static func areWellFormed(
    _ head: RequestHead, _ fields: UnsafeMutableBufferPointer<HeaderField>,
    in base: UnsafeRawPointer
  ) -> Bool {
    var offers = ExtensionOffers(head, fields)
    while true {
      switch offers.next(in: base) {
      case .deflate, .declined: continue
      case .malformed: return false
      case .end: return true
      }
    }
  }

  private mutating func skipBlanks(_ base: UnsafeRawPointer) {
    while offset < end, RequestHeadParser.isBlank(base.byte(offset)) { offset += 1 }
  }

  /// Whether `byte` comes next, past blanks; it is consumed.
  private mutating func takes(_ byte: UInt8, _ base: UnsafeRawPointer) -> Bool {
    skipBlanks(base)
    guard offset < end, base.byte(offset) == byte else { return false }
    offset += 1
    return true
  }

  private mutating func token(_ base: UnsafeRawPointer) -> ByteSpan? {
    skipBlanks(base)
    let start = offset
    while offset < end, CharacterClass.contains(base.byte(offset), CharacterClass.token) {
      offset += 1
    }
    return offset > start ? ByteSpan(from: start, to: offset) : nil
  }

  /// A quoted string behind its first quote. Unescaped, it must be a token (RFC 6455 §9.1).
  private mutating func quoted(_ base: UnsafeRawPointer) -> ByteSpan? {
    let start = offset
    while offset < end, base.byte(offset) != 0x22 {
      if base.byte(offset) == 0x5c { offset += 1 }
      guard offset < end, CharacterClass.contains(base.byte(offset), CharacterClass.token) else {
        return nil
      }
      offset += 1
    }
    guard offset < end, offset > start else { return nil }
    offset += 1
    return ByteSpan(from: start, to: offset - 1)
  }

  /// One extension with its parameters.
  private mutating func offer(_ base: UnsafeRawPointer) -> Element {
    guard let name = token(base) else { return .malformed }
    let isDeflate = name.bytes(in: base).elementsEqual(DeflateOffer.name.bytes)
    var offer = DeflateOffer()
    var isGood = isDeflate
    while takes(0x3b, base) {
      guard let parameter = token(base) else { return .malformed }
      var value: ByteSpan?
      if takes(0x3d, base) {
        value = takes(0x22, base) ? quoted(base) : token(base)
        guard value != nil else { return .malformed }
      }
      if isGood {
        isGood = offer.take(parameter.bytes(in: base), value.map { $0.bytes(in: base) })
      }
    }
    skipBlanks(base)
    guard offset == end || base.byte(offset) == 0x2c else { return .malformed }
    return isGood ? .deflate(offer) : .declined
  }
}
