/// Something that has been published in a channel of a tenant. Immutable.
public struct Publication: Sendable {
  /// Whose channel it is. Channels of two tenants never meet, also under one name.
  public let tenant: String
  /// The channel's name, in UTF-8.
  public let channel: String
  /// Position among the tenant's durable events; 0 when ephemeral.
  public let sequence: Int64
  /// Position in the channel; 0 when ephemeral.
  public let offset: Int64
  /// Unix milliseconds.
  public let time: Int64
  /// The event's type; empty when the publisher gave none.
  public let type: String
  /// "evt_…", the same wherever the event appears.
  public let id: String
  /// Of the tenant's history; empty when ephemeral.
  public let epoch: String
  /// As it was published, byte for byte.
  public let data: [UInt8]

  /// Nothing is checked: the publisher has done that.
  public init(
    tenant: String, channel: String, sequence: Int64, offset: Int64, time: Int64, type: String,
    id: String,
    epoch: String, data: [UInt8]
  ) {
    self.tenant = tenant
    self.channel = channel
    self.sequence = sequence
    self.offset = offset
    self.time = time
    self.type = type
    self.id = id
    self.epoch = epoch
    self.data = data
  }
}

/// A channel of one tenant. Two are the same if their names are, byte for byte: a `String` is also the same as one that
/// spells a character in another way, which is another channel, and may be another user's.
public struct ChannelKey: Hashable, Sendable {
  /// The tenant's id.
  public let tenant: String
  /// The channel's name within the tenant.
  public let channel: String

  /// Nothing is checked; a key may name a channel that nobody uses.
  public init(tenant: String, channel: String) {
    self.tenant = tenant
    self.channel = channel
  }

  /// Whether both are the same bytes.
  public static func == (a: ChannelKey, b: ChannelKey) -> Bool {
    a.channel.isExactly(b.channel) && a.tenant.isExactly(b.tenant)
  }

  /// Hashes the bytes of both.
  public func hash(into hasher: inout Hasher) {
    tenant.hashBytes(into: &hasher)
    channel.hashBytes(into: &hasher)
  }
}

extension String {
  fileprivate func isExactly(_ other: String) -> Bool {
    utf8.withContiguousStorageIfAvailable { mine in
      other.utf8.withContiguousStorageIfAvailable { mine.elementsEqual($0) }
    }.flatMap { $0 } ?? utf8.elementsEqual(other.utf8)
  }

  /// With its length, so that two texts behind each other are not taken for two others.
  fileprivate func hashBytes(into hasher: inout Hasher) {
    hasher.combine(utf8.count)
    let isHashed: Void? = utf8.withContiguousStorageIfAvailable {
      hasher.combine(bytes: UnsafeRawBufferPointer($0))
    }
    if isHashed == nil { for byte in utf8 { hasher.combine(byte) } }
  }
}
