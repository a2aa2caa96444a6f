/// The origins whose pages a tenant's browsers may be on (RFC 6454 §6.2). Immutable.
///
/// An origin is compared as browsers write it, byte for byte: in lower case, names of other scripts in punycode, the port only where
/// it is not the scheme's own. What is written otherwise is another origin.
public struct OriginPolicy: Sendable, Equatable {
  /// A whole origin, or what stands before and behind the labels that are left open.
  private enum Pattern: Sendable, Equatable {
    case exact([UInt8])
    case below(scheme: [UInt8], rest: [UInt8])
  }

  private let patterns: [Pattern]

  /// - Parameter allowed: origins that pass ``isOrigin(_:)``; none is any.
  public init(_ allowed: [String]) {
    patterns = allowed.map { text in
      guard let range = text.firstRange(of: "://*.") else { return .exact(Array(text.utf8)) }
      return .below(
        scheme: Array((text[..<range.lowerBound] + "://").utf8),
        rest: Array(("." + text[range.upperBound...]).utf8))
    }
  }

  /// Whether there is no origin that is refused.
  public var isOpen: Bool { patterns.isEmpty }

  /// Whether a page of this origin may come; the bytes are an Origin field's.
  func allows(_ origin: UnsafeRawBufferPointer) -> Bool {
    patterns.isEmpty || patterns.contains { Self.matches($0, origin) }
  }

  private static func matches(_ pattern: Pattern, _ origin: UnsafeRawBufferPointer) -> Bool {
    switch pattern {
    case .exact(let text): return origin.elementsEqual(text)
    case .below(let scheme, let rest):
      guard origin.count > scheme.count + rest.count, origin.starts(with: scheme),
        origin.suffix(rest.count).elementsEqual(rest)
      else { return false }
      // One label or more, and nothing that could end the host before them.
      let labels = UnsafeRawBufferPointer(
        rebasing: origin[scheme.count..<origin.count - rest.count])
      return isName(labels)
    }
  }

  /// Whether labels of a host name, joined by dots, each of 1 to 63 letters, digits and inner hyphens.
  private static func isName(_ bytes: some Collection<UInt8>) -> Bool {
    bytes.split(separator: 0x2e, omittingEmptySubsequences: false).allSatisfy { label in
      1...63 ~= label.count && label.first != 0x2d && !label.isEmpty
        && label.allSatisfy {
          0x61...0x7a ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x2d || $0 == 0x5f
        } && label.reversed().first != 0x2d
    }
  }

  /// Whether the text is an origin as browsers write it, or one with `*.` before a host name of two labels or more.
  public static func isOrigin(_ text: String) -> Bool {
    guard text.utf8.count <= 255, let range = text.firstRange(of: "://") else { return false }
    let scheme = text[..<range.lowerBound].utf8
    guard let first = scheme.first, 0x61...0x7a ~= first,
      scheme.allSatisfy({
        0x61...0x7a ~= $0 || 0x30...0x39 ~= $0 || [0x2b, 0x2d, 0x2e].contains($0)
      })
    else { return false }
    var host = text[range.upperBound...]
    let hasBracket = host.hasPrefix("[")
    if let colon = host.lastIndex(of: ":"), !hasBracket || host[..<colon].hasSuffix("]") {
      let port = host[host.index(after: colon)...]
      guard let number = UInt16(port), number > 0, String(number) == port,
        !(scheme.elementsEqual("https".utf8) && number == 443),
        !(scheme.elementsEqual("http".utf8) && number == 80)
      else { return false }
      host = host[..<colon]
    }
    if hasBracket {
      return host.hasSuffix("]") && host.count > 3
        && host.dropFirst().dropLast().utf8.allSatisfy {
          0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 || $0 == 0x3a || $0 == 0x2e
        }
    }
    guard host.hasPrefix("*.") else { return host.utf8.count <= 253 && isName(host.utf8) }
    let rest = host.dropFirst(2)
    // Below a single label is everybody's.
    return rest.utf8.count <= 251 && rest.contains(".") && isName(rest.utf8)
  }
}
