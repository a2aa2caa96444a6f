public import Wire

/// What the operator has decided of requests to others.
public struct ClientSettings: Sendable, Equatable {
  /// Networks that may be reached though they are none of the internet at large, such as an intranet's.
  public var allowedNetworks: [IPNetwork]
  /// A file of certificates (PEM) that are trusted beside the system's; nil for none.
  public var certificateFile: String?
  /// Transfers at once on one loop.
  public var transfers: Int
  /// Connections at once on one loop.
  public var connections: Int
  /// Connections at once to one host, on one loop.
  public var connectionsPerHost: Int

  /// The defaults, where nothing is given.
  public init(
    allowedNetworks: [IPNetwork] = [], certificateFile: String? = nil, transfers: Int = 1_024,
    connections: Int = 512, connectionsPerHost: Int = 32
  ) {
    self.allowedNetworks = allowedNetworks
    self.certificateFile = certificateFile
    self.transfers = transfers
    self.connections = connections
    self.connectionsPerHost = connectionsPerHost
  }
}
