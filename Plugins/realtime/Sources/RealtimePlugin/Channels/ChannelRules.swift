internal import PluginKit

/// Who may do what in the channels of the plugin's own namespaces. Pure.
struct ChannelRules {
  let namespaces: [String: NamespaceOptions]

  /// What may be done in a channel, by a user.
  ///
  /// - Parameters:
  ///   - isSubscribed: whether the user's connection listens to the channel.
  ///   - hasToken: whether it has shown a valid token for the channel.
  /// - Throws: `ProtocolError` with the reason.
  func check(
    _ action: ChannelAuthority.Action, _ name: ChannelName, user: String,
    isSubscribed: Bool = false, hasToken: Bool = false
  ) throws(ProtocolError) -> NamespaceOptions {
    guard let options = namespaces[name.namespace] else { throw .unknownChannel }
    let access: NamespaceOptions.Access
    switch action {
    case .subscribe:
      guard !name.excludes(user) else { throw .permissionDenied }
      if name.users != nil {
        guard !name.needsToken || hasToken else { throw .permissionDenied }
        return options
      }
      guard hasToken || (options.subscribe == .users && !name.needsToken) else {
        throw .permissionDenied
      }
      return options
    case .publish: access = options.publish
    case .presence:
      guard options.hasPresence else { throw .notAvailable }
      access = options.presence
    case .history:
      guard options.historySize > 0 else { throw .notAvailable }
      access = options.history
    }
    switch access {
    case .nobody: throw .permissionDenied
    case .subscribers: guard isSubscribed else { throw .permissionDenied }
    case .users:
      // What only some may hear only they may touch.
      if name.excludes(user) { throw .permissionDenied }
      if name.needsToken && !isSubscribed { throw .permissionDenied }
    }
    return options
  }
}
