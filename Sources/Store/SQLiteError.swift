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
  /// Whether the file must be opened anew, and so checked, before it is used again.
  ///
  /// Not after an I/O error: what a failed COMMIT has written lies behind the end of the log that
  /// this connection knows, and its next COMMIT writes over it; one that opens the log anew could
  /// take it for committed.
  var endsConnection: Bool { code == .corrupted }

  func at(statement index: Int) -> StoreError {
    var error = self
    error.statement = error.statement ?? index
    return error
  }
}
