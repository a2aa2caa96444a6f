/// A value of a document: a place on its tape. Holds on to the document.
public struct JSONValue {
  /// The document it is part of.
  public let document: JSONDocument
  let index: Int

  var node: JSONNode { document.tape.nodes[index] }

  /// What it is.
  public var kind: JSONKind { node.kind }

  /// Whether it is the literal `null`; an absent member is no value at all.
  public var isNull: Bool { kind == .null }

  /// The value as it stands in the document's text, quotes included: to pass it on byte for byte.
  public var rawSpan: ByteSpan {
    let node = node
    let quotes: UInt32 = node.kind == .string ? 1 : 0
    return ByteSpan(offset: node.start - quotes, length: node.end - node.start + 2 * quotes)
  }

  /// The bytes of `rawSpan`, borrowed from the document.
  public var rawBytes: UnsafeRawBufferPointer { rawSpan.bytes(in: document.base) }

  /// Where it begins.
  public var location: JSONLocation {
    JSONLocation(offset: rawSpan.start, in: document.bytes)
  }

  /// The pointer (RFC 6901) from the document's root.
  public var pointer: String {
    var pointer = ""
    var container = 0
    while container != index {
      let isObject = document.tape.nodes[container].kind == .object
      var child = container + 1
      var position = 0
      while true {
        let value = isObject ? child + 1 : child
        let next = Int(document.tape.nodes[value].next)
        if index < next {
          let key = document.tape.nodes[child]
          pointer += isObject ? "/" + JSONPointer.escaped(key, document.base) : "/\(position)"
          container = value
          // A key is named by its own member.
          if index == child { return pointer }
          break
        }
        child = next
        position += 1
      }
    }
    return pointer
  }

  /// The value that `pointer` (RFC 6901) leads to from here, or nil.
  public func value(at pointer: String) -> JSONValue? {
    guard let steps = JSONPointer.steps(of: pointer) else { return nil }
    var value = self
    for step in steps {
      switch value.kind {
      case .object:
        guard let next = value[step] else { return nil }
        value = next
      case .array:
        let isCanonical = step == "0" || !step.hasPrefix("0") && !step.hasPrefix("+")
        guard isCanonical, let position = Int(step), let next = value[position] else { return nil }
        value = next
      default: return nil
      }
    }
    return value
  }

  // MARK: Containers

  /// Members of an object or elements of an array; 0 for anything else.
  public var count: Int {
    let node = node
    if node.count < .max { return Int(node.count) }
    return node.kind == .object
      ? members.reduce(0) { n, _ in n + 1 } : elements.reduce(0) { n, _ in n + 1 }
  }

  /// The member of this object with the key, or nil.
  public subscript(key: String) -> JSONValue? {
    guard kind == .object else { return nil }
    var key = key
    return key.withUTF8 { bytes in
      let wanted = UnsafeRawBufferPointer(bytes)
      let nodes = document.tape.nodes
      let end = Int(nodes[index].next)
      var at = index + 1
      while at < end {
        if JSONKeys.isEqual(nodes[at], document.base, wanted) {
          return JSONValue(document: document, index: at + 1)
        }
        at = Int(nodes[at + 1].next)
      }
      return nil
    }
  }

  /// The element of this array at the position, or nil.
  public subscript(position: Int) -> JSONValue? {
    guard kind == .array, position >= 0 else { return nil }
    var left = position
    for element in elements {
      if left == 0 { return element }
      left -= 1
    }
    return nil
  }

  /// The elements of this array in order; none for anything else.
  public var elements: JSONElements { JSONElements(self) }

  /// The members of this object in the order of the text; none for anything else.
  public var members: JSONMembers { JSONMembers(self) }

  // MARK: Scalars

  /// The text of a string, escapes undone; nil for anything else. Allocates.
  public var string: String? {
    let node = node
    return node.kind == .string ? JSONValue.text(of: node, document.base) : nil
  }

  /// Whether this is a string that means exactly `text`.
  public func isString(_ text: String) -> Bool {
    guard kind == .string else { return false }
    var text = text
    return text.withUTF8 { JSONKeys.isEqual(node, document.base, UnsafeRawBufferPointer($0)) }
  }

  /// Appends the bytes of a string, escapes undone. False, with nothing appended, for anything else.
  public func appendString(to output: inout ByteWriter) -> Bool {
    let node = node
    guard node.kind == .string else { return false }
    guard node.hasEscapes else {
      output.append(document.base + Int(node.start), Int(node.end - node.start))
      return true
    }
    guard output.reserve(Int(node.end - node.start)) else { return true }
    var bytes = JSONStringBytes(node, document.base)
    while let byte = bytes.next() { output.append(byte) }
    return true
  }

  /// The value of a number written as an integer, if it fits 64 bits; nil for fractions, exponents,
  /// what does not fit, and anything that is no number.
  public var int64: Int64? {
    let node = node
    guard node.kind == .number else { return nil }
    return JSONNumber.integer(rawBytes)
  }

  /// The value of a number, rounded to the nearest; nil if it is beyond the range, and for anything else.
  public var double: Double? {
    guard kind == .number else { return nil }
    return JSONNumber.double(rawBytes)
  }

  /// nil for all that is neither `true` nor `false`.
  public var bool: Bool? {
    let node = node
    return node.kind == .bool ? document.base.byte(Int(node.start)) == 0x74 : nil
  }

  static func text(of node: JSONNode, _ base: UnsafeRawPointer) -> String {
    let raw = UnsafeRawBufferPointer(
      start: base + Int(node.start), count: Int(node.end - node.start))
    guard node.hasEscapes else { return String(decoding: raw, as: UTF8.self) }
    return String(unsafeUninitializedCapacity: raw.count) { area in
      var bytes = JSONStringBytes(node, base)
      var count = 0
      while let byte = bytes.next() {
        area[count] = byte
        count += 1
      }
      return count
    }
  }
}

/// The elements of an array.
public struct JSONElements: Sequence, IteratorProtocol {
  private let document: JSONDocument
  private var index: Int
  private let end: Int

  init(_ value: JSONValue) {
    document = value.document
    index = value.index + 1
    end = value.kind == .array ? Int(value.node.next) : 0
  }

  public mutating func next() -> JSONValue? {
    guard index < end else { return nil }
    defer { index = Int(document.tape.nodes[index].next) }
    return JSONValue(document: document, index: index)
  }
}

/// The members of an object.
public struct JSONMembers: Sequence, IteratorProtocol {
  /// A key, which is a string value, and what it stands for.
  public struct Member {
    /// A string value, with its escapes as they stand in the text.
    public let key: JSONValue
    /// What the key stands for.
    public let value: JSONValue

    /// The key's text. Allocates.
    public var name: String { JSONValue.text(of: key.node, key.document.base) }
  }

  private let document: JSONDocument
  private var index: Int
  private let end: Int

  init(_ value: JSONValue) {
    document = value.document
    index = value.index + 1
    end = value.kind == .object ? Int(value.node.next) : 0
  }

  public mutating func next() -> Member? {
    guard index < end else { return nil }
    let member = Member(
      key: JSONValue(document: document, index: index),
      value: JSONValue(document: document, index: index + 1))
    index = Int(document.tape.nodes[index + 1].next)
    return member
  }
}
