internal import PluginKit

/// An attachment that is an upload: what it links to, and what the message says about that.
struct UploadAttachment: Codable {
  let type: String
  let upload: String
  /// From here to `thumbURL` as the upload has it, whatever was sent.
  private(set) var name: String?
  private(set) var mimeType: String?
  private(set) var size: Int64?
  private(set) var width: Int?
  private(set) var height: Int?
  private(set) var url: String?
  private(set) var thumbURL: String?
  let title: String?
  let text: String?
  let durationMS: Int64?
  let custom: RawJSON?

  private enum CodingKeys: String, CodingKey {
    case type, upload, name
    case mimeType = "mime_type"
    case size, width, height, url
    case thumbURL = "thumb_url"
    case title, text
    case durationMS = "duration_ms"
    case custom
  }

  /// As it is kept and shown; nil for an upload that is none.
  func linked(to found: LinkedUpload?) -> UploadAttachment {
    var linked = self
    linked.name = found?.name
    linked.mimeType = found?.type
    linked.size = found?.size
    linked.width = found?.width
    linked.height = found?.height
    linked.url = found?.url
    linked.thumbURL = found?.thumbURL
    return linked
  }
}

/// A message's attachments, and which of them are uploads.
struct Attachments {
  private enum Item {
    /// Byte for byte as it was sent.
    case other(RawJSON)
    case upload(UploadAttachment, as: RawJSON)
  }

  private struct Peek: Decodable {
    let upload: String?
    let url: String?
    let thumbURL: String?

    private enum CodingKeys: String, CodingKey {
      case upload, url
      case thumbURL = "thumb_url"
    }
  }

  private let list: RawJSON?
  private let items: [Item]

  /// - Parameter list: nil for none.
  /// - Throws: `JSONError` when it is no list of attachments; `Problem` 400 for a URL without a host that is not an upload's.
  init(_ list: RawJSON?) throws {
    self.list = list
    items =
      try list?.decode([RawJSON].self).enumerated().map { index, raw in
        let peek = try raw.decode(Peek.self)
        guard peek.upload == nil else {
          return .upload(try raw.decode(UploadAttachment.self), as: raw)
        }
        for (name, url) in [("url", peek.url), ("thumb_url", peek.thumbURL)]
        where url?.hasPrefix("/") == true {
          throw Problem.invalid(
            pointer: "/attachments/\(index)/\(name)",
            "A file of this app's is named by \"upload\", its id.")
        }
        return .other(raw)
      } ?? []
  }

  /// The uploads' ids with their places in the list, each once.
  var uploads: [(id: String, index: Int)] {
    var known: Set<String> = []
    return items.enumerated().compactMap { index, item in
      guard case .upload(let attachment, _) = item, known.insert(attachment.upload).inserted
      else { return nil }
      return (attachment.upload, index)
    }
  }

  /// The list with what is known of its uploads; nil for an empty one, which says as much as none.
  ///
  /// - Parameters:
  ///   - found: by id. What it does not have is linked to already, and stays as `kept` has it.
  ///   - kept: attachments of uploads as a message has them, by id.
  func linked(
    to found: [String: LinkedUpload], keeping kept: [String: UploadAttachment] = [:]
  ) throws -> RawJSON? {
    guard !items.isEmpty else { return nil }
    guard !uploads.isEmpty else { return list }
    return try RawJSON(
      encoding: try items.map { item in
        switch item {
        case .other(let raw): raw
        case .upload(let attachment, let raw):
          if let upload = found[attachment.upload] {
            try RawJSON(encoding: attachment.linked(to: upload))
          } else if let before = kept[attachment.upload] {
            try RawJSON(encoding: attachment.asLinked(as: before))
          } else {
            raw
          }
        }
      })
  }

  /// The attachments of uploads, by the uploads' ids.
  var linked: [String: UploadAttachment] {
    items.reduce(into: [:]) { linked, item in
      if case .upload(let attachment, _) = item { linked[attachment.upload] = attachment }
    }
  }

  /// The list without what is known of some uploads; nil where it links to none of them.
  func forgetting(_ ids: Set<String>) throws -> RawJSON? {
    guard uploads.contains(where: { ids.contains($0.id) }) else { return nil }
    return try RawJSON(
      encoding: try items.map { item in
        switch item {
        case .upload(let attachment, _) where ids.contains(attachment.upload):
          try RawJSON(encoding: attachment.linked(to: nil))
        case .upload(_, let raw), .other(let raw): raw
        }
      })
  }

  /// Whether both lists say the same, whatever is known of their uploads.
  static func areSame(_ one: RawJSON?, _ other: RawJSON?) -> Bool {
    if one == other { return true }
    guard let one = try? Attachments(one).said, let other = try? Attachments(other).said else {
      return false
    }
    return one == other
  }

  /// What was said, without what is the uploads' own.
  private var said: [RawJSON] {
    get throws {
      try items.map { item in
        switch item {
        case .other(let raw): raw
        case .upload(let attachment, _): try RawJSON(encoding: attachment.linked(to: nil))
        }
      }
    }
  }
}

extension UploadAttachment {
  /// As another attachment of the same upload has what is the upload's own.
  fileprivate func asLinked(as other: UploadAttachment) -> UploadAttachment {
    var linked = self
    linked.name = other.name
    linked.mimeType = other.mimeType
    linked.size = other.size
    linked.width = other.width
    linked.height = other.height
    linked.url = other.url
    linked.thumbURL = other.thumbURL
    return linked
  }
}
