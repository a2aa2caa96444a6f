/// A service's name and major, as in `sluice.authenticator/1`: what plugins offer each other through the host.
public struct ServiceID: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The service that the host itself calls to turn a credential into a principal.
  public static let authenticator = ServiceID(name: "sluice.authenticator", major: 1)

  /// Before the slash; names are joined by dots.
  public let name: String
  /// Behind the slash, from 1; another major is another service.
  public let major: Int

  /// `nil` when the text is not NAME/MAJOR.
  public init?(_ text: String) {
    let halves = text.split(separator: "/", omittingEmptySubsequences: false)
    guard halves.count == 2, Grammar.eventType.accepts(String(halves[0])),
      let major = Int(halves[1]), (1...999).contains(major), String(major) == halves[1]
    else { return nil }
    self.init(name: String(halves[0]), major: major)
  }

  private init(name: String, major: Int) {
    self.name = name
    self.major = major
  }

  public var description: String { "\(name)/\(major)" }

  public static func < (left: ServiceID, right: ServiceID) -> Bool {
    (left.name, left.major) < (right.name, right.major)
  }

  /// Reads an id; the authenticator's stands in for one that is refused.
  init(reading node: ConfigNode?) {
    let text = node?.string() ?? ""
    if let id = ServiceID(text) {
      self = id
      return
    }
    if !text.isEmpty {
      node?.refuse("\"\(text)\" is not a service id such as vendor.service/1")
    }
    self = .authenticator
  }
}
