internal import CUV

/// A failed system or libuv call: which one, and why.
///
/// `code` is a positive `errno` value.
public struct SystemError: Error, Equatable, CustomStringConvertible {
  /// The call that failed, for example `"pthread_create"`.
  public let operation: String
  /// The `errno` value, always positive.
  public let code: Int32

  /// Takes `errno` values and libuv's negated ones alike.
  public init(_ operation: String, code: Int32) {
    self.operation = operation
    self.code = code < 0 ? -code : code
  }

  public var description: String { "\(operation): \(Self.text(code))" }

  /// The message and symbol of an error code, for example `broken pipe (EPIPE)`; [any-thread].
  ///
  /// Takes what stream callbacks are given (negative) and `errno` values (positive).
  public static func text(_ code: Int32) -> String {
    let code = code > 0 ? -code : code
    var message = [CChar](repeating: 0, count: 96)
    var name = [CChar](repeating: 0, count: 32)
    uv_strerror_r(code, &message, message.count)
    uv_err_name_r(code, &name, name.count)
    return "\(string(message)) (\(string(name)))"
  }

  private static func string(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
