internal import CUV
internal import Glibc

/// Starts a thread. The caller joins or detaches it.
func startThread(
  name: String, stackBytes: Int, _ body: @escaping @Sendable () -> Void
) throws(SystemError) -> pthread_t {
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setstacksize(&attributes, stackBytes)
  let shortName = String(decoding: name.utf8.prefix(15), as: UTF8.self)
  let box = ClosureBox {
    cuv_thread_set_name(pthread_self(), shortName)
    body()
  }
  let context = Unmanaged.passRetained(box)
  var thread = pthread_t()
  let status = pthread_create(
    &thread, &attributes,
    { context in
      Unmanaged<ClosureBox>.fromOpaque(context.unsafelyUnwrapped).takeRetainedValue().body()
      return nil
    }, context.toOpaque())
  guard status == 0 else {
    context.release()
    throw SystemError("pthread_create", code: status)
  }
  return thread
}

/// Something that one thread waits for and another one raises.
///
/// `@unchecked Sendable`: a semaphore is made to be used from several threads.
final class Flag: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func raise() { sem_post(semaphore) }

  func wait() {
    while sem_wait(semaphore) != 0 {}
  }
}
