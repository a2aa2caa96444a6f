internal import Wire

/// A moment, in Unix milliseconds; in JSON an RFC 3339 time in UTC, in SQL an integer.
public struct Timestamp: Sendable, Hashable, Comparable {
  /// Milliseconds since 1970-01-01T00:00:00Z.
  public let unixMilliseconds: Int64

  /// Any count is a time; before 1970 it is negative.
  public init(unixMilliseconds: Int64) {
    self.unixMilliseconds = unixMilliseconds
  }

  /// "2026-01-31T12:00:00.000Z"
  public var rfc3339: String {
    var writer = ByteWriter(growingFrom: 32)
    defer { writer.deallocate() }
    writer.append(rfc3339: unixMilliseconds)
    return writer.text
  }

  /// Later by so many milliseconds; earlier when negative.
  public func adding(milliseconds: Int64) -> Timestamp {
    let (sum, overflow) = unixMilliseconds.addingReportingOverflow(milliseconds)
    return Timestamp(unixMilliseconds: overflow ? (milliseconds < 0 ? .min : .max) : sum)
  }

  public static func < (a: Timestamp, b: Timestamp) -> Bool {
    a.unixMilliseconds < b.unixMilliseconds
  }
}

extension Timestamp {
  /// A moment from an RFC 3339 time with any offset; nil for anything else. Fractions beyond
  /// milliseconds are cut off, and a leap second is taken as the second before it.
  public init?(rfc3339 text: String) {
    var reader = DigitReader(Array(text.utf8))
    guard let year = reader.number(4), reader.take("-"), let month = reader.number(2),
      reader.take("-"), let day = reader.number(2), reader.take("T") || reader.take("t"),
      let hour = reader.number(2), reader.take(":"), let minute = reader.number(2),
      reader.take(":"), let second = reader.number(2)
    else { return nil }
    var milliseconds = 0
    if reader.take(".") {
      guard let fraction = reader.fraction() else { return nil }
      milliseconds = fraction
    }
    var offset = 0
    if !reader.take("Z") && !reader.take("z") {
      let isWest = reader.take("-")
      guard isWest || reader.take("+"), let hours = reader.number(2), reader.take(":"),
        let minutes = reader.number(2), hours <= 23, minutes <= 59
      else { return nil }
      offset = (hours * 60 + minutes) * (isWest ? -1 : 1)
    }
    guard reader.isAtEnd, (1...12).contains(month), day >= 1,
      day <= Timestamp.days(inMonth: month, of: year), hour <= 23, minute <= 59, second <= 60
    else { return nil }
    let minutes = Timestamp.daysSince1970(year, month, day) * 1_440 + hour * 60 + minute - offset
    self.init(
      unixMilliseconds: Int64((minutes * 60 + min(second, 59)) * 1_000 + milliseconds))
  }

  private static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }

  /// Days are counted in years that begin in March, so that the leap day is the last of its year.
  private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}

/// An RFC 3339 time, in UTC when written.
extension Timestamp: Codable {
  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let time = Timestamp(rfc3339: text) else {
      throw JSONError(pointer: "", message: "expected an RFC 3339 time")
    }
    self = time
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rfc3339)
  }
}

private struct DigitReader {
  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  var isAtEnd: Bool { at == bytes.count }

  private mutating func digit() -> Int? {
    guard at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 else { return nil }
    at += 1
    return Int(bytes[at - 1] - 0x30)
  }

  mutating func number(_ digits: Int) -> Int? {
    var value = 0
    for _ in 0..<digits {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  mutating func fraction() -> Int? {
    guard var value = digit() else { return nil }
    var digits = 1
    while let digit = digit() {
      if digits < 3 { value = value * 10 + digit }
      digits += 1
    }
    return digits == 1 ? value * 100 : digits == 2 ? value * 10 : value
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }
}
