/* SPDX-License-Identifier: MIT */
/*
 * What a segment carries, for replays (tcp_observe.h). Options are told by kind and a length that
 * the kind can have; each kind counts once a segment, and a malformed one ends the walk (RFC 9293
 * 3.1), whatever the connection would make of them.
 */
#include "tcp/tcp_observe.h"

#include "wire/tcp.h"

#define TCPOPT_MPTCP 30 /* RFC 8684 3 */

#define SEEN_SACK_PERM 0x01u
#define SEEN_SACK      0x02u
#define SEEN_WSCALE    0x04u
#define SEEN_TS	       0x08u
#define SEEN_TFO       0x10u
#define SEEN_MD5       0x20u
#define SEEN_MPTCP     0x40u

static u32 option_seen(u8 kind, u32 size)
{
	switch (kind) {
	case TCPOPT_SACK_PERM:
		return size == 2 ? SEEN_SACK_PERM : 0;
	case TCPOPT_SACK:
		return size >= 10 && size % 8 == 2 ? SEEN_SACK : 0;
	case TCPOPT_WINDOW:
		return size == 3 ? SEEN_WSCALE : 0;
	case TCPOPT_TIMESTAMP:
		return size == 10 ? SEEN_TS : 0;
	case TCPOPT_FASTOPEN:
		return SEEN_TFO;
	case TCPOPT_MD5SIG:
		return size == 18 ? SEEN_MD5 : 0;
	case TCPOPT_MPTCP:
		return size >= 3 ? SEEN_MPTCP : 0;
	default:
		return 0;
	}
}

static u32 options_seen(const u8 *opts, u32 len)
{
	u32 at = 0, size, seen = 0;
	u8 kind;

	if (!len)
		return 0;
	do {
		at = tcp_option_next(opts, len, at, &kind, &size);
		if (size)
			seen |= option_seen(kind, size);
	} while (size && at);
	return seen;
}

void tcp_observe(struct net *net, const u8 *th)
{
	u32 seen = options_seen(th + TCP_HLEN, tcp_doff(th) - TCP_HLEN);
	u8 flags = tcp_flags(th);

	if ((flags & (TCPHDR_SYN | TCPHDR_ACK)) == TCPHDR_SYN)
		MIB_INC(net, SeenTcpSyns);
	if ((flags & (TCPHDR_SYN | TCPHDR_ACK)) == (TCPHDR_SYN | TCPHDR_ACK))
		MIB_INC(net, SeenTcpSynAcks);
	MIB_ADD(net, SeenTcpFins, (flags & TCPHDR_FIN) != 0);
	MIB_ADD(net, SeenTcpRsts, (flags & TCPHDR_RST) != 0);
	MIB_ADD(net, SeenTcpUrgs, (flags & TCPHDR_URG) != 0);
	MIB_ADD(net, SeenTcpOptSackPerms, (seen & SEEN_SACK_PERM) != 0);
	MIB_ADD(net, SeenTcpOptSacks, (seen & SEEN_SACK) != 0);
	MIB_ADD(net, SeenTcpOptWscales, (seen & SEEN_WSCALE) != 0);
	MIB_ADD(net, SeenTcpOptTimestamps, (seen & SEEN_TS) != 0);
	MIB_ADD(net, SeenTcpOptFastOpens, (seen & SEEN_TFO) != 0);
	MIB_ADD(net, SeenTcpOptMd5s, (seen & SEEN_MD5) != 0);
	MIB_ADD(net, SeenTcpOptMptcps, (seen & SEEN_MPTCP) != 0);
}
