import Testing
import Wire

@Suite struct `Responses` {
  @Test(arguments: [
    (200, "HTTP/1.1 200 OK\r\n"), (101, "HTTP/1.1 101 Switching Protocols\r\n"),
    (204, "HTTP/1.1 204 No Content\r\n"), (404, "HTTP/1.1 404 Not Found\r\n"),
    (426, "HTTP/1.1 426 Upgrade Required\r\n"),
    (431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"),
    (599, "HTTP/1.1 599 \r\n"), (99, "HTTP/1.1 500 Internal Server Error\r\n"),
    (1000, "HTTP/1.1 500 Internal Server Error\r\n"),
  ])
  func `begin with a status line, RFC 9112 §4`(status: Int, line: String) {
    #expect(written { $0.append(status: status) } == line)
  }

  @Test func `every registered status line has its number and a reason`() {
    var registered = 0
    for status in 100...999 {
      guard let line = StatusLine.registered(status) else {
        #expect(StatusLine.reason(status) == nil)
        continue
      }
      registered += 1
      #expect(line.description.hasPrefix("HTTP/1.1 \(status) "))
      #expect(line.description.hasSuffix("\r\n"))
    }
    #expect(registered > 55)
    #expect(StatusLine.reason(404) == "Not Found")
  }

  @Test func `fields are written as lines`() {
    let text = written {
      $0.append(field: "Server", "sluice")
      $0.append(field: "Content-Length", decimal: 42)
    }
    #expect(text == "Server: sluice\r\nContent-Length: 42\r\n")
  }

  @Test(arguments: [
    ("X-A", "b c\té", true), ("X-A", "", true), ("X-A", "a\r\nSet-Cookie: b", false),
    ("X-A", "a\n", false), ("X-A", "a\u{0}", false), ("X-A", " a", false), ("X-A", "a\t", false),
    ("", "a", false), ("X A", "a", false), ("X:A", "a", false), ("X\r\nA", "a", false),
  ])
  func `a field from outside cannot forge a line, RFC 9110 §5.5`(
    name: String, value: String, valid: Bool
  ) {
    var accepted = false
    let text = written { writer in
      accepted = withBytes(name) { name in
        withBytes(value) { writer.append(field: name, checking: $0) }
      }
    }
    #expect(accepted == valid)
    #expect(text == (valid ? "\(name): \(value)\r\n" : ""))
  }

  @Test func `chunks are framed, RFC 9112 §7.1`() {
    let text = written {
      $0.append(chunkSize: 255)
      $0.appendLastChunk()
    }
    #expect(text == "ff\r\n0\r\n\r\n")
  }

  @Test(arguments: [
    // RFC 9110 §5.6.7
    (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
    (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
    (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
    (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    (.max, "Fri, 31 Dec 9999 23:59:59 GMT"), (.min, "Sat, 01 Jan 0000 00:00:00 GMT"),
  ])
  func `dates are IMF-fixdate`(seconds: Int64, text: String) {
    #expect(written { $0.append(httpDate: seconds) } == text)
  }

  @Test(arguments: [
    (784_111_777_005, "1994-11-06T08:49:37.005Z"), (0, "1970-01-01T00:00:00.000Z"),
    (-1, "1969-12-31T23:59:59.999Z"), (-1_000, "1969-12-31T23:59:59.000Z"),
    (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
    (68_169_600_000, "1972-02-29T00:00:00.000Z"),
  ])
  func `times are RFC 3339`(milliseconds: Int64, text: String) {
    #expect(written { $0.append(rfc3339: milliseconds) } == text)
  }

  @Test func `the calendar counts every day of four centuries in order`() {
    var previous = ""
    for day in Int64(-25_567)..<120_530 {
      let text = written { $0.append(rfc3339: day * 86_400_000) }
      #expect(text > previous)
      previous = text
    }
    #expect(previous.hasPrefix("2299-12-31"))
  }
}

@Suite struct `Byte writer` {
  @Test func `over the caller's memory drops whole what does not fit`() {
    var area: [UInt8] = Array(repeating: 0x2e, count: 8)
    area.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      var writer = ByteWriter(base, capacity: 6)
      writer.append("abcd")
      #expect(writer.available == 2 && !writer.overflowed)
      writer.append("efg")
      #expect(writer.overflowed && writer.text == "abcd")
      writer.append(decimal: 123)
      writer.append(decimal: 123, width: 3)
      writer.append(hexadecimal: 0x123)
      #expect(writer.text == "abcd")
      writer.append(0x65)
      writer.append(0x66)
      writer.append(0x67)
      #expect(writer.text == "abcdef")
      writer.append(httpDate: 0)
      writer.append(rfc3339: 0)
      writer.reset()
      #expect(writer.count == 0 && !writer.overflowed)
      writer.deallocate()
    }
    #expect(area[6] == 0x2e && area[7] == 0x2e)
  }

  @Test func `of its own grows`() {
    var expected = ""
    let text = written { writer in
      for index in 0..<1_000 {
        writer.append(decimal: index)
        writer.append(text: "é")
        expected += "\(index)é"
      }
      #expect(writer.isGrowing && !writer.overflowed)
    }
    #expect(text == expected)
  }

  @Test func `of its own refuses to grow past the address space`() {
    var writer = ByteWriter(growingFrom: 16)
    defer { writer.deallocate() }
    writer.append("a")
    let fits = writer.reserve(.max)
    #expect(!fits && writer.overflowed)
  }

  @Test(arguments: [0, 9, 10, 99, 12_345, 9_999_999_999, UInt64.max, UInt64(Int64.max)])
  func `writes numbers`(value: UInt64) {
    #expect(written { $0.append(decimal: value) } == "\(value)")
    #expect(written { $0.append(hexadecimal: value) } == String(value, radix: 16))
  }

  @Test func `writes negative and padded numbers`() {
    #expect(written { $0.append(decimal: Int.min) } == "\(Int.min)")
    #expect(written { $0.append(decimal: 7, width: 3) } == "007")
  }

  @Test func `patches a number written earlier`() {
    var answers: [Bool] = []
    let text = written {
      $0.append("length:      .")
      answers.append($0.patch(decimal: 42, at: 8, width: 5))
      answers.append($0.patch(decimal: 100, at: 8, width: 2))
      answers.append($0.patch(decimal: 1, at: 13, width: 2))
      answers.append($0.patch(decimal: 1, at: -1, width: 2))
    }
    #expect(answers == [true, false, false, false])
    #expect(text == "length:    42.")
  }
}
