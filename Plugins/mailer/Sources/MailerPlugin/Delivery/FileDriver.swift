internal import Glibc

/// The outbox: each message becomes a file `msg_….eml` in one folder, for whoever tries things out or picks them up.
///
/// A file appears whole or not at all, and the oldest go when there are too many.
struct FileDriver: Driver {
  let folder: String
  /// How many files are kept.
  let limit: Int

  // Doing it twice does no harm, so one that a crash has broken off is soon done again.
  var patience: Int64 { 1_000 }

  func deliver(_ letter: Letter, until interruption: Interruption) -> Outcome {
    do throws(Failure) {
      try write(letter)
      removeOldest()
      return .delivered
    } catch {
      return .later(error.description)
    }
  }

  private func write(_ letter: Letter) throws(Failure) {
    guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw Failure(folder) }
    let draft = "\(folder)/.\(letter.id).draft"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure(draft) }
    var rest = letter.bytes[...]
    var isWhole = true
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        isWhole = false
        break
      }
      rest = rest.dropFirst(count)
    }
    isWhole = isWhole && fsync(descriptor) == 0
    let failure = Failure(draft)
    close(descriptor)
    guard isWhole, rename(draft, "\(folder)/\(letter.id).eml") == 0 else {
      let failure = isWhole ? Failure(draft) : failure
      unlink(draft)
      throw failure
    }
    let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
  }

  /// Ids sort by time, and so do the names.
  private func removeOldest() {
    guard let stream = opendir(folder) else { return }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasPrefix("msg_") && name.hasSuffix(".eml") { names.append(name) }
    }
    closedir(stream)
    guard names.count > limit else { return }
    for name in names.sorted().prefix(names.count - limit) { unlink("\(folder)/\(name)") }
  }

  /// What the system refused, and where below the plugin's folder: the app's developers hear of it by the event.
  private struct Failure: Error {
    let description: String

    /// Of the last system call.
    init(_ path: String) {
      let reason = String(cString: strerror(errno))
      description = "\(path.split(separator: "/").last ?? "outbox"): \(reason)"
    }
  }
}
