import Glibc
import PluginHost

/// One folder for each process, because manifests and libraries are files.
private let folder: String = {
  let path = "/tmp/sluice-fuzz-\(getpid())"
  mkdir(path, 0o700)
  mkdir(path + "/echo", 0o700)
  return path + "/echo"
}()

private func write(_ input: UnsafeRawBufferPointer, to path: String) {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  guard descriptor >= 0 else { fatalError("cannot write \(path)") }
  defer { close(descriptor) }
  if let base = input.baseAddress { _ = Glibc.write(descriptor, base, input.count) }
}

/// plugin.json: refused with at least one reason, or understood.
func fuzzManifest(_ input: UnsafeRawBufferPointer) {
  write(input, to: folder + "/plugin.json")
  do throws(ConfigurationError) {
    let manifest = try PluginManifest.read(folder: folder)
    promise(!manifest.id.isEmpty, "a manifest that is taken has an id")
  } catch {
    promise(!error.problems.isEmpty, "a manifest is refused with a reason")
    for problem in error.problems { _ = "\(problem)" }
  }
}

/// Shared objects, before the loader is asked to map them.
func fuzzELF(_ input: UnsafeRawBufferPointer) {
  let path = folder + "/libecho.so"
  write(input, to: path)
  guard let image = try? ELFImage(path: path) else { return }
  _ = image
}
