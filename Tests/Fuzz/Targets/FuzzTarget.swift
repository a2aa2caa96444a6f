/// What is fuzzed: each reads bytes that a stranger sends and stops the process when a promise of the reader is broken.
///
/// The driver gives them what libFuzzer makes up; the test gives them the corpus, where every find is kept.
public enum FuzzTarget: String, CaseIterable, Sendable {
  case http1
  case chunked
  case frames
  case extensions
  case forwarded
  case inflate
  case deflate
  case fields
  case http2
  case url
  case json
  case schema
  case pattern
  case text
  case manifest
  case elf

  /// Tries one input. Any thread, one call at a time.
  public func run(_ input: UnsafeRawBufferPointer) {
    switch self {
    case .http1: fuzzHTTP1(input)
    case .chunked: fuzzChunked(input)
    case .frames: fuzzFrames(input)
    case .extensions: fuzzExtensions(input)
    case .forwarded: fuzzForwarded(input)
    case .inflate: fuzzInflate(input)
    case .deflate: fuzzDeflate(input)
    case .fields: fuzzFields(input)
    case .http2: fuzzHTTP2(input)
    case .url: fuzzURL(input)
    case .json: fuzzJSON(input)
    case .schema: fuzzSchema(input)
    case .pattern: fuzzPattern(input)
    case .text: fuzzText(input)
    case .manifest: fuzzManifest(input)
    case .elf: fuzzELF(input)
    }
  }
}

/// Stops the process unless a promise holds.
func promise(_ holds: Bool, _ promise: @autoclosure () -> String) {
  if !holds { fatalError("broken: \(promise())") }
}

/// Sizes of pieces, drawn from the input's own first bytes, so that where it is split is fuzzed too.
struct Pieces {
  private var seed: UInt64

  init(_ input: UnsafeRawBufferPointer) {
    seed = 0x9e37_79b9_7f4a_7c15
    for byte in input.prefix(64) { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  /// 1 to `most`.
  mutating func next(_ most: Int) -> Int {
    seed ^= seed << 13
    seed ^= seed >> 7
    seed ^= seed << 17
    return 1 + Int(seed % UInt64(min(most, 16)))
  }
}
