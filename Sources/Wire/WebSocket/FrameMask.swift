/// Masking, RFC 6455 §5.3: the same operation both ways.
public enum FrameMask {
  /// Applies `mask` in place.
  ///
  /// - Parameters:
  ///   - mask: The four key bytes in the order sent, the first in the low byte.
  /// - Returns: The mask for the bytes that follow these.
  @discardableResult
  public static func apply(_ mask: UInt32, to bytes: UnsafeMutableRawBufferPointer) -> UInt32 {
    guard let base = bytes.baseAddress, mask != 0 else { return mask }
    let count = bytes.count
    let wide = UInt64(mask) | UInt64(mask) &<< 32
    var i = 0
    while i &+ 32 <= count {
      let p = base + i
      let a = p.loadUnaligned(as: UInt64.self) ^ wide
      let b = (p + 8).loadUnaligned(as: UInt64.self) ^ wide
      let c = (p + 16).loadUnaligned(as: UInt64.self) ^ wide
      let d = (p + 24).loadUnaligned(as: UInt64.self) ^ wide
      p.storeBytes(of: a, as: UInt64.self)
      (p + 8).storeBytes(of: b, as: UInt64.self)
      (p + 16).storeBytes(of: c, as: UInt64.self)
      (p + 24).storeBytes(of: d, as: UInt64.self)
      i &+= 32
    }
    while i &+ 8 <= count {
      let p = base + i
      p.storeBytes(of: p.loadUnaligned(as: UInt64.self) ^ wide, as: UInt64.self)
      i &+= 8
    }
    var key = mask
    while i < count {
      let p = base + i
      p.storeBytes(
        of: p.load(as: UInt8.self) ^ UInt8(truncatingIfNeeded: key), as: UInt8.self)
      key = key &>> 8 | key &<< 24
      i &+= 1
    }
    return key
  }
}
