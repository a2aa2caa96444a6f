/* libuv as Swift sees it, and the one handle that has to be a C type. */
#ifndef SLUICE_CUV_SHIM_H
#define SLUICE_CUV_SHIM_H

/* malloc_trim(3), eventfd(2). */
#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <uv.h>

/* accept4(2), pthread_setname_np(3) and syscall(2): glibc declares them for _GNU_SOURCE alone, which Swift's
 * own module of glibc does not define. */
extern int cuv_accept4(int socket, struct sockaddr *_Nonnull address, socklen_t *_Nonnull size,
                       int flags) __asm__("accept4");
extern long cuv_system_call(long number, ...) __asm__("syscall");
extern int cuv_thread_set_name(pthread_t thread, const char *_Nonnull name)
    __asm__("pthread_setname_np");

/*
 * sched_setattr(2), for which glibc has no function: the calling thread gets this nice value, 0 to 19, and asks to run for
 * so many nanoseconds at a time. Since Linux 6.12 whoever asks for less does not wait for it when he wakes; older kernels
 * take no notice. 0, or -1 with errno.
 */
static inline int cuv_set_schedule(int32_t niceness, uint64_t slice) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t niceness;
    uint32_t priority;
    uint64_t slice, deadline, period;
  } attributes = {.size = sizeof attributes, .niceness = niceness, .slice = slice};
  return (int)cuv_system_call(SYS_sched_setattr, 0, &attributes, 0);
}

/*
 * The handle of one TCP connection. It is a C struct because stream callbacks are C functions
 * (one pointer, no context, no reference counting), and a C function can only take C types.
 * The module EventLoop gives it all of its meaning; `storage` is private to that module.
 */
struct sluice_tcp_stream {
  void *_Nonnull storage;
} __attribute__((swift_name("TCPStream")));

#endif
