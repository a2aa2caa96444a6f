internal import PluginKit

/// A message as it travels (RFC 5322, MIME by RFC 2045 to 2047): lines of at most 76 characters of ASCII, each ended by CRLF.
struct MessageText {
  let bytes: [UInt8]

  /// - Parameters:
  ///   - mail: checked, and with the product's name in place.
  ///   - id: of the message; its Message-ID and, where it has parts, what stands between them are made of it.
  ///   - sender: the address in From, with `name` before it.
  init(_ mail: Mail, id: String, from sender: String, name: String, at time: Timestamp) {
    var lines = [
      "Date: \(MailDate.text(of: time))",
      "From: \(MessageText.author(sender, name))",
      "To: <\(mail.to)>",
      "Subject: \(HeaderText.words(mail.subject, after: "Subject: ".count))",
      "Message-ID: <\(id)@\(Mailbox.domain(of: sender))>",
      // RFC 3834 §5: nobody's holiday reply is to come back.
      "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
    ]
    if let html = mail.html {
      // No line of quoted-printable text can be this one: there "=" is followed by two digits or an end of line.
      let boundary = "=_\(id)"
      lines.append("Content-Type: multipart/alternative; boundary=\"\(boundary)\"")
      lines.append("")
      for (type, text) in [("plain", mail.text), ("html", html)] {
        lines.append("--\(boundary)")
        lines += MessageText.part(type, text)
      }
      lines.append("--\(boundary)--")
    } else {
      lines += MessageText.part("plain", mail.text)
    }
    bytes = Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
  }

  /// A line with encoded words ends at its 76th character at the latest (RFC 2047 §2).
  private static func author(_ address: String, _ name: String) -> String {
    let name = HeaderText.name(name)
    let last = name.split(separator: "\r\n").last?.utf8.count ?? 0
    let fits = "From: ".count + last + address.utf8.count + 3 <= 76
    return name + (fits ? " " : "\r\n ") + "<\(address)>"
  }

  private static func part(_ type: String, _ text: String) -> [String] {
    [
      "Content-Type: text/\(type); charset=utf-8", "Content-Transfer-Encoding: quoted-printable",
      "",
    ] + QuotedPrintable.lines(of: text)
  }
}

/// Quoted-printable text (RFC 2045 §6.7).
enum QuotedPrintable {
  private static let width = 76

  /// Lines without their CRLF. CRLF, CR and LF in the text each end a line.
  static func lines(of text: String) -> [String] {
    var lines: [String] = []
    var bytes: [UInt8] = []
    var afterReturn = false
    func flush() {
      lines += encode(bytes)
      bytes = []
    }
    for byte in text.utf8 {
      switch byte {
      case 0x0D: flush()
      case 0x0A: if !afterReturn { flush() }
      default: bytes.append(byte)
      }
      afterReturn = byte == 0x0D
    }
    flush()
    return lines
  }

  private static func encode(_ line: [UInt8]) -> [String] {
    var done: [String] = []
    var current = ""
    for (index, byte) in line.enumerated() {
      let isLast = index == line.count - 1
      let isBlank = byte == 0x20 || byte == 0x09
      // A blank at a line's end is lost on the way.
      let isPlain = isBlank ? !isLast : (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=")
      let piece = isPlain ? String(UnicodeScalar(byte)) : "=" + hexadecimal(byte)
      if current.utf8.count + piece.utf8.count > width - (isLast ? 0 : 1) {
        done.append(current + "=")
        current = ""
      }
      current += piece
    }
    return done + [current]
  }

  static func hexadecimal(_ byte: UInt8) -> String {
    let digits = Array("0123456789ABCDEF")
    return String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
  }
}
