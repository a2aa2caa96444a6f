/// Where the values of a request's pseudo-header fields lie (RFC 9113 §8.3.1, RFC 8441 §4).
struct PseudoHeaders {
  enum Name: Int {
    case method, scheme, path, authority, `protocol`

    init?(_ name: UnsafeRawBufferPointer) {
      func named(_ known: StaticString) -> Bool {
        guard let base = name.baseAddress else { return false }
        return equalBytes(base, UnsafeRawPointer(known.utf8Start), name.count)
      }
      switch name.count {
      case 5 where named(":path"): self = .path
      case 7 where named(":method"): self = .method
      case 7 where named(":scheme"): self = .scheme
      case 9 where named(":protocol"): self = .protocol
      case 10 where named(":authority"): self = .authority
      default: return nil
      }
    }
  }

  private var spans = InlineArray<5, ByteSpan>(repeating: .empty)
  private var seen: UInt8 = 0

  subscript(name: Name) -> ByteSpan? {
    get { seen & 1 << name.rawValue == 0 ? nil : spans[name.rawValue] }
    set {
      spans[name.rawValue] = newValue ?? .empty
      seen |= 1 << name.rawValue
    }
  }
}
