internal import CSluice

/// `sluice.files/1`: a folder for what is a file and not a row.
struct Files {
  let link: HostLink

  /// As `InstanceContext.folder()`.
  func folder() throws -> String {
    let (files, host) = try link.require("sluice.files/1", sluice_files_v1_t.self)
    let folder = Bytes(files.pointee.folder(host))
    guard folder.isPresent else {
      throw HostError(.unavailable, "The plugin's folder cannot be made; the log says why.")
    }
    return folder.text
  }
}
