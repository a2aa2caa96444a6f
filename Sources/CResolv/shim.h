/* glibc's resolver, as Swift sees it: headers only. Its calls wait for other machines: worker threads only. */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

/* In Swift the structure's own name is that of a function which <resolv.h> declares too. */
typedef struct __res_state resolver_state;
