/// A moment in the proleptic Gregorian calendar, UTC.
struct CivilTime {
  var year = 0
  var month = 0
  var day = 0
  var hour = 0
  var minute = 0
  var second = 0
  /// 0 is Sunday.
  var weekday = 0

  /// From seconds since 1970, clamped to the years 0000 to 9999 that four digits can show.
  init(unixSeconds: Int64) {
    let seconds = min(max(unixSeconds, -62_167_219_200), 253_402_300_799)
    let days = Int(seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
    let rest = Int(seconds) - days * 86_400
    hour = rest / 3_600
    minute = rest / 60 % 60
    second = rest % 60
    weekday = ((days + 4) % 7 + 7) % 7
    // Days are counted from 0000-03-01, so that the leap day is a year's last (Hinnant, civil_from_days).
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }

  static func weekdayName(_ weekday: Int) -> StaticString {
    switch weekday {
    case 0: "Sun"
    case 1: "Mon"
    case 2: "Tue"
    case 3: "Wed"
    case 4: "Thu"
    case 5: "Fri"
    default: "Sat"
    }
  }

  static func monthName(_ month: Int) -> StaticString {
    switch month {
    case 1: "Jan"
    case 2: "Feb"
    case 3: "Mar"
    case 4: "Apr"
    case 5: "May"
    case 6: "Jun"
    case 7: "Jul"
    case 8: "Aug"
    case 9: "Sep"
    case 10: "Oct"
    case 11: "Nov"
    default: "Dec"
    }
  }
}

extension ByteWriter {
  /// Appends an IMF-fixdate of 29 bytes, RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
  public mutating func append(httpDate unixSeconds: Int64) {
    let time = CivilTime(unixSeconds: unixSeconds)
    guard reserve(29) else { return }
    append(CivilTime.weekdayName(time.weekday))
    append(", ")
    append(decimal: time.day, width: 2)
    append(" ")
    append(CivilTime.monthName(time.month))
    append(" ")
    append(decimal: time.year, width: 4)
    append(" ")
    append(clock: time)
    append(" GMT")
  }

  /// Appends an RFC 3339 time of 24 bytes, UTC with milliseconds: `1994-11-06T08:49:37.000Z`.
  public mutating func append(rfc3339 unixMilliseconds: Int64) {
    var (seconds, milliseconds) = unixMilliseconds.quotientAndRemainder(dividingBy: 1_000)
    if milliseconds < 0 {
      seconds -= 1
      milliseconds += 1_000
    }
    let time = CivilTime(unixSeconds: seconds)
    guard reserve(24) else { return }
    append(decimal: time.year, width: 4)
    append("-")
    append(decimal: time.month, width: 2)
    append("-")
    append(decimal: time.day, width: 2)
    append("T")
    append(clock: time)
    append(".")
    append(decimal: Int(milliseconds), width: 3)
    append("Z")
  }

  private mutating func append(clock time: CivilTime) {
    append(decimal: time.hour, width: 2)
    append(":")
    append(decimal: time.minute, width: 2)
    append(":")
    append(decimal: time.second, width: 2)
  }
}
