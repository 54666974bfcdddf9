/* SPDX-License-Identifier: MIT */
/*
 * The AccECN option on its way out (RFC 9768 3.2.3; tcp_options_fit_accecn): how many of its three
 * counters fit behind the other options, and whether a segment is to have it at all
 * (net.ipv4.tcp_ecn_option, tcp_ecn_option_beacon).
 *
 * Invariant: the option has at least the counters that changed (minlen) or is left out.
 */
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_output.h"

/* Bytes of padding in front of other options that it may take. */
static u32 combine_saving(const struct tcp_out_options *opts)
{
	if (!opts->accecn_synack)
		return opts->num_sack_blocks ? 2 : 0;
	if ((opts->options & (OPTION_SACK_ADVERTISE | OPTION_TS)) == OPTION_SACK_ADVERTISE)
		return 2;
	return opts->options & OPTION_WSCALE ? 1 : 0;
}

/* Bytes of so many fields in words, but for what fits into padding. */
static u32 aligned_size(const struct tcp_out_options *opts, u32 fields)
{
	u32 size = TCPOLEN_ACCECN_BASE + fields * TCPOLEN_ACCECN_PERFIELD;

	return (size & 3) > combine_saving(opts) ? (size + 3) & ~3u : size & ~3u;
}

u32 tcp_accecn_fit(struct tcp_out_options *opts, u32 required, u32 room)
{
	u8 blocks = opts->num_sack_blocks;
	u32 freed = 0;

	for (;;) {
		for (u32 fields = TCP_ACCECN_FIELDS + 1; fields-- > required;) {
			u32 size = aligned_size(opts, fields);

			if (size > room + freed)
				continue;
			opts->options |= OPTION_ACCECN;
			opts->num_accecn_fields = (u8)fields;
			/* May be less than nothing: the caller adds modulo 2^32. */
			return size - freed;
		}
		if (!required || opts->num_sack_blocks <= 2) {
			opts->num_sack_blocks = blocks;
			return 0;
		}
		opts->num_sack_blocks--;
		freed += TCPOLEN_SACK_PERBLOCK;
	}
}

/* So many times a round trip. */
static bool beacon_due(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u64 beacon = (u64)sk->net->sysctl.tcp_ecn_option_beacon;

	return beacon &&
	       tcp_stamp_us_delta(tcp_mstamp(tp), tp->rare->accecn->opt_tstamp) * beacon >=
		       tp->srtt_us >> 3;
}

bool tcp_accecn_option_due(const struct sock *sk)
{
	const struct tcp_accecn *acc = tcp_sk(sk)->rare->accecn;
	s64 mode = sk->net->sysctl.tcp_ecn_option;

	if (!tcp_ecn_mode_accecn(tcp_sk(sk)) || !mode || !acc->saw_opt ||
	    acc->fail_mode & TCP_ACCECN_OPT_FAIL_SEND)
		return false;
	return mode >= 2 || acc->opt_demand || beacon_due(sk);
}

u32 tcp_accecn_write(u8 *p, u32 fields, const struct tcp_accecn *acc)
{
	static const u32 none[3] = { 0 };
	const u32 *bytes = acc ? acc->received_bytes : none;
	const u32 value[TCP_ACCECN_FIELDS] = { bytes[INET_ECN_ECT_1 - 1] + 1,
					       bytes[INET_ECN_CE - 1],
					       bytes[INET_ECN_ECT_0 - 1] + 1 };
	u32 at = TCPOLEN_ACCECN_BASE;

	p[0] = TCPOPT_ACCECN1;
	p[1] = (u8)(TCPOLEN_ACCECN_BASE + fields * TCPOLEN_ACCECN_PERFIELD);
	for (u32 i = 0; i < fields; i++, at += TCPOLEN_ACCECN_PERFIELD) {
		p[at] = (u8)(value[i] >> 16);
		p[at + 1] = (u8)(value[i] >> 8);
		p[at + 2] = (u8)value[i];
	}
	return at;
}
