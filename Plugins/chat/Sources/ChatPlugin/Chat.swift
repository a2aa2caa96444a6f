public import PluginKit

/// Channels, members and messages of an app.
public struct Chat: Plugin {
  let types: ChannelTypes

  /// - Throws: when the tenant's settings are not those of `plugin.json`, or name a type that no channel can
  ///   have.
  public init(_ context: InstanceContext) throws {
    let settings: Settings = try context.config()
    types = try ChannelTypes(
      settings.types ?? ["messaging": ChannelType(isOpen: true)], lists: settings.blocklists ?? [:])
  }

  /// One for each loop; they share nothing but the tenant's tables.
  public func makeShard(_ context: ShardContext) throws -> ChatShard {
    ChatShard(types, context)
  }
}

struct Settings: Decodable {
  let types: [String: ChannelType]?
  let blocklists: [String: Blocklist]?
}

/// The chat of one event loop. It keeps nothing that matters: everything is in the store.
public final class ChatShard: PluginShard {
  let types: ChannelTypes
  let context: ShardContext
  /// Whose counts are being told.
  var telling: [Told: Telling] = [:]
  var throttle = TypingThrottle()
  /// Of clients that are told what they missed.
  let turns = Turns(ChatShard.syncs)
  var tasks = TaskRounds()
  /// Whether uploads of deleted messages are to go when the app has a plugin for them again.
  var hasUploadsToEnd = false
  var uploadEnds = UploadEnds()

  init(_ types: ChannelTypes, _ context: ShardContext) {
    self.types = types
    self.context = context
    goOnWithTasks()
    endUploads()
  }

  /// The routes, messages and the service that `plugin.json` declares.
  public static func register(_ on: inout Registry<ChatShard>) {
    on.route("create_channel", ChatShard.createChannel)
    on.route("read_channel", ChatShard.readChannel)
    on.route("list_channels", ChatShard.listChannels)
    on.route("update_channel", ChatShard.updateChannel)
    on.route("delete_channel", ChatShard.deleteChannel)
    on.route("list_members", ChatShard.listMembers)
    on.route("add_members", ChatShard.addMembers)
    on.route("remove_member", ChatShard.removeMember)
    on.route("change_role", ChatShard.changeRole)
    on.route("change_membership", ChatShard.changeMembership)
    on.route("invite", ChatShard.invite)
    on.route("list_invited", ChatShard.listInvited)
    on.route("list_invitations", ChatShard.listInvitations)
    on.route("accept_invitation", ChatShard.acceptInvitation)
    on.route("reject_invitation", ChatShard.rejectInvitation)
    on.route("send_message", ChatShard.sendMessage)
    on.route("list_messages", ChatShard.listMessages)
    on.route("read_message", ChatShard.readMessage)
    on.route("edit_message", ChatShard.editMessage)
    on.route("delete_message", ChatShard.deleteMessage)
    on.route("search", ChatShard.search)
    on.route("put_votes", ChatShard.putVotes)
    on.route("delete_votes", ChatShard.deleteVotes)
    on.route("list_votes", ChatShard.listVotes)
    on.route("close_poll", ChatShard.closePoll)
    on.route("put_draft", ChatShard.putDraft)
    on.route("read_draft", ChatShard.readDraft)
    on.route("delete_draft", ChatShard.deleteDraft)
    on.route("list_drafts", ChatShard.listDrafts)
    on.route("list_commands", ChatShard.listCommands)
    on.route("put_reminder", ChatShard.putReminder)
    on.route("delete_reminder", ChatShard.deleteReminder)
    on.route("list_reminders", ChatShard.listReminders)
    on.alarm(ChatShard.wake)
    on.route("list_edits", ChatShard.listEdits)
    on.route("pin_message", ChatShard.pinMessage)
    on.route("unpin_message", ChatShard.unpinMessage)
    on.route("list_pins", ChatShard.listPins)
    on.route("list_reactions", ChatShard.listReactions)
    on.route("add_reaction", ChatShard.addReaction)
    on.route("remove_reaction", ChatShard.removeReaction)
    on.route("list_replies", ChatShard.listReplies)
    on.route("list_threads", ChatShard.listThreads)
    on.route("mark_thread_read", ChatShard.markThreadRead)
    on.route("mark_read", ChatShard.markRead)
    on.route("list_unread", ChatShard.listUnread)
    on.route("typing", ChatShard.typing)
    on.route("sync", ChatShard.sync)
    on.route("create_export", ChatShard.createExport)
    on.route("read_export", ChatShard.readExport)
    on.route("read_export_content", ChatShard.readExportContent)
    on.route("create_erasure", ChatShard.createErasure)
    on.route("read_erasure", ChatShard.readErasure)
    on.route("create_import", ChatShard.createImport)
    on.route("read_import", ChatShard.readImport)
    on.route("list_import_errors", ChatShard.listImportErrors)
    on.route("ban_member", ChatShard.banMember)
    on.route("unban_member", ChatShard.unbanMember)
    on.route("list_channel_bans", ChatShard.listChannelBans)
    on.route("ban_user", ChatShard.banUser)
    on.route("unban_user", ChatShard.unbanUser)
    on.route("list_bans", ChatShard.listBans)
    on.route("mute", ChatShard.mute)
    on.route("unmute", ChatShard.unmute)
    on.route("list_mutes", ChatShard.listMutes)
    on.route("flag_message", ChatShard.flagMessage)
    on.route("list_flags", ChatShard.listFlags)
    on.route("resolve_flag", ChatShard.resolveFlag)
    registerMessages(&on)
    on.service("sluice.channel-authority/1", method: 1) {
      (shard, question: AuthorityQuestion) async throws -> AuthorityAnswer in
      try await shard.answer(question)
    }
  }
}
