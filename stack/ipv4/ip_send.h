/* SPDX-License-Identifier: MIT */
/* What the files of output share among themselves. */
#ifndef TAPLINE_IPV4_IP_SEND_H
#define TAPLINE_IPV4_IP_SEND_H

#include "ipv4/ip.h"

/* TTL of a unicast packet: the socket's, the route's, the sysctl. */
u8 ip_select_ttl(const struct sock *sk, const struct dst_entry *dst, const struct net *net);
/* By IP_MTU_DISCOVER of the socket (sk NULL: no). */
bool ip_dont_fragment(const struct sock *sk, const struct rtable *rt);
/* From the hashed counters in every case. */
void ip_select_ident_key(struct net *net, u8 *iph, u32 segs);
void ip_idents_free(struct host *h);

#endif
