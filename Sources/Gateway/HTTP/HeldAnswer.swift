internal import CSluice
internal import EventLoop
internal import Wire

/// An answer that a plugin has given where plugins have parts in `respond` or `observe`: the host calls no plugin from
/// inside a plugin's call, so it goes out when the one that gave it has returned.
struct HeldAnswer {
  let status: Int
  let contentType: [UInt8]
  /// Bytes of body; -1 for chunked. Of an answer in pieces.
  let length: Int64
  /// Whether it was given in one piece.
  let isWhole: Bool
  var body: [UInt8] = []
  var isEnded = false
  /// What to call when there is room for more: the plugin has been told that it was behind.
  var resume: Completion?
}

extension UnsafeMutablePointer where Pointee == RequestSlot {
  /// Whether answers of plugins are held until they have returned.
  @inline(__always)
  var holdsAnswers: Bool {
    guard let passage = pointee.passage else { return false }
    return passage.pointee.phases.pointee.seesAnswers
  }

  /// Whether a plugin is giving an answer in pieces that has not begun to go out.
  var isHeldStream: Bool {
    guard pointee.stage == .held, let held = pointee.passage?.pointee.held else { return false }
    return !held.isWhole && !held.isEnded
  }

  /// Holds an answer in one piece.
  func hold(
    _ status: Int, contentType: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer
  ) -> Int32 {
    guard pointee.stage.takesAnswer, let passage = pointee.passage else {
      return SLUICE_E_WRONG_STATE
    }
    passage.pointee.held = HeldAnswer(
      status: status, contentType: Array(contentType), length: 0, isWhole: true, body: Array(body))
    pointee.stage = .held
    renewToken()
    goOnOutsidePlugins()
    return SLUICE_OK
  }

  /// Holds a problem document.
  func holdProblem(
    _ status: Int, code: UnsafeRawBufferPointer, detail: UnsafeRawBufferPointer,
    errors: UnsafeRawBufferPointer
  ) -> Int32 {
    var text = ByteWriter(growingFrom: 512)
    defer { text.deallocate() }
    ProblemDocument.render(
      status: status, code: code, detail: detail, requestID: requestID, errors: errors, into: &text)
    return hold(status, contentType: ProblemDocument.contentType.raw, body: text.bytes)
  }

  /// Holds a problem of the host's own, which a call of the plugin has led to.
  func holdProblem(_ problem: ProblemCode, detail: String, errors: [FieldProblem]) {
    var detail = detail
    let rendered = ProblemDocument.render(errors)
    _ = detail.withUTF8 { detail in
      rendered.withUnsafeBytes { errors in
        holdProblem(
          problem.status, code: problem.code.raw, detail: UnsafeRawBufferPointer(detail),
          errors: errors)
      }
    }
  }

  /// Holds the beginning of an answer in pieces.
  func holdBegin(_ status: Int, contentType: UnsafeRawBufferPointer, length: Int64) -> Int32 {
    guard pointee.stage == .handling, let passage = pointee.passage else {
      return SLUICE_E_WRONG_STATE
    }
    guard entersConnections(length: length) else { return SLUICE_E_LIMITED }
    passage.pointee.held = HeldAnswer(
      status: status, contentType: Array(contentType), length: length, isWhole: false)
    pointee.stage = .held
    goOnOutsidePlugins()
    return SLUICE_OK
  }

  /// Holds a piece, of an answer whose beginning is held.
  func holdPiece(_ piece: UnsafeRawBufferPointer, resume: Completion) -> Int32 {
    guard isHeldStream, let passage = pointee.passage, let held = passage.pointee.held else {
      return SLUICE_E_WRONG_STATE
    }
    guard held.resume == nil else { return SLUICE_E_OVERLOADED }
    let count = held.body.count + piece.count
    guard held.length < 0 || Int64(count) <= held.length else { return SLUICE_E_INVALID }
    passage.pointee.held?.body.append(contentsOf: piece)
    guard count > loop.pointee.settings.answerQueueBytes else { return SLUICE_OK }
    passage.pointee.held?.resume = resume
    pointee.flags.insert(.hasWaited)
    return SLUICE_PENDING
  }

  /// Holds the end of an answer whose beginning is held.
  func holdEnd() -> Int32 {
    guard isHeldStream, let passage = pointee.passage, let held = passage.pointee.held else {
      return SLUICE_E_WRONG_STATE
    }
    passage.pointee.held?.isEnded = true
    renewToken()
    // Again, because what was posted before names the old token.
    goOnOutsidePlugins()
    let isShort = held.length > Int64(held.body.count) && !pointee.flags.contains(.isHead)
    return isShort ? SLUICE_E_INVALID : SLUICE_OK
  }

  /// An answer in pieces is complete, but for those who observe it.
  func holdFinish() {
    pointee.stage = .held
    renewToken()
    goOnOutsidePlugins()
  }

  /// Gives what was held; the plugin has returned.
  func giveHeldAnswer() {
    pointee.stage = .handling
    guard let passage = pointee.passage, let held = passage.pointee.held else { return finish() }
    passage.pointee.held = nil
    held.contentType.withUnsafeBytes { contentType in
      held.body.withUnsafeBytes { body in
        if held.isWhole {
          answer(held.status, contentType: contentType, body: body)
        } else if begin(held.status, contentType: contentType, length: held.length) == SLUICE_OK {
          put(body)
        }
      }
    }
    guard pointee.stage == .streaming else { return }
    if held.isEnded {
      pointee.stream.resume = held.resume
      _ = endStream()
    } else if let resume = held.resume, !wait(for: resume) {
      end(resume, "write completion", SLUICE_OK)
    }
  }
}
