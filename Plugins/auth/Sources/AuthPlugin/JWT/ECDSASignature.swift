internal import CSSL

/// The two forms of an ECDSA signature: DER, as OpenSSL has it, and 64 bytes, as a JWS has it.
struct ECDSASignature {
  let raw: [UInt8]
  let der: [UInt8]

  init?(raw: [UInt8]) {
    guard raw.count == 64, let signature = ECDSA_SIG_new() else { return nil }
    defer { ECDSA_SIG_free(signature) }
    let r = BN_bin2bn(raw, 32, nil)
    let s = Array(raw[32...]).withUnsafeBufferPointer { BN_bin2bn($0.baseAddress, 32, nil) }
    guard ECDSA_SIG_set0(signature, r, s) == 1 else {
      BN_free(r)
      BN_free(s)
      return nil
    }
    var start: UnsafeMutablePointer<UInt8>?
    let count = i2d_ECDSA_SIG(signature, &start)
    guard count > 0, let start else { return nil }
    defer { CRYPTO_free(start, #file, #line) }
    self.raw = raw
    der = Array(UnsafeBufferPointer(start: start, count: Int(count)))
  }

  init?(der: ArraySlice<UInt8>) {
    let signature = der.withUnsafeBufferPointer { bytes in
      var start = bytes.baseAddress
      return d2i_ECDSA_SIG(nil, &start, bytes.count)
    }
    guard let signature else { return nil }
    defer { ECDSA_SIG_free(signature) }
    var raw = [UInt8](repeating: 0, count: 64)
    let isWhole = raw.withUnsafeMutableBufferPointer { raw in
      guard let start = raw.baseAddress else { return false }
      return BN_bn2binpad(ECDSA_SIG_get0_r(signature), start, 32) == 32
        && BN_bn2binpad(ECDSA_SIG_get0_s(signature), start + 32, 32) == 32
    }
    guard isWhole else { return nil }
    self.raw = raw
    self.der = Array(der)
  }
}
