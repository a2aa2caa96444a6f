internal import CUV

/// What has a poll handle, and is closed with its loop.
protocol PollOwner: AnyObject {
  func close()
}

/// The memory of a poll handle, and who has it.
struct PollStorage {
  var poll = uv_poll_t()
  /// Held until the handle is closed: a ``PollOwner``.
  var owner: Unmanaged<AnyObject>?

  /// Whose handle it is. `storage` is the handle's own address.
  static func owner(at storage: UnsafeMutableRawPointer) -> AnyObject {
    storage.assumingMemoryBound(to: PollStorage.self).pointee.owner.unsafelyUnwrapped
      .takeUnretainedValue()
  }
}

extension UnsafeMutablePointer<PollStorage> {
  var poll: UnsafeMutablePointer<uv_poll_t> {
    UnsafeMutableRawPointer(self).assumingMemoryBound(to: uv_poll_t.self)
  }

  /// Closes the handle; at the end of the tick its memory goes, and its owner is let go of.
  func close() {
    let handle = UnsafeMutableRawPointer(self).assumingMemoryBound(to: uv_handle_t.self)
    uv_close(handle) { handle in
      let storage = UnsafeMutableRawPointer(handle.unsafelyUnwrapped)
        .assumingMemoryBound(to: PollStorage.self)
      let owner = storage.pointee.owner
      storage.deallocate()
      owner?.release()
    }
  }
}
