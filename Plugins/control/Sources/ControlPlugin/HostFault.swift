internal import PluginKit

/// A fault of what was put, as the host tells it.
struct HostFault: Decodable {
  private var pointer: String
  private var message: String

  /// The faults that a refusal of the host tells, as a client is told of them: never as a text that is no sentence.
  ///
  /// - Parameter place: the pointer of what was put, in the request's body.
  static func all(in error: HostError, under place: String) -> [Problem.Fault] {
    let faults = (try? JSON.decode([HostFault].self, from: Array(error.text.utf8))) ?? []
    guard !faults.isEmpty || error.text.isEmpty else {
      return [Problem.Fault(pointer: place, message: error.text)]
    }
    return faults.map { Problem.Fault(pointer: place + $0.pointer, message: $0.message) }
  }
}
