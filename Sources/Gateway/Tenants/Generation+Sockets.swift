extension Generation {
  /// Adds a socket to those that keep the generation alive.
  func add(_ socket: SocketPointer) {
    socket.pointee.next = firstSocket
    firstSocket?.pointee.previous = socket
    firstSocket = socket
  }

  /// Takes a socket out again.
  func remove(_ socket: SocketPointer) {
    let (previous, next) = (socket.pointee.previous, socket.pointee.next)
    if let previous {
      previous.pointee.next = next
    } else if firstSocket == socket {
      firstSocket = next
    }
    next?.pointee.previous = previous
    socket.pointee.previous = nil
    socket.pointee.next = nil
  }
}
