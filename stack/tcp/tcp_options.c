/* SPDX-License-Identifier: MIT */
/*
 * Options of segments that arrive (RFC 9293 3.1, RFC 7323, RFC 2018). The header is linear. A
 * malformed option ends the walk: what came before it counts, what follows does not.
 */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_input.h"

static void parse_window(const u8 *p, struct tcp_options_received *opt_rx)
{
	opt_rx->wscale_ok = 1;
	/* RFC 7323 2.3: more than 14 is taken for 14. */
	opt_rx->snd_wscale = min_u32(p[0], TCP_MAX_WSCALE) & 15;
}

static void parse_timestamp(const struct net *net, const u8 *p, struct tcp_options_received *opt_rx,
			    bool estab)
{
	if (estab ? !opt_rx->tstamp_ok : !net->sysctl.tcp_timestamps)
		return;
	opt_rx->saw_tstamp = 1;
	opt_rx->rcv_tsval = get_be32(p);
	opt_rx->rcv_tsecr = get_be32(p + 4);
}

static void parse_mss(const u8 *p, struct tcp_options_received *opt_rx)
{
	u16 mss = get_be16(p);

	if (!mss)
		return;
	if (opt_rx->user_mss && opt_rx->user_mss < mss)
		mss = opt_rx->user_mss;
	opt_rx->mss_clamp = mss;
}

/* RFC 7413 4.1.1: only of a SYN, of even length. */
static void parse_fastopen(const u8 *p, u32 len, struct tcp_fastopen_cookie *foc, bool exp)
{
	if (len & 1)
		return;
	foc->exp = exp;
	foc->len = (s8)len;
	if (len >= TCP_FASTOPEN_COOKIE_MIN && len <= TCP_FASTOPEN_COOKIE_MAX)
		memcpy(foc->val, p, len);
	else if (len)
		foc->len = -1;
}

static void parse_cookie(const u8 *p, u8 kind, u32 size, struct tcp_fastopen_cookie *foc)
{
	if (kind == TCPOPT_FASTOPEN)
		parse_fastopen(p, size - TCPOLEN_FASTOPEN_BASE, foc, false);
	else if (kind == TCPOPT_EXP && size >= TCPOLEN_EXP_FASTOPEN_BASE &&
		 get_be16(p) == TCPOPT_FASTOPEN_MAGIC)
		parse_fastopen(p + 2, size - TCPOLEN_EXP_FASTOPEN_BASE, foc, true);
}

void tcp_parse_options(const struct net *net, const struct sk_buff *skb,
		       struct tcp_options_received *opt_rx, bool estab,
		       struct tcp_fastopen_cookie *foc)
{
	const u8 *th = tcp_hdr(skb), *opts = th + TCP_HLEN;
	u32 len = tcp_doff(th) - TCP_HLEN, at = 0, size;
	bool first_time = tcp_flags(th) & TCPHDR_SYN && !estab;
	u8 kind;

	opt_rx->saw_tstamp = 0;
	opt_rx->accecn = 0;
	TCP_SKB_CB(skb)->sacked = 0;
	if (!len)
		return;
	do {
		const u8 *p = opts + at + 2;
		u32 here = at;

		at = tcp_option_next(opts, len, at, &kind, &size);
		if (!size)
			return;
		if (kind == TCPOPT_MSS && size == TCPOLEN_MSS && first_time)
			parse_mss(p, opt_rx);
		else if (kind == TCPOPT_WINDOW && size == TCPOLEN_WINDOW && first_time &&
			 net->sysctl.tcp_window_scaling)
			parse_window(p, opt_rx);
		else if (kind == TCPOPT_TIMESTAMP && size == TCPOLEN_TIMESTAMP)
			parse_timestamp(net, p, opt_rx, estab);
		else if (kind == TCPOPT_SACK_PERM && size == TCPOLEN_SACK_PERM && first_time &&
			 net->sysctl.tcp_sack)
			opt_rx->sack_ok = TCP_SACK_SEEN;
		else if (kind == TCPOPT_SACK && size >= TCPOLEN_SACK_BASE + TCPOLEN_SACK_PERBLOCK &&
			 (size - TCPOLEN_SACK_BASE) % TCPOLEN_SACK_PERBLOCK == 0 && opt_rx->sack_ok)
			TCP_SKB_CB(skb)->sacked = (u8)(TCP_HLEN + here);
		else if (kind == TCPOPT_ACCECN0 || kind == TCPOPT_ACCECN1)
			opt_rx->accecn = (u8)(TCP_HLEN + here);
		else if (foc && first_time)
			parse_cookie(p, kind, size, foc);
	} while (at);
}

u16 tcp_parse_mss_option(const u8 *th, u16 user_mss)
{
	const u8 *opts = th + TCP_HLEN;
	u32 len = tcp_doff(th) - TCP_HLEN, at = 0, size;
	u8 kind;

	if (!len)
		return 0;
	do {
		const u8 *p = opts + at + 2;

		at = tcp_option_next(opts, len, at, &kind, &size);
		if (kind == TCPOPT_MSS && size == TCPOLEN_MSS && get_be16(p)) {
			u16 mss = get_be16(p);

			return user_mss && user_mss < mss ? user_mss : mss;
		}
	} while (size && at);
	return 0;
}

bool tcp_fast_parse_options(const struct net *net, const struct sk_buff *skb, const u8 *th,
			    struct tcp_sock *tp)
{
	struct tcp_options_received *rx = &tp->rx_opt;

	/* The word of NOP NOP TS 10 that Linux and most others send. */
	if (tcp_doff(th) == TCP_HLEN) {
		rx->saw_tstamp = 0;
		rx->accecn = 0;
		TCP_SKB_CB(skb)->sacked = 0;
		return false;
	}
	if (rx->tstamp_ok && tcp_doff(th) == TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED &&
	    get_be32(th + TCP_HLEN) == 0x0101080a) {
		TCP_SKB_CB(skb)->sacked = 0;
		rx->saw_tstamp = 1;
		rx->accecn = 0;
		rx->rcv_tsval = get_be32(th + TCP_HLEN + 4);
		rx->rcv_tsecr = get_be32(th + TCP_HLEN + 8);
	} else {
		tcp_parse_options(net, skb, rx, true, NULL);
	}
	if (rx->saw_tstamp && rx->rcv_tsecr)
		rx->rcv_tsecr -= tp->tsoffset;
	return true;
}
