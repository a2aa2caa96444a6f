/// The candidate that `word` was probably meant to be, for error messages; nil if none is close.
///
/// Close is a Levenshtein distance of at most a third of the longer one's characters, rounded, at least
/// one, and less than all of `word`. Of several at the same distance the first wins.
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

/// Levenshtein distance: insertions, deletions and substitutions, each worth 1.
private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let substituted = diagonal + (x == y ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substituted, diagonal + 1, row[j] + 1)
    }
  }
  return row[b.count]
}
