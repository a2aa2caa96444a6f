/// Where a client stands in each of the channels that it listens to, in their order: the `id` of its events.
///
/// `epoch:offset` for each channel, joined by commas; an epoch that is the one before is left out, and a channel that
/// keeps nothing is `-`.
struct StreamPosition: Equatable {
  struct Place: Equatable {
    var offset: UInt64
    /// "" in a channel that keeps nothing.
    var epoch: String
  }

  var places: [Place]

  init(_ places: [Place]) { self.places = places }

  /// Reads an `id`; nil when it is none.
  init?(_ text: String) {
    places = []
    var epoch = ""
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      if part == "-" {
        places.append(Place(offset: 0, epoch: ""))
        continue
      }
      guard let colon = part.lastIndex(of: ":"),
        let offset = UInt64(part[part.index(after: colon)...])
      else { return nil }
      if colon != part.startIndex { epoch = String(part[..<colon]) }
      guard !epoch.isEmpty else { return nil }
      places.append(Place(offset: offset, epoch: epoch))
    }
  }

  var text: String {
    var text = ""
    var epoch = ""
    for place in places {
      if !text.isEmpty { text += "," }
      if place.epoch.isEmpty {
        text += "-"
        continue
      }
      if place.epoch != epoch { text += place.epoch }
      epoch = place.epoch
      text += ":\(place.offset)"
    }
    return text
  }
}
