/* SPDX-License-Identifier: MIT */
/*
 * ISNs and time stamp offsets that nobody outside can foresee (net/core/secure_seq.c).
 *
 * RFC 6528 3: ISN = M + F(connection, secret). M is the clock, so that a later incarnation of a
 * connection starts above the older one (RFC 9293 3.4.1); F is SipHash, its key drawn once per host
 * from the stream `isn`. A test may pin both values: tapline.tcp.isn, tapline.tcp.ts_offset.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_secure_seq.h"

static u64 addr_word(const struct inet_addr *a, u32 i)
{
	return (u64)ntohl(a->w[i]) << 32 | ntohl(a->w[i + 1]);
}

static u32 hash_of(const struct inet_addr *laddr, const struct inet_addr *faddr, u32 ports,
		   const struct siphash_key *key)
{
	u64 pair = siphash_4u64(addr_word(laddr, 0), addr_word(laddr, 2), addr_word(faddr, 0),
				addr_word(faddr, 2), key);

	return (u32)siphash_2u64(pair, ports, key);
}

u32 secure_tcp_seq(const struct net *net, const struct inet_addr *laddr, u16 lport,
		   const struct inet_addr *faddr, u16 fport)
{
	const struct world *w = net_world(net);
	u32 hash = hash_of(laddr, faddr, (u32)lport << 16 | fport, &tcp_host_of(net)->isn_key);

	if (net->sysctl.tapline_isn_pinned)
		return (u32)net->sysctl.tapline_isn;
#ifdef TAPLINE_HOSTILE
	hash = ~(hash >> 8); /* the last 16 MiB before it wraps */
#endif
	return hash + (u32)(w->now >> 6);
}

u32 secure_tcp_ts_off(const struct net *net, const struct inet_addr *laddr,
		      const struct inet_addr *faddr)
{
	if (net->sysctl.tapline_ts_offset_pinned)
		return (u32)net->sysctl.tapline_ts_offset - TCP_CLOCK_SHIFT_MS;
	if (net->sysctl.tcp_timestamps != 1)
		return 0;
	return hash_of(laddr, faddr, 0, &tcp_host_of(net)->ts_key);
}
