internal import EventLoop
internal import Wire

/// Groups with something to send.
struct GroupOutbox {
  var armed: [GroupPointer] = []
  /// The socket that spoke last: of each group that it is in, it is the first to hear.
  ///
  /// Whoever sends a message waits for it most, and can prepare the next while the others get theirs. Cleared when the
  /// socket ends.
  var speaker: SocketPointer?
}

/// What a flush of a group has come to.
private struct GroupFlush {
  let batch: SharedChunk
  let forms: UnsafeMutablePointer<GroupForms>?
  /// Members whose queue has passed its bound; only marked, because ending one changes the list that is walked.
  var slow: [SocketPointer] = []
  var sockets = 0
  var bytes = 0

  init(batch: SharedChunk, forms: UnsafeMutablePointer<GroupForms>?) {
    self.batch = batch
    self.forms = forms
  }

  mutating func add(_ count: Int) {
    sockets += 1
    bytes += count
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// Sends a group's batch to its members.
  func flush(_ group: GroupPointer) {
    guard let batch = group.pointee.batch else { return }
    group.pointee.batch = nil
    if let position = pointee.groups.armed.firstIndex(of: group) {
      pointee.groups.armed.remove(at: position)
    }
    var tally = GroupFlush(batch: batch, forms: group.pointee.forms)
    let speaker = pointee.groups.speaker
    let first = speaker.flatMap { $0.member(of: group) }
    group.pointee.members.withUnsafeBufferPointer { members in
      if let first { send(&tally, to: members[first]) }
      for member in members where member.socket != speaker { send(&tally, to: member) }
    }
    pointee.metrics.add(.webSocketMessagesSent, tally.sockets * group.pointee.messages)
    pointee.metrics.add(.bytesSent, tally.bytes)
    batch.release()
    tally.forms?.pointee.releaseBatches()
    for socket in tally.slow { socket.endSlow() }
  }

  @inline(__always)
  private func send(_ tally: inout GroupFlush, to member: Group.Member) {
    let socket = member.socket
    guard socket.canSend else { return }
    var chunk = tally.batch
    if let forms = tally.forms, let compressed = forms.pointee.batch(member.form) {
      chunk = compressed
      socket.pointee.deflate.flags.insert(.isStale)
    }
    let connection = socket.pointee.connection
    let bound = pointee.settings.socketQueueBytes
    if socket.pointee.flags.contains(.isOpening) {
      // Behind the answer to the handshake, which is not out yet.
      socket.appendApart(chunk.bytes)
      tally.sockets += 1
      return
    }
    if socket.isOverHTTP2 {
      socket.stream.append(shared: chunk)
      tally.add(chunk.count)
      if socket.queuedBytes > bound { tally.slow.append(socket) }
      return
    }
    if pointee.outputOwner == connection { connection.flush() }
    let stream = connection.pointee.stream
    let isPlain = connection.pointee.secure == nil
    switch isPlain ? stream.write(shared: chunk) : connection.writeEncrypted(chunk.bytes) {
    case .written: tally.add(chunk.count)
    case .queued:
      tally.add(chunk.count)
      if stream.queuedBytes > bound { tally.slow.append(socket) }
    case .failed: stream.close()
    }
  }

  /// Sends what groups of this socket hold, so that what follows stays behind it.
  @inline(__always)
  func flushGroups(of socket: SocketPointer) {
    guard !pointee.groups.armed.isEmpty else { return }
    for position in 0..<Int(socket.pointee.membershipCount) {
      flush(socket.pointee.memberships.unsafelyUnwrapped[position].group)
    }
  }

  /// The end of a tick: everything that was laid out is sent.
  func endTick() {
    if let owner = pointee.outputOwner { owner.flush() }
    repeat {
      while let group = pointee.groups.armed.last { flush(group) }
      produceHTTP2()
    } while !pointee.groups.armed.isEmpty
  }
}
