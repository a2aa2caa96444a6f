internal import Glibc

/// Makes the tenants of the operator's files with their settings, as a start would, over data that is thrown away.
public enum SettingsTrial {
  /// What stands against the settings beyond their schemas: what the plugins themselves say of them. Blocking; plugins' code runs, so
  /// it is for a process of its own.
  ///
  /// - Returns: a line each; empty when nothing is wrong.
  public static func problems(of configuration: SluiceConfiguration) -> [String] {
    let place = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(place)/sluice-check-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      return ["no folder can be made in \(place): \(String(cString: strerror(errno)))"]
    }
    let folder = template.withUnsafeBufferPointer {
      String(cString: $0.baseAddress.unsafelyUnwrapped)
    }
    defer { TenantFolders.removeTree(folder, depth: 0) }
    var trial = configuration
    trial.dataDirectory = folder
    trial.listeners = []
    trial.loops = 1
    trial.log = LogSettings()
    trial.log.level = .error
    trial.log.access = .off
    do throws(StartError) {
      try Server(configuration: trial, makesAllTenants: true).stop()
      return []
    } catch {
      return error.description.split(separator: "\n").map(String.init)
    }
  }
}
