import FuzzTargets
import Glibc

/// What libFuzzer calls with each input that it has made up. `FUZZ_TARGET` names the target.
private let target: FuzzTarget = {
  let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    fatalError("FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue))")
  }
  return target
}()

// swift-format-ignore: AlwaysUseLowerCamelCase
@c public func LLVMFuzzerTestOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  target.run(UnsafeRawBufferPointer(start: bytes, count: count))
  return 0
}
