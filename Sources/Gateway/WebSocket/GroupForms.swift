internal import Deflate
internal import EventLoop
internal import Wire

/// The compressed forms of a group's messages, each made once for all members whose windows are of one size.
///
/// Every message is compressed by itself, so that one frame suits them all; a member that keeps a context of its own
/// begins it anew behind such a frame. Made when the first member that compresses joins. Confined to its loop.
struct GroupForms {
  /// A member's form: 0 is as it is, else its window's bits less eight.
  typealias Index = UInt8

  private var members = InlineArray<8, Int32>(repeating: 0)
  /// This tick's frames by form; nil while they are the same as those of form 0.
  private var batches = InlineArray<8, SharedChunk?>(repeating: nil)
  /// The best level that any member's route asked for.
  private var level: UInt8 = 1
  /// The smallest message that any member's route compresses.
  private var minimumBytes = UInt16.max

  static func index(of deflate: SocketDeflate) -> Index {
    deflate.isAgreed ? deflate.windowBits - 8 : 0
  }

  mutating func add(_ deflate: SocketDeflate) {
    members[Int(Self.index(of: deflate))] += 1
    level = max(level, deflate.level)
    minimumBytes = min(minimumBytes, deflate.minimumBytes)
  }

  mutating func remove(_ index: Index) { members[Int(index)] -= 1 }

  /// This tick's frames in a form, where they differ from those of form 0.
  func batch(_ index: Index) -> SharedChunk? { batches[Int(index)] }

  /// Adds a message to every form that somebody needs, before it is added to form 0.
  ///
  /// - Parameters:
  ///   - plain: the frames of form 0 so far, with room for the message's frame.
  ///   - header: the header of the message's frame in form 0.
  mutating func append(
    _ opcode: Opcode, _ message: UnsafeRawBufferPointer, header: UnsafeRawBufferPointer,
    after plain: SharedChunk, on loop: LoopPointer
  ) {
    let mayCompress = message.count >= Int(minimumBytes) && loop.mayCompress(message.count)
    var made: (bits: UInt8, frame: UnsafeRawBufferPointer?) = (0, nil)
    for index in members.indices where index > 0 && members[index] > 0 {
      if mayCompress {
        let bits = Deflater.windowBits(for: message.count, atMost: UInt8(index) + 8)
        if bits != made.bits {
          made = (
            bits, loop.compressedFrame(opcode, message, windowBits: bits, level: level)
          )
        }
      }
      if let frame = made.frame {
        if batches[index] == nil {
          let batch = SharedChunk.make(capacity: plain.count + plain.room)
          batch.append(plain.bytes)
          batches[index] = batch
        }
        // Never longer than the message's frame in form 0, so it has room where that has.
        batches[index].unsafelyUnwrapped.append(frame)
      } else if let batch = batches[index] {
        batch.append(header)
        batch.append(message)
      }
    }
  }

  /// Ends the tick.
  mutating func releaseBatches() {
    for index in batches.indices {
      batches[index]?.release()
      batches[index] = nil
    }
  }
}
