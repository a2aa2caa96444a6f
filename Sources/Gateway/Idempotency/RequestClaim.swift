/// A request with an `Idempotency-Key`, as its owner is asked whether it may be carried out.
public struct ClaimRequest: Sendable {
  /// Whose key it is: kind and id of the principal, and for nobody in particular the network address.
  public let principal: String
  /// 1 to 255 printable characters, as the client chose them.
  public let key: String
  /// Of method, target and body.
  public let fingerprint: Digest
}

/// An answer that repeats of a request get.
public struct KeptAnswer: Sendable {
  /// The HTTP status.
  public let status: Int
  /// Empty when the answer has no body.
  public let contentType: [UInt8]
  /// Not what fields were added beside it.
  public let body: [UInt8]

  /// Nothing is checked: it was an answer before.
  public init(status: Int, contentType: [UInt8], body: [UInt8]) {
    self.status = status
    self.contentType = contentType
    self.body = body
  }
}

/// The right to carry a request out, which nobody else has, on any loop, until it is given back.
public protocol RequestClaim: AnyObject, Sendable {
  /// Keeps the answer and gives the claim back; `then` comes once, when that is on disk or has failed, on any thread.
  ///
  /// - Parameter answer: nil for one that is sent in pieces, and cannot be repeated.
  func keep(_ answer: KeptAnswer?, status: Int, then: @escaping @Sendable () -> Void)

  /// Gives the claim back: there is no answer that repeats should get. Once more is harmless.
  func release()
}

/// What a request's `Idempotency-Key` means.
public enum ClaimAnswer: Sendable {
  /// It has not been used before.
  case claimed(any RequestClaim)
  /// It stands for a request that had this answer.
  case answered(KeptAnswer)
  /// It stands for a request that is being carried out.
  case underWay
  /// It stands for another request.
  case mismatch
  /// It stands for a request that was carried out, whose answer was not kept.
  case lost
  /// It cannot be told now.
  case unavailable
}
