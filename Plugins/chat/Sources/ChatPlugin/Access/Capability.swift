/// Something that channels of a type can do unless the settings turn it off: `"capabilities": {"reactions": false}`.
enum Capability: String, CaseIterable, Sendable {
  case typing, presence, reads, reactions, replies, search, polls, pins, drafts, reminders
}
