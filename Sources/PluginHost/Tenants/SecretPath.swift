internal import Wire

/// Where secrets stand among settings: the keys that lead there, through every element of arrays on the way.
public struct SecretPath: Sendable, Hashable {
  /// One step down.
  enum Step: Sendable, Hashable, ExpressibleByStringLiteral {
    /// Into the member of an object.
    case key(String)
    /// Into each element of an array. Of elements that are objects, the member `identity` says which is which, where the
    /// schema has one.
    case each(identity: String?)

    init(stringLiteral value: String) { self = .key(value) }
  }

  let steps: [Step]

  var isInArray: Bool {
    steps.contains { if case .each = $0 { true } else { false } }
  }

  /// The JSON pointer of a path without arrays.
  var pointer: String {
    steps.reduce("") { pointer, step in
      if case .key(let key) = step { JSONPointer.appending(key, to: pointer) } else { pointer }
    }
  }

  /// The places in settings that the path leads to, whether or not something stands there, each with the place that it had in
  /// former settings, if it had one. Both are without their secrets.
  func places(
    in open: ConfigValue, since former: ConfigValue
  ) -> [(place: String, origin: String?)] {
    var found: [(String, String?)] = []
    Self.walk(steps[...], open, "", former, "", &found)
    return found
  }

  private static func walk(
    _ path: ArraySlice<Step>, _ value: ConfigValue, _ place: String, _ former: ConfigValue?,
    _ origin: String?, _ found: inout [(String, String?)]
  ) {
    switch (value, path.first) {
    case (.object, .key(let key)):
      let below = JSONPointer.appending(key, to: place)
      let before = origin.map { JSONPointer.appending(key, to: $0) }
      if path.count == 1 {
        found.append((below, before))
      } else if let member = value[key] {
        let old = former?[key]
        walk(path.dropFirst(), member, below, old, old == nil ? nil : before, &found)
      }
    case (.array(let elements), .each(let identity)):
      let old = former?.elements ?? []
      let counterparts = counterparts(of: elements, in: old, identity)
      for (index, element) in elements.enumerated() {
        let counterpart = counterparts[index]
        walk(
          path.dropFirst(), element, "\(place)/\(index)", counterpart.map { old[$0] },
          counterpart.flatMap { number in origin.map { "\($0)/\(number)" } }, &found)
      }
    default: break
    }
  }

  /// Which elements of a former array these are: those that are the same, and of the rest those alone in either array with
  /// what their identity is. So a secret never comes to stand in an element that was another.
  static func counterparts(
    of elements: [ConfigValue], in former: [ConfigValue], _ identity: String?
  ) -> [Int?] {
    var free = Array(former.indices)
    var result = elements.map { element in
      let place = free.firstIndex { former[$0].isSame(as: element) }
      return place.map { free.remove(at: $0) }
    }
    guard let identity else { return result }
    for (index, element) in elements.enumerated() where result[index] == nil {
      guard let name = element[identity]?.text,
        elements.count(where: { $0[identity]?.text == name }) == 1,
        former.count(where: { $0[identity]?.text == name }) == 1,
        let place = free.firstIndex(where: { former[$0][identity]?.text == name })
      else { continue }
      result[index] = free.remove(at: place)
    }
    return result
  }
}

extension ConfigValue {
  /// Whether both say the same, in whatever order of members.
  fileprivate func isSame(as other: ConfigValue) -> Bool {
    switch (self, other) {
    case (.object(let members), .object(let others)):
      members.count == others.count
        && members.allSatisfy { member in other[member.key]?.isSame(as: member.value) == true }
    case (.array(let elements), .array(let others)):
      elements.count == others.count && zip(elements, others).allSatisfy { $0.isSame(as: $1) }
    default: self == other
    }
  }
}
