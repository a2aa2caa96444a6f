/// A number by its value, not its spelling: `1`, `1.0` and `10e-1` are one.
enum JSONNumber: Hashable {
  case integer(Int64)
  /// Not a whole number within 64 bits.
  case fraction(Double)

  /// The number that `bytes`, already checked by the scanner, spell.
  init(_ bytes: UnsafeRawBufferPointer) {
    if let value = JSONNumber.integer(bytes) {
      self = .integer(value)
      return
    }
    let value = JSONNumber.double(bytes) ?? (bytes.first == 0x2d ? -.infinity : .infinity)
    if let whole = Int64(exactly: value) { self = .integer(whole) } else { self = .fraction(value) }
  }

  var isInteger: Bool {
    switch self {
    case .integer: true
    case .fraction(let value): value.isFinite && value.rounded() == value
    }
  }

  var double: Double {
    switch self {
    case .integer(let value): Double(value)
    case .fraction(let value): value
    }
  }

  /// Exact between integers; by the nearest doubles otherwise.
  static func < (a: JSONNumber, b: JSONNumber) -> Bool {
    if case .integer(let x) = a, case .integer(let y) = b { return x < y }
    return a.double < b.double
  }

  static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    let isNegative = bytes.first == 0x2d
    guard bytes.count <= (isNegative ? 20 : 19) else { return nil }
    var value: Int64 = 0
    for byte in bytes.dropFirst(isNegative ? 1 : 0) {
      let digit = byte &- 0x30
      guard digit < 10 else { return nil }
      let (shifted, overflows) = value.multipliedReportingOverflow(by: 10)
      let (next, wraps) = shifted.subtractingReportingOverflow(Int64(digit))
      guard !overflows, !wraps else { return nil }
      value = next
    }
    if isNegative { return value }
    let (positive, overflows) = Int64(0).subtractingReportingOverflow(value)
    return overflows ? nil : positive
  }

  static func double(_ bytes: UnsafeRawBufferPointer) -> Double? {
    guard let value = Double(String(decoding: bytes, as: UTF8.self)), value.isFinite else {
      return nil
    }
    return value
  }
}
