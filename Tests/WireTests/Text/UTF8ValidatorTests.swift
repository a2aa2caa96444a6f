import Testing
import Wire

@Suite struct `UTF-8` {
  static let valid = [
    "", "61", "7f", "00", "c280", "dfbf", "e0a080", "ed9fbf", "ee8080", "efbfbf", "f0908080",
    "f48fbfbf", "efbfbe", "cebae1bdb9cf83cebcceb5", "6161616161616161c3a96161616161616161",
  ]

  /// RFC 3629 §3 and §4, with the index of the first impossible byte.
  static let invalid = [
    ("80", 0), ("bf", 0), ("c0", 0), ("c1bf", 0), ("c0af", 0), ("e080af", 1), ("e09fbf", 1),
    ("f08080af", 1), ("f08fbfbf", 1), ("eda080", 1), ("edbfbf", 1), ("f4908080", 1), ("f5", 0),
    ("f8888080", 0), ("fc84808080", 0), ("fe", 0), ("ff", 0), ("c361", 1), ("e28261", 2),
    ("f09f9861", 3), ("f09f61", 2), ("c3c3", 1), ("6161616161616161ff", 8), ("c3a9ff", 2),
    ("cebae1bdb9cf83cebcceb5eda080656469746564", 12), ("cebae1bdb9cf83cebcceb5f4908080", 12),
    ("61616161e9", -1), ("f09f98", -1), ("c3", -1), ("e0a0", -1),
  ]

  @Test(arguments: valid)
  func `that is valid is accepted in any pieces`(hex: String) {
    let input = bytes(hex: hex)
    for cut in 0...input.count {
      var validator = UTF8Validator()
      let first = input[..<cut].withUnsafeBytes { validator.consume($0) }
      let second = input[cut...].withUnsafeBytes { validator.consume($0) }
      #expect(first && second && validator.isComplete && !validator.hasFailed)
    }
    #expect(input.withUnsafeBytes { UTF8Validator.isValid($0) })
  }

  @Test(arguments: invalid)
  func `that is invalid fails at the first impossible byte`(hex: String, at: Int) {
    let input = bytes(hex: hex)
    #expect(!input.withUnsafeBytes { UTF8Validator.isValid($0) })
    var validator = UTF8Validator()
    for (index, byte) in input.enumerated() {
      let accepted = withUnsafeBytes(of: byte) { validator.consume($0) }
      #expect(accepted == (at < 0 || index < at))
    }
    #expect(validator.hasFailed == (at >= 0) && !validator.isComplete)
    let still = UnsafeRawBufferPointer(start: nil, count: 0)
    let answer = validator.consume(still)
    #expect(answer == (at < 0))
  }

  @Test func `every code point is accepted and every surrogate refused`() {
    for value in stride(from: UInt32(0), through: 0x10ffff, by: 13) {
      if let scalar = Unicode.Scalar(value) {
        #expect(withBytes(String(scalar)) { UTF8Validator.isValid($0) })
      } else {
        let encoded = [
          UInt8(0xe0 | value >> 12), UInt8(0x80 | value >> 6 & 63), UInt8(0x80 | value & 63),
        ]
        #expect(!encoded.withUnsafeBytes { UTF8Validator.isValid($0) })
      }
    }
  }
}
