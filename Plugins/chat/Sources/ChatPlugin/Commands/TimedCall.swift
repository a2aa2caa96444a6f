internal import PluginKit

extension ChatShard {
  /// Asks another plugin, and waits for it no longer than so many milliseconds.
  ///
  /// - Throws: `HostError` `.deadline` when that is over, or what `Services.call` does.
  func ask<Question: Encodable, Answer: Decodable & Sendable>(
    _ service: String, key: String? = nil, method: UInt32, _ question: Question,
    within milliseconds: Int
  ) async throws -> Answer {
    let race = Race<Answer>()
    let timer = try context.timers.after(milliseconds: milliseconds) {
      race.end(.failure(HostError(.deadline, "no answer after \(milliseconds) ms")))
    }
    defer { context.timers.cancel(timer) }
    context.spawn { [self] in
      do {
        race.end(
          .success(
            try await context.services.call(service, key: key, method: method, question)))
      } catch {
        race.end(.failure(error))
      }
    }
    let result = await withUnsafeContinuation { race.begin($0) }
    return try result.get()
  }
}

/// What comes first: the answer, or the end of the time. Loop thread only.
private final class Race<Answer: Sendable> {
  private var waiting: UnsafeContinuation<Result<Answer, any Error>, Never>?
  private var result: Result<Answer, any Error>?

  func begin(_ continuation: UnsafeContinuation<Result<Answer, any Error>, Never>) {
    if let result { return continuation.resume(returning: result) }
    waiting = continuation
  }

  func end(_ result: Result<Answer, any Error>) {
    guard self.result == nil else { return }
    self.result = result
    waiting?.resume(returning: result)
    waiting = nil
  }
}
