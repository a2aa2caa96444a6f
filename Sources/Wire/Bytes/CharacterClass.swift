/// What a byte may stand for in HTTP/1 syntax: a set of bits per byte.
///
/// The table is a string literal, so it lies in the program's constants: no initialiser, no array.
/// Every entry has bit 6 set to stay printable.
enum CharacterClass {
  /// `tchar`, RFC 9110 §5.6.2.
  static let token: UInt8 = 1
  /// A byte of a path: `pchar` and `/` of RFC 3986 §3.3, and `|`, `[`, `]`, which browsers send as
  /// they are (WHATWG URL, path percent-encode set).
  static let path: UInt8 = 2
  /// A byte of a query: RFC 3986 §3.4, and `{ } ^ | [ ] \\` and the grave accent, for the same reason.
  static let query: UInt8 = 4
  /// A byte of a registered name, RFC 3986 §3.2.2, without `%` and without `,`, which would make two
  /// Host fields joined by a proxy look like one.
  static let host: UInt8 = 8
  /// `%` and `.`: a path without them needs neither decoding nor a look for dot segments.
  static let special: UInt8 = 16

  /// Whether `byte` is in `set`.
  @inline(__always)
  static func contains(_ byte: UInt8, _ set: UInt8) -> Bool {
    bits(byte) & set != 0
  }

  @inline(__always)
  static func bits(_ byte: UInt8) -> UInt8 {
    table.utf8Start[Int(byte)]
  }

  @inline(__always)
  private static var table: StaticString {
    """
    @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\
    @O@AOWOONNOOFO_FOOOOOOOOOOFN@N@D\
    FOOOOOOOOOOOOOOOOOOOOOOOOOOFDFEO\
    EOOOOOOOOOOOOOOOOOOOOOOOOOODGDO@\
    @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\
    @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\
    @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\
    @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
    """
  }
}
