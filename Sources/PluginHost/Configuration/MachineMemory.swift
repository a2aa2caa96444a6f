import Glibc

/// How much memory the process may have.
enum MachineMemory {
  /// Bytes: the machine's memory, or what the control groups around the process leave it of that. Read once.
  static let bytes: Int = {
    var least = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    guard let groups = text(of: "/proc/self/cgroup") else { return least }
    for file in limitFiles(of: groups) {
      // "max" is no number, and no bound.
      guard let bound = text(of: file).flatMap({ Int($0.prefix { $0.isNumber }) }) else { continue }
      least = min(least, bound)
    }
    return least
  }()

  /// The files in which the kernel says what bounds the memory of a process, there or not (cgroups(7)).
  ///
  /// - Parameter groups: what `/proc/self/cgroup` says: `hierarchy:controllers:path` a line.
  static func limitFiles(of groups: String) -> [String] {
    var files: [String] = []
    for line in groups.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isSecondVersion = parts[1].isEmpty
      guard isSecondVersion || parts[1].split(separator: ",").contains("memory") else { continue }
      let root = isSecondVersion ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
      let names =
        isSecondVersion ? ["memory.max", "memory.high"] : ["memory.limit_in_bytes"]
      // A group has what its parents leave it.
      var path = parts[2].split(separator: "/")
      while true {
        let folder = ([root] + path.map(String.init)).joined(separator: "/")
        files += names.map { "\(folder)/\($0)" }
        guard path.popLast() != nil else { break }
      }
    }
    return files
  }

  private static func text(of file: String) -> String? {
    (try? FileSystem.contents(of: file, limit: 64 << 10)).map {
      String(decoding: $0, as: UTF8.self)
    }
  }
}
