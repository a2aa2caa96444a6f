"""The requests to chat that succeed, as `world.py` has them for every operation."""

from ask import Ask
from program import eventually


class ChatAsks:
    """A part of `World`, whose app, user and message it speaks of."""

    def _createChannel(self):
        return Ask(self.app.server, body={"type": "messaging", "id": f"c{next(self.numbers)}", "members": ["alice"]})

    def new_channel(self, *members: str) -> dict[str, str]:
        """A channel of the user's, as it stands in a path."""
        made = self.user.post("/v1/channels", {"type": "messaging", "members": ["alice", *members]}, expect=201).json()
        return {"type": made["type"], "id": made["id"]}

    def _updateChannel(self):
        return Ask(self.user, path=self.new_channel(), body={"data": {"n": 1}, "frozen": True})

    def _deleteChannel(self):
        return Ask(self.user, path=self.new_channel())

    def _removeChannelMember(self):
        return Ask(self.user, path=self.new_channel("bob"), query={"user_id": "bob"})

    def _changeMemberRole(self):
        return Ask(self.user, path={**self.new_channel("bob"), "user": "bob"}, body={"role": "moderator"})

    def _changeMembership(self):
        return Ask(self.user, path=self.new_channel(), body={"pinned": True})

    def _inviteMembers(self):
        return Ask(self.user, path=self.new_channel(), body={"members": ["bob"]})

    def _listInvited(self):
        return Ask(self.user, path=self.new_channel())

    def invited(self) -> dict[str, str]:
        channel = self.new_channel()
        self.user.post("/v1/channels/{type}/{id}/invitations".format(**channel), {"members": ["bob"]}, expect=200)
        return channel

    def _acceptChannelInvitation(self):
        return Ask(self.app.user("bob"), path=self.invited())

    def _rejectChannelInvitation(self):
        return Ask(self.app.user("bob"), path=self.invited())

    def _listChannelInvitations(self):
        return Ask(self.user)

    def _banMember(self):
        return Ask(self.user, path={**self.new_channel("bob"), "user": "bob"}, body={"seconds": 60, "shadow": True})

    def _unbanMember(self):
        return Ask(self.user, path={**self.new_channel("bob"), "user": "bob"})

    def _listChannelBans(self):
        return Ask(self.user, path=self.new_channel())

    def _banUser(self):
        return Ask(self.app.server, path={"user": "nobody"}, body={"seconds": 60})

    def _unbanUser(self):
        return Ask(self.app.server, path={"user": "nobody"})

    def _muteUser(self):
        return Ask(self.user, path={"user": "bob"})

    def _unmuteUser(self):
        return Ask(self.user, path={"user": "bob"})

    def _listMutes(self):
        return Ask(self.user)

    def _flagMessage(self):
        return Ask(self.user, path={"id": self.new_message()}, body={"reason": "spam"})

    def _listFlags(self):
        return Ask(self.app.server)

    def _resolveFlag(self):
        flag = self.user.post(f"/v1/messages/{self.new_message()}/flag", expect=201).json()["id"]
        return Ask(self.app.server, path={"id": flag}, body={"action": "dismiss"})

    def _listChannels(self):
        return Ask(self.user)

    def _addMembers(self):
        return Ask(self.app.server, body={"members": ["carol"]})

    def _sendMessage(self):
        return Ask(self.user, body={"text": "hello"})

    def _editMessage(self):
        return Ask(self.user, path={"id": self.new_message()}, body={"text": "better"})

    def _deleteMessage(self):
        return Ask(self.user, path={"id": self.new_message()})

    def new_poll(self) -> str:
        poll = {"question": "Where?", "options": ["Here", "There"]}
        return self.app.server.post(
            "/v1/channels/messaging/general/messages", {"poll": poll, "user_id": "alice"}, expect=201).json()["id"]

    def _putVotes(self):
        return Ask(self.user, path={"id": self.new_poll()}, body={"option_ids": [2]})

    def _deleteVotes(self):
        return Ask(self.user, path={"id": self.new_poll()})

    def _listVotes(self):
        return Ask(self.user, path={"id": self.new_poll()})

    def _closePoll(self):
        return Ask(self.app.server, path={"id": self.new_poll()})

    def _putDraft(self):
        return Ask(self.user, body={"text": "hel"})

    def _readDraft(self):
        self.user.put("/v1/channels/messaging/general/draft", {"text": "hel"}, expect=200)
        return Ask(self.user)

    def _deleteDraft(self):
        return Ask(self.user)

    def _listDrafts(self):
        return Ask(self.user, query={"limit": 10})

    def _listCommands(self):
        return Ask(self.user)

    def _putReminder(self):
        return Ask(self.user, path={"id": self.message}, body={"remind_at": "2100-01-01T00:00:00Z"})

    def _deleteReminder(self):
        return Ask(self.user, path={"id": self.message})

    def _listReminders(self):
        self.user.put(f"/v1/messages/{self.message}/reminder", expect=200)
        return Ask(self.user, query={"limit": 10})

    def _search(self):
        return Ask(self.user, query={"q": "hello"})

    def _listEdits(self):
        return Ask(self.user, path={"id": self.message}, query={"limit": 10})

    def _pinMessage(self):
        return Ask(self.app.server, path={"id": self.message})

    def _unpinMessage(self):
        return Ask(self.app.server, path={"id": self.message})

    def _listPins(self):
        return Ask(self.user, query={"limit": 10})

    def _listReactions(self):
        return Ask(self.user, path={"id": self.message}, query={"limit": 10})

    def _addReaction(self):
        return Ask(self.user)

    def _removeReaction(self):
        message = self.new_message()
        self.user.put(f"/v1/messages/{message}/reactions/like", expect=200)
        return Ask(self.user, path={"id": message, "type": "like"})

    def _listMessages(self):
        return Ask(self.user, query={"around": self.message})

    def _listReplies(self):
        return Ask(self.user, path={"id": self.message}, query={"limit": 10})

    def _listThreads(self):
        return Ask(self.user, query={"limit": 10})

    def _markThreadRead(self):
        return Ask(self.user, path={"id": self.message})

    def _markRead(self):
        return Ask(self.user, body={"message_id": self.message})

    def _sendTyping(self):
        return Ask(self.user, body={"active": True})

    def task(self, kind: str, **body) -> dict[str, str]:
        """A task of the app's, as it stands in a path, when it is done."""
        made = self.app.server.post(f"/v1/{kind}", body, expect=202).json()
        return self.done(kind, made["id"])

    def done(self, kind: str, id: str) -> dict[str, str]:
        ended = eventually(lambda: self.app.server.get(f"/v1/{kind}/{id}", expect=200).json()["status"] == "done", 60)
        assert ended, f"{id} is not done"
        return {"id": id}

    def _createExport(self):
        return Ask(self.app.server, body={"user_id": "alice"})

    def _readExport(self):
        return Ask(self.app.server, path=self.task("exports", user_id="nobody"))

    def _readExportContent(self):
        return Ask(self.app.server, path=self.task("exports", user_id="nobody"))

    def _createErasure(self):
        return Ask(self.app.server, body={"user_id": "nobody", "messages": "anonymise"})

    def _readErasure(self):
        return Ask(self.app.server, path=self.task("erasures", user_id="nobody"))

    def new_import(self) -> dict[str, str]:
        made = self.app.server.post("/v1/imports", {"type": "channel", "channel": "messaging:general"}, expect=202).json()
        return self.done("imports", made["id"])

    def _createImport(self):
        return Ask(self.app.server, body={"type": "channel", "channel": "messaging:general"})

    def _readImport(self):
        return Ask(self.app.server, path=self.new_import())

    def _listImportErrors(self):
        return Ask(self.app.server, path=self.new_import(), query={"limit": 10})

    def _sync(self):
        return Ask(self.user, body={"channels": [{"channel": "messaging:general", "offset": 0, "epoch": "another"}], "since": "2026-01-01T00:00:00Z"})

    def _listUnread(self):
        return Ask(self.user)
