internal import PluginKit

/// Settings of accounts, on the platform.
struct AccountSettings: Decodable, Sendable {
  /// Whether nobody signs in before the e-mail is verified.
  var requiresVerifiedEmail: Bool
  /// How many accounts may be made from one network at once, and then in an hour.
  var signUpBurst: Int64
  var signUpsPerHour: Int64
  /// How many codes may be asked for from one network at once, and then in an hour.
  var codeRequestBurst: Int64
  var codeRequestsPerHour: Int64
  /// How many passwords of one network may be with the worker at once.
  var passwordJobsPerNetwork: Int
  /// What a password's hash costs: memory in KiB, passes over it, lanes.
  var argon2Memory: UInt32
  var argon2Passes: UInt32
  var argon2Lanes: UInt32
  /// A list of breached passwords in the form of Have I Been Pwned; "" for none.
  var breachedPasswordsFile: String
  /// How long one key signs, in days.
  var signingKeyDays: Int64
  /// What an authenticator app shows beside the account.
  var productName: String
  /// E-mails of accounts that may do what is the operator's.
  var operators: [String]

  enum CodingKeys: String, CodingKey {
    case requiresVerifiedEmail = "require_verified_email"
    case signUpBurst = "sign_up_burst"
    case signUpsPerHour = "sign_ups_per_hour"
    case codeRequestBurst = "code_request_burst"
    case codeRequestsPerHour = "code_requests_per_hour"
    case passwordJobsPerNetwork = "password_jobs_per_network"
    case argon2Memory = "argon2_memory_kib"
    case argon2Passes = "argon2_passes"
    case argon2Lanes = "argon2_lanes"
    case breachedPasswordsFile = "breached_passwords_file"
    case signingKeyDays = "signing_key_days"
    case productName = "product_name"
    case operators
  }

  /// Of a tenant without accounts.
  static let none = AccountSettings(
    requiresVerifiedEmail: false, signUpBurst: 1, signUpsPerHour: 1, codeRequestBurst: 1,
    codeRequestsPerHour: 1, passwordJobsPerNetwork: 1,
    argon2Memory: HashCost.standard.memory, argon2Passes: HashCost.standard.passes,
    argon2Lanes: HashCost.standard.lanes, breachedPasswordsFile: "", signingKeyDays: 90,
    productName: "",
    operators: [])

  var hashCost: HashCost {
    HashCost(memory: argon2Memory, passes: argon2Passes, lanes: argon2Lanes)
  }

  /// The rates of sign-ups from an address.
  func signUps(from peer: String) -> [Throttle] {
    Throttle.ofNetworks(
      "signup.address", peer, burst: signUpBurst, every: 3_600_000 / signUpsPerHour)
  }

  /// The rates of asking for codes from an address.
  func codeRequests(from peer: String) -> [Throttle] {
    Throttle.ofNetworks(
      "mail.address", peer, burst: codeRequestBurst, every: 3_600_000 / codeRequestsPerHour)
  }

  /// Checks what a schema cannot say. Control thread: it looks at a file.
  func check() throws {
    if let refusal = hashCost.refusal {
      throw ConfigurationError(pointer: "/argon2_memory_kib", message: refusal)
    }
    guard !breachedPasswordsFile.isEmpty,
      let refusal = BreachedPasswords(path: breachedPasswordsFile).refusal
    else { return }
    throw ConfigurationError(pointer: "/breached_passwords_file", message: refusal)
  }
}
