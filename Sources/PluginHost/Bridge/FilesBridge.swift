internal import CSluice
internal import Gateway

/// `sluice.files/1` (ext/files.h).
enum FilesBridge {
  static let table = PermanentTable(
    sluice_files_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_files_v1_t>.size), reserved: 0,
      folder: { host in
        guard host.pointee.loop_index == SLUICE_NO_LOOP else { return .absent }
        let instance = instance(host)
        guard instance.host.control.isCurrent else { return .absent }
        if let folder = instance.folder { return folder.slice }
        do throws(FileSystem.Failure) {
          let folder = PermanentText(
            try TenantFolders.make(
              instance.plugin.manifest.id, of: instance.tenant,
              in: instance.host.configuration.dataDirectory))
          instance.folder = folder
          return folder.slice
        } catch {
          instance.host.log.write(
            .error, "the folder of a plugin cannot be made",
            fields: [
              "tenant": .string(instance.tenant), "plugin": .string(instance.plugin.manifest.id),
              "reason": .string(error.description),
            ])
          return .absent
        }
      }))

  private static let plain = table.pointer.pointee

  /// As ``table``; each function looks at its tag first.
  static let checkedTable = PermanentTable(
    sluice_files_v1_t(
      struct_size: UInt32(MemoryLayout<sluice_files_v1_t>.size), reserved: 0,
      folder: { host in
        CallCheck.onOwnThread(host, "sluice.files/1 folder") == nil ? plain.folder(host) : .absent
      }))
}
