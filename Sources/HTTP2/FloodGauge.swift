/// A level that rises with each event and falls with time: full after ten seconds' worth of events at once.
struct LeakyBucket {
  private static var burstSeconds: Int { 10 }

  /// Events per second that it lets out.
  let rate: Int
  /// Thousandths of an event.
  private var level = 0
  /// Milliseconds on the owner's clock.
  private var seen: UInt64 = 0

  init(rate: Int) { self.rate = rate }

  /// Whether `count` more events are fine; a negative count makes room.
  mutating func add(_ count: Int, now: UInt64) -> Bool { add(thousandths: count * 1_000, now: now) }

  /// As ``add(_:now:)``, for parts of an event.
  mutating func add(thousandths: Int, now: UInt64) -> Bool {
    if now > seen {
      // A rate per second is as many thousandths per millisecond.
      let elapsed = Int(min(now - seen, UInt64(Self.burstSeconds) * 1_000))
      level = max(0, level - elapsed * rate)
      seen = now
    }
    let capacity = rate * Self.burstSeconds * 1_000
    level = max(-capacity, level + thousandths)
    return level <= capacity
  }
}

/// Counts what a peer makes a connection do that serves nobody.
///
/// Each kind has a rate of its own, because each has peers that need some of it. No clock: it is told the time, in
/// milliseconds from anywhere.
struct FloodGauge {
  private var resets: LeakyBucket
  private var pings: LeakyBucket
  private var settings: LeakyBucket
  private var ignoredFrames: LeakyBucket
  private var emptyFrames: LeakyBucket
  private var windowUpdates: LeakyBucket
  private var continuations = 0
  private let continuationLimit: Int

  init(limits: HTTP2Limits) {
    resets = LeakyBucket(rate: limits.resetsPerSecond)
    pings = LeakyBucket(rate: limits.pingsPerSecond)
    settings = LeakyBucket(rate: limits.settingsPerSecond)
    ignoredFrames = LeakyBucket(rate: limits.ignoredFramesPerSecond)
    emptyFrames = LeakyBucket(rate: limits.emptyFramesPerSecond)
    windowUpdates = LeakyBucket(rate: limits.windowUpdatesPerSecond)
    continuationLimit = limits.continuations
  }

  /// Looks at the header of a frame that has come, before anything is done about it.
  mutating func received(_ frame: FrameHeader, now: UInt64) -> HTTP2Breach? {
    if frame.type != FrameType.continuation { continuations = 0 }
    let endsStream = frame.flags & 0x1 != 0
    switch frame.type {
    case FrameType.data where !endsStream: return data(frame, now: now)
    case FrameType.headers where frame.length == 0 && !endsStream:
      return emptyFrames.add(1, now: now) ? nil : .emptyFrames
    case FrameType.data, FrameType.headers: return nil
    case FrameType.resetStream: return reset(now: now)
    case FrameType.settings: return settings.add(1, now: now) ? nil : .settings
    case FrameType.ping: return pings.add(1, now: now) ? nil : .pings
    case FrameType.windowUpdate: return windowUpdates.add(1, now: now) ? nil : .windowUpdates
    case FrameType.continuation:
      continuations += 1
      if continuations > continuationLimit { return .continuations }
      return frame.length > 0 || emptyFrames.add(1, now: now) ? nil : .emptyFrames
    default: return ignoredFrames.add(1, now: now) ? nil : .ignoredFrames
    }
  }

  /// A DATA frame with fewer bytes costs more than it carries: it is a part of an empty one.
  private static var smallestData: Int { 32 }
  /// A DATA frame with as many bytes makes room for an empty one.
  private static var goodData: Int { 1_024 }

  /// Counts a DATA frame that ends nothing, by how little it carries: clients that send small messages are many, those
  /// that send them byte by byte are none.
  private mutating func data(_ frame: FrameHeader, now: UInt64) -> HTTP2Breach? {
    // Padding carries nothing. How much there is stands behind the header: with its own length at most 256 bytes.
    let isPadded = frame.flags & 0x8 != 0
    let carried = isPadded ? max(0, frame.length - 256) : frame.length
    let weight =
      switch carried {
      case ..<Self.smallestData: 1_000 / (carried + 1)
      case Self.goodData...: -1_000
      default: 0
      }
    return weight == 0 || emptyFrames.add(thousandths: weight, now: now) ? nil : .emptyFrames
  }

  /// Counts a stream that has ended before its time, or work that was done for one.
  mutating func reset(now: UInt64) -> HTTP2Breach? {
    resets.add(1, now: now) ? nil : .resets
  }

  /// A DATA frame that a peer is expected to make new room for.
  mutating func sentData(now: UInt64) { _ = windowUpdates.add(-4, now: now) }
}

/// The types of frames, RFC 9113 §6.
enum FrameType {
  static let data: UInt8 = 0
  static let headers: UInt8 = 1
  static let resetStream: UInt8 = 3
  static let settings: UInt8 = 4
  static let ping: UInt8 = 6
  static let goAway: UInt8 = 7
  static let windowUpdate: UInt8 = 8
  static let continuation: UInt8 = 9
}
