import CSQLite

extension StoreError.Code {
  /// The code that a SQLite result, plain or extended, stands for.
  init(sqlite result: Int32) {
    switch result & 0xff {
    case SQLITE_CONSTRAINT, SQLITE_MISMATCH: self = .constraint
    case SQLITE_FULL: self = .storageFull
    case SQLITE_READONLY: self = .readOnly
    case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_PERM: self = .io
    case SQLITE_CORRUPT, SQLITE_NOTADB: self = .corrupted
    case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL: self = .busy
    case SQLITE_INTERRUPT: self = .deadline
    case SQLITE_TOOBIG: self = .tooLarge
    case SQLITE_NOMEM: self = .outOfMemory
    case SQLITE_AUTH: self = .forbidden
    default: self = .sql
    }
  }

  /// Whether the fault is the file's, so that its message should name the file.
  var concernsFile: Bool {
    switch self {
    case .storageFull, .readOnly, .io, .corrupted, .busy: true
    default: false
    }
  }
}

extension StoreError {
  /// Whether a connection should not be trusted with more work after this.
  var endsConnection: Bool { code == .io || code == .corrupted }

  func at(statement index: Int) -> StoreError {
    var error = self
    error.statement = error.statement ?? index
    return error
  }
}
