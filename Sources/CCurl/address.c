#include <CCurl.h>
#include <netinet/in.h>
#include <string.h>

/* Whether an IPv4 address in host order is one of the internet at large (RFC 6890). */
static int is_public_v4(uint32_t a) {
  return !((a >> 24) == 0 || (a >> 24) == 10 || (a >> 24) == 127 || (a >> 22) == (0x64400000u >> 22) ||
           (a >> 16) == 0xA9FE || (a >> 20) == 0xAC1 || (a >> 8) == 0xC00000 || (a >> 16) == 0xC0A8 ||
           (a >> 17) == (0xC6120000u >> 17) || (a >> 28) >= 14);
}

int ccurl_is_public(const struct sockaddr *address) {
  if (address->sa_family == AF_INET) {
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof v4);
    return is_public_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    const unsigned char *b = v6.sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      return is_public_v4((uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15]);
    }
    /* Global unicast is 2000::/3; of it, 2001::/23 is for protocols, one of which wraps IPv4, 2001:db8::/32 and 3fff::/20 are
     * for examples, and 2002::/16 wraps IPv4. */
    return (b[0] & 0xE0) == 0x20 && !(b[0] == 0x20 && b[1] == 0x01 && (b[2] & 0xFE) == 0) &&
           !(b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0D && b[3] == 0xB8) && !(b[0] == 0x20 && b[1] == 0x02) &&
           !(b[0] == 0x3F && b[1] == 0xFF && (b[2] & 0xF0) == 0);
  }
  return 0;
}
