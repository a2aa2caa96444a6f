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
    // Conversions by hardware only: the library's round through libm, which nothing here links.
    if value > -0x1p63, value < 0x1p63, Double(Int64(value)) == value {
      self = .integer(Int64(value))
    } else {
      self = .fraction(value)
    }
  }

  var isInteger: Bool {
    switch self {
    case .integer: true
    // Above 53 bits a double has no room for a fraction; below it would be an `integer`.
    case .fraction(let value): value.isFinite && value.magnitude >= 0x1p53
    }
  }

  var double: Double {
    switch self {
    case .integer(let value): Double(value)
    case .fraction(let value): value
    }
  }

  /// Whether this is a whole number of times `divisor`, which is above 0.
  func isMultiple(of divisor: Int64) -> Bool {
    switch self {
    case .integer(let value): return value % divisor == 0
    case .fraction(let value):
      guard isInteger else { return false }
      let divisor = UInt64(divisor)
      var rest = (value.significandBitPattern | 1 << 52) % divisor
      for _ in 0..<max(0, Int(value.exponent) - 52) { rest = rest * 2 % divisor }
      return rest == 0
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
