/// The candidate that `word` was probably meant to be, for error messages; nil if none is close.
///
/// Close is a distance of at most a third of the longer one's characters, rounded, at least one, and less than all of
/// `word`; two letters that have changed places are one slip. Of several at the same distance the first wins.
public func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
  let wanted = Array(word.unicodeScalars.prefix(64))
  var best: (name: String, distance: Int)?
  for candidate in candidates {
    let other = Array(candidate.unicodeScalars.prefix(64))
    let bound = max(1, (max(wanted.count, other.count) + 1) / 3)
    if abs(wanted.count - other.count) > bound { continue }
    let distance = editDistance(wanted, other)
    if distance <= bound, distance < wanted.count, distance < best?.distance ?? .max {
      best = (candidate, distance)
    }
  }
  return best?.name
}

/// Insertions, deletions, substitutions and exchanges of two neighbours, each worth 1: the slips of people who type. No
/// part is changed twice (optimal string alignment).
private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var row = [i + 1]
    for (j, y) in b.enumerated() {
      var least = min(last[j] + (x == y ? 0 : 1), row[j] + 1, last[j + 1] + 1)
      if i > 0, j > 0, x == b[j - 1], y == a[i - 1] { least = min(least, beforeLast[j - 1] + 1) }
      row.append(least)
    }
    (beforeLast, last) = (last, row)
  }
  return last[b.count]
}
