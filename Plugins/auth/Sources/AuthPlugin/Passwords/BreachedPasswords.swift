internal import CSSL
internal import Glibc

/// The operator's list of breached passwords, as Have I Been Pwned offers it: lines "SHA-1 in 40 hexadecimal digits:count", in the order of the
/// digits. Nothing of it is kept in memory: a look-up reads some twenty pieces of the file.
struct BreachedPasswords: Sendable {
  let path: String
  private static let digits = 40
  /// More than any line has.
  private static let piece = 256

  /// Why the file cannot be used; nil when it can. It blocks.
  var refusal: String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "\(path): \(String(cString: strerror(errno)))" }
    defer { close(descriptor) }
    guard let start = BreachedPasswords.line(after: 0, in: descriptor, isFirst: true),
      BreachedPasswords.hash(of: start.line) != nil
    else {
      return "\(path) does not begin with a line of 40 hexadecimal digits, a colon and a count"
    }
    return nil
  }

  /// Whether the password is in the list; nil when that cannot be told, because the file is gone or is no list any more. [worker-thread]
  func contains(_ password: String) -> Bool? {
    guard refusal == nil else { return nil }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let bytes = Array(password.utf8)
    let digest = [UInt8](unsafeUninitializedCapacity: 20) { digest, count in
      _ = SHA1(bytes, bytes.count, digest.baseAddress)
      count = 20
    }
    return BreachedPasswords.find(Array(digest.hexadecimal.utf8), in: descriptor)
  }

  /// Halves the file until a line begins where the search ends.
  private static func find(_ wanted: [UInt8], in descriptor: Int32) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return false }
    var low = 0
    var high = Int(status.st_size)
    while low < high {
      let middle = low + (high - low) / 2
      guard let found = line(after: middle, in: descriptor, isFirst: middle == 0),
        found.start <= high,
        let hash = hash(of: found.line)
      else {
        // No line begins behind the middle: those before it are left.
        high = middle
        continue
      }
      if hash == wanted { return true }
      if hash.lexicographicallyPrecedes(wanted) {
        low = found.start + found.line.count
      } else {
        high = middle
      }
    }
    return false
  }

  /// The first line that begins behind `offset`, or at it where it is the file's first.
  private static func line(after offset: Int, in descriptor: Int32, isFirst: Bool)
    -> (start: Int, line: [UInt8])?
  {
    var bytes = [UInt8](repeating: 0, count: 2 * piece)
    let count = pread(descriptor, &bytes, bytes.count, off_t(offset))
    guard count > 0 else { return nil }
    var text = bytes[..<count]
    if !isFirst {
      guard let end = text.firstIndex(of: 0x0A) else { return nil }
      text = text[(end + 1)...]
    }
    guard !text.isEmpty else { return nil }
    return (offset + text.startIndex, Array(text.prefix { $0 != 0x0A }))
  }

  /// The digits of a line, in lower case.
  private static func hash(of line: [UInt8]) -> [UInt8]? {
    guard line.count > digits, line[digits] == UInt8(ascii: ":") else { return nil }
    let hash = line[..<digits].map { (0x41...0x46).contains($0) ? $0 + 0x20 : $0 }
    let areDigits = hash.allSatisfy {
      (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
    }
    return areDigits ? hash : nil
  }
}
