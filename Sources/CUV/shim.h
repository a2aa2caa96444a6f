/* libuv as Swift sees it, and the one handle that has to be a C type. */
#ifndef SLUICE_CUV_SHIM_H
#define SLUICE_CUV_SHIM_H

/* malloc_trim(3). */
#include <malloc.h>
#include <uv.h>

/* accept4(2) and pthread_setname_np(3): glibc declares them for _GNU_SOURCE alone, which Swift's
 * own module of glibc does not define. */
extern int cuv_accept4(int socket, struct sockaddr *_Nonnull address, socklen_t *_Nonnull size,
                       int flags) __asm__("accept4");
extern int cuv_thread_set_name(pthread_t thread, const char *_Nonnull name)
    __asm__("pthread_setname_np");

/*
 * The handle of one TCP connection. It is a C struct because stream callbacks are C functions
 * (one pointer, no context, no reference counting), and a C function can only take C types.
 * The module EventLoop gives it all of its meaning; `storage` is private to that module.
 */
struct sluice_tcp_stream {
  void *_Nonnull storage;
} __attribute__((swift_name("TCPStream")));

#endif
