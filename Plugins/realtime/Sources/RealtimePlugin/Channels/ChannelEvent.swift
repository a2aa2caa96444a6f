internal import PluginKit

/// Something that was published in a channel, before it is written for one kind of listener or another.
struct ChannelEvent: Equatable {
  /// The type of what is published in the plugin's own channels.
  static let published = "realtime.published"

  /// 0 when ephemeral.
  let offset: UInt64
  /// "" when ephemeral.
  let epoch: String
  let time: Timestamp
  let type: String?
  let id: String?
  /// What was published: in a channel of the plugin's own as it was given, else as its owner emitted it.
  let data: [UInt8]
  /// The client that published it, JSON.
  let info: [UInt8]?
  /// JSON object of texts.
  let tags: [UInt8]?
  /// What a client of the protocol gets as data: events of other plugins with their type.
  let payload: [UInt8]

  /// About how many bytes it has as it is sent.
  var size: Int { payload.count + (info?.count ?? 0) + (tags?.count ?? 0) + 128 }

  init(_ event: borrowing Publication, channel: String) {
    self.init(
      offset: event.offset, epoch: event.isDurable ? event.epoch.text : "", time: event.time,
      type: event.type.isPresent ? event.type.text : nil,
      id: event.id.isPresent ? event.id.text : nil, data: Array(event.data), channel: channel)
  }

  init(_ entry: History.Entry, of history: History) {
    self.init(
      offset: entry.offset, epoch: history.epoch, time: entry.time, type: entry.type, id: entry.id,
      data: entry.data.bytes, channel: history.channel)
  }

  init(
    offset: UInt64, epoch: String, time: Timestamp, type: String?, id: String?, data: [UInt8],
    channel: String
  ) {
    self.offset = offset
    self.epoch = epoch
    self.time = time
    self.type = type
    self.id = id
    if type == Self.published, let envelope = Envelope(data) {
      self.data = envelope.data
      info = envelope.info
      tags = envelope.tags
      payload = envelope.data
    } else {
      self.data = data
      info = nil
      tags = nil
      var line = JSONLine(capacity: data.count + 160)
      line.object { line in
        if let type { line.member("type", type) }
        if let id { line.member("id", id) }
        line.member("time", time.rfc3339)
        line.member("channel", channel)
        line.member("data", json: data)
      }
      payload = line.bytes
    }
  }

  /// The members of the protocol's publication.
  ///
  /// - Parameter asText: as a string, for subscriptions with deltas.
  func write(_ line: inout JSONLine, asText: Bool) {
    if asText { line.member("data", text: payload) } else { line.member("data", json: payload) }
    writeRest(&line)
  }

  /// All but the data.
  func writeRest(_ line: inout JSONLine) {
    if let info { line.member("info", json: info) }
    if offset > 0 { line.member("offset", offset) }
    if let tags { line.member("tags", json: tags) }
  }
}

extension [ChannelEvent] {
  /// The first of them that have no more than so many bytes together, and one in any case.
  func prefix(bytes: Int) -> ArraySlice<ChannelEvent> {
    var size = 0
    let end = firstIndex { event in
      size += event.size
      return size > bytes
    }
    return prefix(Swift.max(end ?? count, 1))
  }
}

/// The data of an event of the plugin's own: what was published, and by whom.
struct Envelope: Equatable {
  let data: [UInt8]
  var info: [UInt8]?
  var tags: [UInt8]?
  /// What a publication that a server gave a key is found again by; no subscriber is shown it.
  var mark: String?

  init(data: [UInt8], info: [UInt8]? = nil, tags: [UInt8]? = nil, mark: String? = nil) {
    self.data = data
    self.info = info
    self.tags = tags
    self.mark = mark
  }

  /// From an event's data; nil when it is none.
  init?(_ json: [UInt8]) {
    // What a server published says nothing of a client, and that is most.
    let head = Array(#"{"data":"#.utf8)
    if json.starts(with: head), json.last == UInt8(ascii: "}") {
      self.init(data: Array(json[head.count..<json.count - 1]))
      return
    }
    struct Members: Decodable {
      let data: RawJSON
      let info: RawJSON?
      let tags: RawJSON?
      let mark: String?
    }
    guard let members = try? JSON.decode(Members.self, from: json) else { return nil }
    self.init(
      data: members.data.bytes, info: members.info?.bytes, tags: members.tags?.bytes,
      mark: members.mark)
  }

  /// The data comes last, so that it begins an envelope only when it is alone in it.
  var json: [UInt8] {
    var line = JSONLine(capacity: data.count + 64, keepsLines: true)
    line.object { line in
      if let info { line.member("info", json: info) }
      if let tags { line.member("tags", json: tags) }
      // An identifier of the plugin's own, which needs no escaping.
      if let mark { line.member("mark", json: Array("\"\(mark)\"".utf8)) }
      line.member("data", json: data)
    }
    return line.bytes
  }
}
