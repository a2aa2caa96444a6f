internal import CSluice

extension ShardContext {
  /// Whether the shard is drained because the plugin is switched off or the tenant is no more, so that clients are not to
  /// come back. False before `drain`. Loop thread only.
  public var isLeaving: Bool {
    guard let (http, host) = http,
      Int(http.pointee.struct_size) > MemoryLayout.offset(of: \sluice_http_v1_t.ending) ?? .max
    else { return false }
    return http.pointee.ending(host) == SLUICE_ENDING_GONE
  }
}
