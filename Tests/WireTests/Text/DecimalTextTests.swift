import Testing
import Wire

@Suite struct `A number in decimal` {
  static func text(_ value: UInt64) -> String {
    withUnsafeTemporaryAllocation(byteCount: DecimalText.longest + 2, alignment: 16) { memory in
      for index in memory.indices { memory[index] = 0x2a }
      let count = DecimalText.write(value, to: memory.baseAddress!)
      #expect(memory[count...].allSatisfy { $0 == 0x2a }, "nothing is written behind \(value)")
      return String(decoding: memory[..<count], as: UTF8.self)
    }
  }

  @Test func `is as the standard library writes it, at every change of its length`() {
    var power: UInt64 = 1
    for length in 1...DecimalText.longest {
      for value in [power &- 1, power, power &+ 1, power &* 9, power &+ power / 2 &+ 7] {
        #expect(Self.text(value) == String(value))
        #expect(DecimalText.digits(value) == String(value).utf8.count)
      }
      #expect(DecimalText.digits(power) == length)
      power = power.multipliedReportingOverflow(by: 10).partialValue
    }
    #expect(Self.text(.max) == "18446744073709551615")
  }

  @Test func `is right up to a hundred thousand, and here and there above`() {
    for value in 0..<100_000 as Range<UInt64> where Self.text(value) != String(value) {
      Issue.record("\(value)")
    }
    for value in stride(from: 100_000 as UInt64, to: 200_000_000, by: 9_973)
    where Self.text(value) != String(value) {
      Issue.record("\(value)")
    }
  }
}
