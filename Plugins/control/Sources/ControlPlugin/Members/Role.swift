/// What a member is to an app. Each may do all that those below may.
enum Role: String, Codable, CaseIterable, Comparable {
  case viewer, developer, admin, owner

  static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }

  private var rank: Int {
    switch self {
    case .viewer: 0
    case .developer: 1
    case .admin: 2
    case .owner: 3
    }
  }
}
