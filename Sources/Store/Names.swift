/// Names of tenants: 1 to 64 of `a-z 0-9 _ -`, safe as file names.
public enum TenantName {
  /// Whether it may name a tenant. `@control` may not.
  public static func isValid(_ name: String) -> Bool {
    let bytes = name.utf8
    guard (1...64).contains(bytes.count) else { return false }
    return bytes.allSatisfy {
      isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
    }
  }
}

/// Names of owners: a letter, then up to 31 of `a-z 0-9 _`.
///
/// The owner `notes` owns every table, index, trigger and view called `notes_…`. Where two owners'
/// prefixes fit a name, as `hello` and `hello_c` fit `hello_c_notes`, the longer one has it.
public enum Owner {
  /// The gateway's own. The caller never lends it to a plugin.
  public static let host = "sluice"

  /// Whether it may own tables: a letter, then up to 31 of `a-z 0-9 _`.
  public static func isValid(_ name: String) -> Bool {
    let bytes = name.utf8
    guard let first = bytes.first, isLetter(first), bytes.count <= 32 else { return false }
    return bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
  }
}

private func isLetter(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
}

private func isDigit(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}
