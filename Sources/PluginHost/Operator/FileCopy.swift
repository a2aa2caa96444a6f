internal import Glibc

/// Copies of whole files that are there, complete and on disk, or not at all. [blocking]
enum FileCopy {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Copies a file to a name that must be free, with mode 0600.
  ///
  /// - Parameter folder: whose owner the copy is to have; nil is whoever copies.
  static func copy(_ source: String, to target: String, ownerOf folder: String?) throws(Failure) {
    func refuse(_ path: String) -> Failure {
      Failure(description: "\(path): \(String(cString: strerror(errno)))")
    }
    let input = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard input >= 0 else { throw refuse(source) }
    defer { close(input) }
    var status = stat()
    guard fstat(input, &status) == 0 else { throw refuse(source) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Failure(description: "\(source): it is not a regular file")
    }
    let draft = "\(target).partial-\(getpid())"
    let output = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard output >= 0 else { throw refuse(draft) }
    defer {
      close(output)
      unlink(draft)
    }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { memory.deallocate() }
    while true {
      let count = read(input, memory.baseAddress, memory.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw refuse(source) }
      if count == 0 { break }
      var done = 0
      while done < count {
        let written = write(output, memory.baseAddress! + done, count - done)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw refuse(target) }
        done += written
      }
    }
    if let folder, stat(folder, &status) == 0, status.st_uid != geteuid() {
      guard fchown(output, status.st_uid, status.st_gid) == 0 else { throw refuse(target) }
    }
    // A link, unlike a rename, never replaces a file that is there.
    guard fsync(output) == 0, link(draft, target) == 0 else { throw refuse(target) }
    let place = open(FilePath.folder(of: target), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if place >= 0 {
      fsync(place)
      close(place)
    }
  }
}
