/* SPDX-License-Identifier: MIT */
/* Initial sequence numbers (RFC 6528) and time stamp offsets (RFC 7323 5.4) of connections. */
#ifndef TAPLINE_TCP_TCP_SECURE_SEQ_H
#define TAPLINE_TCP_TCP_SECURE_SEQ_H

#include "inet/inet_hashtables.h"

/* What TCP keeps per host beside the tables. host->tcp_hashinfo points to its first member. */
struct tcp_host {
	struct inet_hashinfo hashinfo; /* first */
	struct siphash_key isn_key, ts_key;
	struct siphash_key cookie_key[2]; /* of SYN cookies */
	struct hlist_head *metrics; /* tcp_metrics.c; NULL: there are none yet */
};

static inline struct tcp_host *tcp_host_of(const struct net *net)
{
	return container_of(inet_hashinfo_of(net), struct tcp_host, hashinfo);
}

/* ISN = M + F(laddr, lport, faddr, fport, key); M counts 64 ns, as in the kernel. */
u32 secure_tcp_seq(const struct net *net, const struct inet_addr *laddr, u16 lport,
		   const struct inet_addr *faddr, u16 fport);
/* Added to our time stamps on all connections of a pair of addresses; 0 unless tcp_timestamps is 1.
 */
u32 secure_tcp_ts_off(const struct net *net, const struct inet_addr *laddr,
		      const struct inet_addr *faddr);

#endif
