/// A page of a list, as answers have it: `{"data":[…],"next":"…"}`. Any thread.
public struct Page<Element: Encodable>: Encodable {
  /// In the list's order.
  public let data: [Element]
  /// What goes on behind this page, to be passed as `after`; null at the end.
  public let next: String?

  /// - Parameter next: nil at the end.
  public init(data: [Element], next: String?) {
    self.data = data
    self.next = next
  }

  /// The first page of what was found, which is read one further than a page is long.
  ///
  /// - Parameter cursor: what an element is gone on from by.
  public init(_ found: [Element], limit: Int, next cursor: (Element) -> String) {
    data = Array(found.prefix(limit))
    next = found.count > limit ? data.last.map(cursor) : nil
  }

  private enum CodingKeys: String, CodingKey { case data, next }

  /// Null is not left out, as a synthesized function would.
  public func encode(to encoder: any Encoder) throws {
    var page = encoder.container(keyedBy: CodingKeys.self)
    try page.encode(data, forKey: .data)
    try page.encode(next, forKey: .next)
  }
}
