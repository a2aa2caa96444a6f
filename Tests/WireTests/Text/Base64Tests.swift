import Testing
import Wire

@Suite struct `Base64 text` {
  @Test(arguments: [
    // RFC 4648 §10
    ("", "", ""), ("f", "Zg==", "Zg"), ("fo", "Zm8=", "Zm8"), ("foo", "Zm9v", "Zm9v"),
    ("foob", "Zm9vYg==", "Zm9vYg"), ("fooba", "Zm9vYmE=", "Zm9vYmE"),
    ("foobar", "Zm9vYmFy", "Zm9vYmFy"), ("~~~???", "fn5+Pz8/", "fn5-Pz8_"),
  ])
  func `is encoded and decoded in both alphabets`(plain: String, standard: String, url: String) {
    for (alphabet, text) in [(Base64.standard, standard), (.url, url)] {
      #expect(written { out in withBytes(plain) { alphabet.encode($0, into: &out) } } == text)
      #expect(alphabet.encodedCount(plain.utf8.count) == text.utf8.count)
      var accepted = false
      let decoded = written { out in accepted = withBytes(text) { alphabet.decode($0, into: &out) }
      }
      #expect(accepted && decoded == plain)
    }
  }

  @Test(arguments: [
    (Base64.standard, "Zg"), (.standard, "Zg="), (.standard, "Zg=== "), (.standard, "Z==="),
    (.standard, "===="), (.standard, "Zh=="), (.standard, "Zm9="), (.standard, "Zm-v"),
    (.standard, "Zm9v\n"), (.standard, "Zg==Zg=="), (.standard, "Zm9vé"), (.url, "Zg=="),
    (.url, "Z"), (.url, "Zh"), (.url, "Zm+v"), (.url, "Zm v"),
  ])
  func `has one form only`(alphabet: Base64, text: String) {
    var accepted = true
    let decoded = written { out in accepted = withBytes(text) { alphabet.decode($0, into: &out) } }
    #expect(!accepted && decoded.isEmpty)
  }
}

@Suite struct `Hexadecimal digits` {
  @Test func `are written in lower case and read in both`() {
    let input: [UInt8] = [0x00, 0x9f, 0xff]
    #expect(
      written { out in input.withUnsafeBytes { Hexadecimal.encode($0, into: &out) } } == "009fff")
    var accepted = false
    let decoded = writtenBytes { out in
      accepted = withBytes("009fFF") { Hexadecimal.decode($0, into: &out) }
    }
    #expect(accepted && decoded == input)
  }

  @Test(arguments: ["0", "0g", "g0", "00 0"])
  func `are nothing else`(text: String) {
    var accepted = true
    let decoded = writtenBytes { out in
      accepted = withBytes(text) { Hexadecimal.decode($0, into: &out) }
    }
    #expect(!accepted && decoded.isEmpty)
  }
}
