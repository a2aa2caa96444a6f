/* Shows ThreadSanitizer what Swift's Mutex does where it must wait.
 *
 * A Mutex that is free is taken by an atomic operation in our own code, which the sanitizer sees. One that is not is handed
 * over by the kernel, inside libswiftSynchronization, which is built without the sanitizer: whatever passes from thread to
 * thread by it would be reported as a race. These two functions stand before the library's (LD_PRELOAD), do as they do, and
 * say what it means.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

/* Absent in a process without the sanitizer. */
__attribute__((weak)) void __tsan_acquire(void *);
__attribute__((weak)) void __tsan_release(void *);

SWIFT void wait_for_mutex(uint32_t thread, SELF void *mutex) __asm__(LOCK);
SWIFT void hand_over_mutex(SELF void *mutex) __asm__(UNLOCK);

SWIFT void wait_for_mutex(uint32_t thread, SELF void *mutex)
{
    SWIFT void (*lock)(uint32_t, SELF void *) = (void SWIFT (*)(uint32_t, SELF void *))dlsym(RTLD_NEXT, LOCK);
    lock(thread, mutex);
    if (__tsan_acquire)
        __tsan_acquire(mutex);
}

SWIFT void hand_over_mutex(SELF void *mutex)
{
    SWIFT void (*unlock)(SELF void *) = (void SWIFT (*)(SELF void *))dlsym(RTLD_NEXT, UNLOCK);
    if (__tsan_release)
        __tsan_release(mutex);
    unlock(mutex);
}
