/// Calendar months, UTC, counted from January 1970.
enum UsageMonth {
  /// The month of an hour counted from 1970.
  static func number(ofHour hour: Int64) -> Int64 {
    let (year, month) = civil(day: hour / 24)
    return (year - 1970) * 12 + month - 1
  }

  /// The first hour of the month that an hour is in.
  static func firstHour(ofMonthOf hour: Int64) -> Int64 {
    let day = hour / 24
    let month = number(ofHour: hour)
    // At most 31 steps back; a month has no fewer days than that in any year.
    var first = day
    while first > 0, number(ofHour: (first - 1) * 24) == month { first -= 1 }
    return first * 24
  }

  /// Year and month of a day counted from 1970, in the proleptic Gregorian calendar: years begin in March, so that the
  /// leap day is the last of its year.
  private static func civil(day: Int64) -> (year: Int64, month: Int64) {
    let shifted = day + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month)
  }
}
