/* SPDX-License-Identifier: MIT */
/*
 * SOF_TIMESTAMPING_OPT_STATS (tcp_get_timestamping_opt_stats of net/ipv4/tcp.c): with each time
 * stamp of what was sent comes how the connection stands, as netlink attributes TCP_NLA_* in their
 * order. Most of them are fields of struct tcp_info.
 *
 * Invariant: an attribute is a header of four bytes and its value, padded to four.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_user.h"

#include "wire/ip4.h"

enum { TCP_NLA_SNDQ_SIZE = 13, TCP_NLA_TIMEOUT_REHASH = 23, TCP_NLA_EDT = 25, TCP_NLA_TTL = 26 };

/* Type, bytes of the value, where it lies in struct tcp_info (0: it is not there). */
static const struct {
	u8 type, size, at;
} attrs[] = {
	{ 1, 8, 168 }, /* BUSY */
	{ 2, 8, 176 }, /* RWND_LIMITED */
	{ 3, 8, 184 }, /* SNDBUF_LIMITED */
	{ 4, 8, 156 }, /* DATA_SEGS_OUT */
	{ 5, 8, 100 }, /* TOTAL_RETRANS */
	{ 6, 8, 104 }, /* PACING_RATE */
	{ 7, 8, 160 }, /* DELIVERY_RATE */
	{ 8, 4, 80 }, /* SND_CWND */
	{ 9, 4, 88 }, /* REORDERING */
	{ 10, 4, 148 }, /* MIN_RTT */
	{ 11, 1, 2 }, /* RECUR_RETRANS */
	{ 12, 1, 7 }, /* DELIVERY_RATE_APP_LMT */
	{ 15, 4, 76 }, /* SND_SSTHRESH */
	{ 16, 4, 192 }, /* DELIVERED */
	{ 17, 4, 196 }, /* DELIVERED_CE */
	{ TCP_NLA_SNDQ_SIZE, 4, 0 },
	{ 14, 1, 1 }, /* CA_STATE */
	{ 18, 8, 200 }, /* BYTES_SENT */
	{ 19, 8, 208 }, /* BYTES_RETRANS */
	{ 20, 4, 216 }, /* DSACK_DUPS */
	{ 21, 4, 220 }, /* REORD_SEEN */
	{ 22, 4, 68 }, /* SRTT */
	{ TCP_NLA_TIMEOUT_REHASH, 2, 0 },
	{ 24, 4, 144 }, /* BYTES_NOTSENT */
	{ TCP_NLA_EDT, 8, 0 },
	{ TCP_NLA_TTL, 1, 0 },
	{ 27, 4, 236 }, /* REHASH */
};

#define OPT_STATS_ROOM (ARRAY_SIZE(attrs) * 12u)

static u64 value_of(const struct sock *sk, u32 i, const u8 *info, const struct sk_buff *orig,
		    const struct sk_buff *ack)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 at = attrs[i].at;

	switch (attrs[i].type) {
	case 4: /* 32 bits there */
	case 5:
		return get_le32(info + at);
	case 12:
		return info[at] & 1;
	case TCP_NLA_SNDQ_SIZE:
		return tp->write_seq - tp->snd_una;
	case TCP_NLA_TIMEOUT_REHASH: /* a time-out leaves the hash of a flow as it is */
		return 0;
	case TCP_NLA_EDT:
		return orig->tstamp;
	case TCP_NLA_TTL:
		return sk_is_ipv6(sk) ? skb_network_header(ack)[7] :
					ip4_ttl(skb_network_header(ack));
	default:
		return attrs[i].size == 8 ? get_le64(info + at) :
		       attrs[i].size == 4 ? get_le32(info + at) :
					    info[at];
	}
}

struct sk_buff *tcp_get_timestamping_opt_stats(struct sock *sk, const struct sk_buff *orig,
					       const struct sk_buff *ack)
{
	struct sk_buff *stats = alloc_skb(net_world(sk->net), OPT_STATS_ROOM);
	u8 info[TCP_INFO_SIZE], value[8];

	if (!stats)
		return NULL;
	tcp_get_info(sk, info);
	for (u32 i = 0; i < ARRAY_SIZE(attrs); i++) {
		u32 len = 4u + attrs[i].size, padded = (len + 3) & ~3u;
		u8 *p;

		if (attrs[i].type == TCP_NLA_TTL && !ack)
			continue;
		p = skb_put(stats, padded);
		memset(p, 0, padded);
		put_le16(p, (u16)len);
		put_le16(p + 2, attrs[i].type);
		put_le64(value, value_of(sk, i, info, orig, ack));
		memcpy(p + 4, value, attrs[i].size);
	}
	return stats;
}
