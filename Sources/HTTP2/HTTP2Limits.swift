/// What one HTTP/2 connection may cost. Rates are of events in a second; ten times as many may come at once.
public struct HTTP2Limits: Sendable, Equatable {
  /// Streams that a peer may have open, which it is told.
  public var streams = 128
  /// Streams reset by the peer, or by us for what the peer did on them; one that a request was begun for counts twice.
  public var resetsPerSecond = 40
  /// PING frames.
  public var pingsPerSecond = 20
  /// SETTINGS frames.
  public var settingsPerSecond = 10
  /// PRIORITY and PRIORITY_UPDATE frames, and frames of no known type: read and thrown away.
  public var ignoredFramesPerSecond = 100
  /// Frames that carry nothing and end nothing. DATA of n bytes, n below 32, is 1/(n+1) of one; DATA of 1 KiB or more makes
  /// room for one.
  public var emptyFramesPerSecond = 100
  /// WINDOW_UPDATE frames, beside four for each DATA frame of good size that was sent.
  public var windowUpdatesPerSecond = 200
  /// CONTINUATION frames behind one HEADERS frame.
  public var continuations = 16
  /// Bytes of one decoded field section, as RFC 9113 §6.5.2 counts them, beyond which the connection ends; below, what
  /// is too large for a request's head is refused with an answer.
  public var fieldSectionBytes = 131_072
  /// Bytes of body that may come on one stream before somebody takes them.
  public var streamWindow = 262_144
  /// As `streamWindow`, of all streams together.
  public var connectionWindow = 1 << 20

  /// Every limit at its default.
  public init() {}
}

/// A limit of a connection that its peer went over.
public enum HTTP2Breach: Int32, CaseIterable, Sendable {
  /// One stream more than may be open: that stream is refused, or the connection ends.
  case streams
  case resets
  case pings
  case settings
  case ignoredFrames
  case emptyFrames
  case windowUpdates
  case continuations
  case fieldSection
}
