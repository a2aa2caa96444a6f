import PluginKit
import Testing

@testable import UploadsPlugin

@Suite struct `The range of a request` {
  static let ranges: [(field: String?, range: ByteRange)] = [
    (nil, .whole), ("bytes=0-9", .part(0...9)), ("bytes=0-0", .part(0...0)),
    ("bytes=90-", .part(90...99)), ("bytes=-10", .part(90...99)), ("bytes=-1000", .part(0...99)),
    ("bytes=0-1000", .part(0...99)), ("BYTES= 5-6 ", .part(5...6)), ("bytes=,5-6,", .part(5...6)),
    ("bytes=100-", .unsatisfiable), ("bytes=100-200", .unsatisfiable), ("bytes=-0", .unsatisfiable),
    ("bytes=99999999999999999999-", .unsatisfiable),
    ("bytes=0-99999999999999999999", .part(0...99)),
    ("bytes=-99999999999999999999", .part(0...99)),
    // What is malformed or of another unit is overlooked (RFC 9110 §14.2), and so are several.
    ("bytes=9-0", .whole), ("bytes=-", .whole), ("bytes=a-b", .whole), ("bytes=1", .whole),
    ("lines=0-9", .whole), ("bytes", .whole), ("bytes=", .whole), ("bytes=0-1,3-4", .whole),
    ("bytes=+1-2", .whole), ("bytes=1-2-3", .whole),
  ]

  @Test(arguments: ranges) func `is read as RFC 9110 section 14 says`(
    field: String?, range: ByteRange
  ) {
    #expect(ByteRange(field, size: 100) == range)
  }
}

@Suite struct `The tag of a file` {
  static let lists: [(list: String, isStrong: Bool, isWeak: Bool)] = [
    ("\"aa\"", true, true), ("W/\"aa\"", false, true), ("*", true, true), ("\"bb\"", false, false),
    ("\"bb\", \"aa\"", true, true), ("aa", false, false), ("", false, false),
  ]

  @Test(arguments: lists) func `is looked for in a list`(
    list: String, isStrong: Bool, isWeak: Bool
  ) {
    let tag = EntityTag(sha256: "aa")
    #expect(tag.isIn(list, weak: false) == isStrong)
    #expect(tag.isIn(list, weak: true) == isWeak)
  }
}

@Suite struct `The name of a file` {
  static let names: [(given: String, kept: String)] = [
    ("photo.png", "photo.png"), ("../../etc/passwd", "passwd"), ("C:\\temp\\a.txt", "a.txt"),
    ("a\r\nb\u{0}.txt", "ab.txt"), ("exe.\u{202E}gnp", "exe.gnp"), ("...", ""),
    (".htaccess", "htaccess"),
    ("Grüße 👋.pdf", "Grüße 👋.pdf"), ("/", ""), (" a. ", "a"),
  ]

  @Test(arguments: names) func `has no folder and no hidden character`(
    given: String, kept: String
  ) {
    #expect(FileName.cleaned(given) == kept)
  }

  @Test func `is told twice, in ASCII and in full`() {
    #expect(FileName.disposition("", isInline: true) == "inline")
    #expect(
      FileName.disposition("a \"b\".png", isInline: false)
        == "attachment; filename=\"a _b_.png\"; filename*=UTF-8''a%20%22b%22.png")
    #expect(
      FileName.disposition("ü.png", isInline: true)
        == "inline; filename=\"_.png\"; filename*=UTF-8''%C3%BC.png")
  }
}

@Suite struct `The URL of an upload` {
  let key = URLKey(Array("a key of an app".utf8))
  let now = Timestamp(unixMilliseconds: 1_800_000_123_456)

  @Test func `is good for the upload, the app and the time that it was made for`() throws {
    let url = key.url(of: "upl_1", .content, app: "app_1", at: now, seconds: 3_600)
    let signature = String(try #require(url.text.split(separator: "=").last))
    let end = "?app=app_1&expires=\(url.expires)&signature=\(signature)"
    #expect(url.text == "/v1/uploads/upl_1/content" + end)
    func isValid(_ id: String, _ app: String, _ expires: Int64, _ signature: String) -> Bool {
      key.isValid(signature, of: id, .content, app: app, expires: expires)
    }
    #expect(isValid("upl_1", "app_1", url.expires, signature))
    #expect(!isValid("upl_2", "app_1", url.expires, signature))
    #expect(!isValid("upl_1", "app_2", url.expires, signature))
    #expect(!isValid("upl_1", "app_1", url.expires + 1, signature))
    #expect(!isValid("upl_1", "app_1", url.expires, ""))
    #expect(
      !key.isValid(signature, of: "upl_1", .thumbnail, app: "app_1", expires: url.expires))
    let other = URLKey(Array("another key".utf8))
    #expect(!other.isValid(signature, of: "upl_1", .content, app: "app_1", expires: url.expires))
  }

  @Test func `is a link where it has no end, which is no other URL of the upload`() throws {
    let link = key.link(to: "upl_1", .content, app: "app_1")
    let signature = String(try #require(link.split(separator: "=").last))
    #expect(link == "/v1/uploads/upl_1/content?app=app_1&signature=\(signature)")
    func isValid(_ id: String, _ part: UploadPart, _ app: String, _ expires: Int64?) -> Bool {
      key.isValid(signature, of: id, part, app: app, expires: expires)
    }
    #expect(isValid("upl_1", .content, "app_1", nil))
    #expect(!isValid("upl_2", .content, "app_1", nil))
    #expect(!isValid("upl_1", .thumbnail, "app_1", nil))
    #expect(!isValid("upl_1", .content, "app_2", nil))
    #expect(!isValid("upl_1", .content, "app_1", 0))
    let url = key.url(of: "upl_1", .content, app: "app_1", at: now, seconds: 60)
    let other = String(try #require(url.text.split(separator: "=").last))
    #expect(!key.isValid(other, of: "upl_1", .content, app: "app_1", expires: nil))
  }

  @Test func `is good for half its time at least, and the same for as long`() {
    for seconds: Int64 in [60, 61, 3_600, 604_800] {
      for offset: Int64 in [0, 1, 29, 30, 59, 1_799, 100_000] {
        let at = now.adding(milliseconds: offset * 1_000)
        let url = key.url(of: "u", .content, app: "a", at: at, seconds: seconds)
        let left = url.expires - at.unixMilliseconds / 1_000
        #expect(left > seconds / 2 - 1 && left <= seconds)
      }
    }
    let half = 1_800_000 as Int64
    let start = Timestamp(unixMilliseconds: now.unixMilliseconds / half * half)
    let urls = [0, half - 1, half].map {
      key.url(of: "u", .content, app: "a", at: start.adding(milliseconds: $0), seconds: 3_600).text
    }
    #expect(urls[0] == urls[1] && urls[1] != urls[2])
  }
}
