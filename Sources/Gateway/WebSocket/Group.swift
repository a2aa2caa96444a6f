internal import EventLoop
internal import Wire

typealias GroupPointer = UnsafeMutablePointer<Group>

/// A set of sockets that get the same messages. Confined to its loop.
struct Group {
  /// The generation that made it.
  var owner: UnsafeMutableRawPointer?
  var token: UInt64 = 0
  var members: [Member] = []
  /// The frames of this tick, shared by all members.
  var batch: SharedChunk?
  var messages = 0
  /// The frames compressed, once a member that compresses has joined.
  var forms: UnsafeMutablePointer<GroupForms>?

  struct Member {
    let socket: SocketPointer
    /// Where the group stands in the socket's list.
    var membership: Int32
    /// Which form of the frames it gets.
    let form: GroupForms.Index
  }
}

/// A socket's knowledge of a group that it is in.
struct Membership {
  let group: GroupPointer
  /// Where the socket stands in the group.
  var member: Int
}

extension UnsafeMutablePointer where Pointee == SocketState {
  /// Where the socket stands in a group; nil when it is no member.
  func member(of group: GroupPointer) -> Int? {
    for position in 0..<Int(pointee.membershipCount) {
      let membership = pointee.memberships.unsafelyUnwrapped[position]
      if membership.group == group { return membership.member }
    }
    return nil
  }
}

extension UnsafeMutablePointer where Pointee == LoopState {
  /// How large a tick's batch may get before it is sent.
  private static var batchBytes: Int { 256 * 1024 }

  func group(_ token: UInt64) -> GroupPointer? {
    pointee.tokens.resolve(token, .group)?.assumingMemoryBound(to: Group.self)
  }

  func makeGroup() -> UInt64 {
    let group = GroupPointer.allocate(capacity: 1)
    group.initialize(to: Group())
    group.pointee.token = pointee.tokens.insert(UnsafeMutableRawPointer(group), .group)
    return group.pointee.token
  }

  func destroy(_ group: GroupPointer) {
    flush(group)
    for member in group.pointee.members.indices.reversed() { leave(group, member) }
    pointee.tokens.remove(group.pointee.token)
    group.pointee.forms?.deallocate()
    group.deinitialize(count: 1)
    group.deallocate()
  }

  /// Adds a socket; twice is once.
  func join(_ group: GroupPointer, _ socket: SocketPointer) {
    guard socket.member(of: group) == nil else { return }
    flush(group)
    let position = Int(socket.pointee.membershipCount)
    if position == Int(socket.pointee.membershipCapacity) {
      let capacity = Swift.max(1, position * 2)
      let fresh = UnsafeMutablePointer<Membership>.allocate(capacity: capacity)
      if let old = socket.pointee.memberships {
        fresh.moveInitialize(from: old, count: position)
        old.deallocate()
      }
      socket.pointee.memberships = fresh
      socket.pointee.membershipCapacity = UInt32(capacity)
    }
    (socket.pointee.memberships.unsafelyUnwrapped + position).initialize(
      to: Membership(group: group, member: group.pointee.members.count))
    socket.pointee.membershipCount += 1
    let deflate = socket.pointee.deflate
    group.pointee.members.append(
      Group.Member(
        socket: socket, membership: Int32(position), form: GroupForms.index(of: deflate)))
    guard deflate.isAgreed else { return }
    if group.pointee.forms == nil {
      group.pointee.forms = .allocate(capacity: 1)
      group.pointee.forms.unsafelyUnwrapped.initialize(to: GroupForms())
    }
    group.pointee.forms.unsafelyUnwrapped.pointee.add(deflate)
  }

  /// Removes a socket; false when it is no member.
  func leave(_ group: GroupPointer, socket: SocketPointer) -> Bool {
    guard let member = socket.member(of: group) else { return false }
    flush(group)
    leave(group, member)
    return true
  }

  /// Takes a socket that has ended out of all its groups.
  func leaveGroups(_ socket: SocketPointer) {
    if pointee.groups.speaker == socket { pointee.groups.speaker = nil }
    while socket.pointee.membershipCount > 0 {
      let last = socket.pointee.memberships.unsafelyUnwrapped[
        Int(socket.pointee.membershipCount) - 1]
      leave(last.group, last.member)
    }
  }

  private func leave(_ group: GroupPointer, _ member: Int) {
    let gone = group.pointee.members[member]
    // The last member takes the place in the group, the last membership the place in the socket.
    let lastMember = group.pointee.members.count - 1
    if member != lastMember {
      let moved = group.pointee.members[lastMember]
      group.pointee.members[member] = moved
      moved.socket.pointee.memberships.unsafelyUnwrapped[Int(moved.membership)].member = member
    }
    group.pointee.members.removeLast()
    if gone.form != 0 { group.pointee.forms?.pointee.remove(gone.form) }
    let memberships = gone.socket.pointee.memberships.unsafelyUnwrapped
    let lastMembership = Int(gone.socket.pointee.membershipCount) - 1
    if gone.membership != lastMembership {
      let moved = memberships[lastMembership]
      memberships[Int(gone.membership)] = moved
      moved.group.pointee.members[moved.member].membership = gone.membership
    }
    gone.socket.pointee.membershipCount -= 1
  }

  /// Adds a message to what the group's members get at the end of this tick.
  func send(_ group: GroupPointer, _ opcode: Opcode, _ message: UnsafeRawBufferPointer) {
    let room = FrameEncoder.headerBytes(message.count) + message.count
    if let batch = group.pointee.batch, batch.room < room { flush(group) }
    if group.pointee.batch == nil {
      group.pointee.batch = SharedChunk.make(
        capacity: Swift.max(room, group.pointee.messages > 1 ? 16_384 : 1024))
      pointee.groups.armed.append(group)
      pointee.groupHook.arm()
      group.pointee.messages = 0
    }
    let batch = group.pointee.batch.unsafelyUnwrapped
    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { header in
      var frame = ByteWriter(header.baseAddress.unsafelyUnwrapped, capacity: 16)
      FrameEncoder.appendHeader(opcode, length: message.count, to: &frame)
      group.pointee.forms?.pointee.append(
        opcode, message, header: frame.bytes, after: batch, on: self)
      batch.append(frame.bytes)
    }
    batch.append(message)
    group.pointee.messages += 1
    pointee.metrics.add(.groupMessages)
  }
}
