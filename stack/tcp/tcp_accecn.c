/* SPDX-License-Identifier: MIT */
/*
 * Accurate ECN (tcp_accecn.h): handshake, counters of what came, and what the peer's counters tell.
 * The option on its way out is in tcp_accecn_opt.c.
 *
 * Invariants: delivered_ce of the socket follows the peer's counter of CE marked segments, never
 * backwards; a counter of bytes that went wrong is not believed any more (fail_mode).
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_rare.h"

#define ACE_MASK      7u
#define ACE_MAX_DELTA 6u /* RFC 9768 3.2.2.5.1: an ACK at once after so many marks */
#define OPT_TOO_LATE  ((1u << 23) - 1) /* counters may have wrapped unseen */

bool tcp_accecn_alloc(struct sock *sk)
{
	struct tcp_rare *rare = tcp_rare_get(sk);

	if (!rare)
		return false;
	if (!rare->accecn)
		rare->accecn = mem_alloc(net_world(sk->net), MEM_MISC, sizeof(*rare->accecn));
	if (!rare->accecn)
		return false;
	memset(rare->accecn, 0, sizeof(*rare->accecn));
	return true;
}

void tcp_accecn_free(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->rare->accecn) {
		mem_free(net_world(sk->net), MEM_MISC, tp->rare->accecn, sizeof(*tp->rare->accecn));
		tcp_rare_own(tp)->accecn = NULL;
	}
	if (tp->ecn_flags & TCP_ECN_MODE_ACCECN)
		tcp_ecn_mode_set(tp, TCP_ECN_DISABLED);
}

void tcp_accecn_info(const struct tcp_sock *tp, u8 *p)
{
	static const u8 order[3] = { INET_ECN_ECT_1, INET_ECN_ECT_0, INET_ECN_CE };
	const struct tcp_accecn *acc = tp->rare->accecn;

	if (!acc)
		return;
	put_le32(p, acc->received_ce);
	for (u32 i = 0; i < 3; i++) {
		put_le32(p + 4 + 4 * i, acc->delivered_bytes[order[i] - 1]);
		put_le32(p + 16 + 4 * i, acc->received_bytes[order[i] - 1]);
	}
	put_le16(p + 28, acc->fail_mode);
	put_le16(p + 30, acc->saw_opt);
}

/* ---- the handshake ---- */

u16 tcp_accecn_reflector_flags(u8 ect)
{
	static const u8 ace[4] = { 2, 3, 4, 6 }; /* RFC 9768 table 2, by codepoint */

	return tcp_accecn_flags(ace[ect & INET_ECN_MASK]);
}

/* RFC 9768 table 2 read backwards; values that it has not are taken for ECT. */
static u8 extract_syn_ect(u8 ace)
{
	static const u8 ect[8] = {
		INET_ECN_ECT_0, INET_ECN_ECT_1, INET_ECN_NOT_ECT, INET_ECN_ECT_1,
		INET_ECN_ECT_0, INET_ECN_ECT_1, INET_ECN_CE,	  INET_ECN_ECT_1
	};

	return ect[ace & ACE_MASK];
}

/* RFC 9768 3.2.2.3: ECT may become CE on the way, or the other ECT; nothing else is in order. */
static bool transition_valid(u8 sent, u8 came)
{
	if (sent == came)
		return true;
	return sent != INET_ECN_NOT_ECT && came != INET_ECN_NOT_ECT && sent != INET_ECN_CE;
}

bool tcp_accecn_validate_syn_feedback(const struct net *net, struct tcp_accecn *acc, u8 ace,
				      u8 sent_ect)
{
	if (!net->sysctl.tcp_ecn_fallback || transition_valid(sent_ect, extract_syn_ect(ace)))
		return true;
	acc->fail_mode |= TCP_ACCECN_ACE_FAIL_RECV;
	return false;
}

void tcp_accecn_saw_opt(struct tcp_accecn *acc, u8 saw)
{
	acc->saw_opt = saw;
	if (saw == TCP_ACCECN_OPT_FAIL_SEEN)
		acc->fail_mode |= TCP_ACCECN_OPT_FAIL_RECV;
}

u8 tcp_accecn_option_init(const u8 *th, u32 at)
{
	const u8 *p = th + at + TCPOLEN_ACCECN_BASE;
	u32 len = th[at + 1] - TCPOLEN_ACCECN_BASE;

	if (len < TCPOLEN_ACCECN_PERFIELD)
		return TCP_ACCECN_OPT_EMPTY_SEEN;
	/* RFC 9768 3.2.3.2.4: both counters of ECT begin with 1; a 0 was written by a middlebox. */
	if (!(p[0] | p[1] | p[2]))
		return TCP_ACCECN_OPT_FAIL_SEEN;
	if (len >= 3 * TCPOLEN_ACCECN_PERFIELD && !(p[6] | p[7] | p[8]))
		return TCP_ACCECN_OPT_FAIL_SEEN;
	return TCP_ACCECN_OPT_COUNTER_SEEN;
}

void tcp_accecn_rcv_synack(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_accecn *acc = tp->rare->accecn;
	const u8 *th = tcp_hdr(skb);
	u8 dsfield = TCP_SKB_CB(skb)->ip_dsfield;

	tcp_ecn_mode_set(tp, TCP_ECN_MODE_ACCECN);
	acc->syn_ect_rcv = dsfield & INET_ECN_MASK;
	if (tp->rx_opt.accecn && acc->saw_opt < TCP_ACCECN_OPT_COUNTER_SEEN) {
		tcp_accecn_saw_opt(acc, tcp_accecn_option_init(th, tp->rx_opt.accecn));
		acc->opt_demand = 2;
	}
	if ((dsfield & INET_ECN_MASK) == INET_ECN_CE &&
	    tcp_accecn_validate_syn_feedback(sk->net, acc, tcp_accecn_ace(th), acc->syn_ect_snt)) {
		acc->received_ce++;
		acc->received_ce_pending++;
	}
}

void tcp_accecn_third_ack(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_accecn *acc = tp->rare->accecn;
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u8 ace = tcp_accecn_ace(tcp_hdr(skb));

	if (!ace) {
		/* RFC 9768 3.2.2.4: somebody has cleared it. */
		acc->fail_mode |= TCP_ACCECN_ACE_FAIL_RECV;
		return;
	}
	/* 1, 5 and 7 are not used; data carries the counter already. */
	if (ace == 1 || ace == 5 || ace == 7 || cb->seq != cb->end_seq || cb->sacked)
		return;
	if (tcp_accecn_validate_syn_feedback(sk->net, acc, ace, acc->syn_ect_snt) &&
	    extract_syn_ect(ace) == INET_ECN_CE && !tp->delivered_ce)
		tp->delivered_ce++;
}

void tcp_accecn_openreq_child(struct sock *sk, const struct request_sock *req,
			      const struct sk_buff *skb)
{
	const struct tcp_request_sock *treq = tcp_rsk(req);
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_accecn *acc;

	if (!tcp_accecn_alloc(sk)) {
		tcp_ecn_mode_set(tp, TCP_ECN_DISABLED);
		return;
	}
	acc = tp->rare->accecn;
	tcp_ecn_mode_set(tp, TCP_ECN_MODE_ACCECN);
	acc->syn_ect_snt = treq->syn_ect_snt;
	acc->saw_opt = treq->saw_accecn_opt;
	acc->fail_mode = treq->accecn_fail_mode;
	tcp_accecn_third_ack(sk, skb);
	acc->prev_ecnfield = treq->syn_ect_rcv;
	acc->opt_demand = 1;
	tcp_accecn_received(sk, skb, skb->len - tcp_doff(tcp_hdr(skb)));
}

/* ---- what comes ---- */

/* Field of the option, from 1 on, that has the counter of a codepoint: ECT(1), CE, ECT(0). */
static u8 field_of(u8 ecnfield)
{
	static const u8 field[4] = { 0, 1, 3, 2 };

	return field[ecnfield];
}

static void count_bytes(struct tcp_accecn *acc, u8 ecnfield, u32 len)
{
	u32 *count = &acc->received_bytes[ecnfield - 1], old = *count;
	u8 field = field_of(ecnfield);

	*count += len;
	if (field > acc->minlen)
		acc->minlen = field;
	/* RFC 9768 3.2.3.3: before the peer could miss a wrap. */
	if ((*count ^ old) >> 22 && !acc->opt_demand)
		acc->opt_demand = 1;
}

static void count_marks(struct tcp_accecn *acc, const struct sk_buff *skb, u8 ecnfield, u32 len)
{
	u32 segs = max_u32(1, skb_shinfo(skb)->gso_segs);

	if (ecnfield == INET_ECN_CE) {
		acc->received_ce += segs;
		acc->received_ce_pending = (u8)min_u32(acc->received_ce_pending + segs, 15);
	}
	if (len)
		count_bytes(acc, ecnfield, len);
}

void tcp_ecn_count_marks(struct sock *sk, const struct sk_buff *skb)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u8 ecnfield = TCP_SKB_CB(skb)->ip_dsfield & INET_ECN_MASK;

	if (tp->rare->accecn || tcp_accecn_alloc(sk))
		count_marks(tp->rare->accecn, skb, ecnfield, skb->len - tcp_doff(tcp_hdr(skb)));
}

void tcp_accecn_received(struct sock *sk, const struct sk_buff *skb, u32 len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_accecn *acc = tp->rare->accecn;
	u8 ecnfield = TCP_SKB_CB(skb)->ip_dsfield & INET_ECN_MASK;

	if (ecnfield != INET_ECN_NOT_ECT) {
		tp->ecn_flags |= TCP_ECN_SEEN;
		count_marks(acc, skb, ecnfield, len);
	}
	if (acc->prev_ecnfield == ecnfield && ecnfield != INET_ECN_CE)
		return;
	/* RFC 9768 3.2.2.5.1: a change is told at once, and twice. */
	if (acc->prev_ecnfield != ecnfield)
		inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_NOW;
	acc->prev_ecnfield = ecnfield;
	acc->opt_demand = 2;
}

void tcp_accecn_spurious_retrans(const struct tcp_sock *tp, u32 seq)
{
	if (tp->rare->accecn && tp->rare->accecn->opt_sent_w_dsack && tcp_loss_seen(tp) &&
	    seq == tp->loss->duplicate_sack.start_seq)
		tp->rare->accecn->fail_mode |= TCP_ACCECN_OPT_FAIL_SEND;
}

/* ---- the peer's counters ---- */

/* 24 bits of a counter on the wire; what it grew by, less than 0: it went back. */
static s32 update_bytes(u32 *count, const u8 *p, u32 init)
{
	u32 wire = ((u32)p[0] << 16 | (u32)p[1] << 8 | p[2]) - init;
	u32 delta = (wire - *count) & 0xffffff;

	if (delta & 0x800000)
		delta |= 0xff000000;
	*count += delta;
	return (s32)delta;
}

/* The counters of an option at p, `len` bytes. Do they tell without doubt which one grew? */
static bool option_counters(struct tcp_accecn *acc, const u8 *p, u32 len, bool order1)
{
	static const u8 codepoint[2][3] = { { INET_ECN_ECT_0, INET_ECN_CE, INET_ECN_ECT_1 },
					    { INET_ECN_ECT_1, INET_ECN_CE, INET_ECN_ECT_0 } };
	u8 estimate = acc->est_ecnfield;
	bool ambiguous = false, changed = false, certain = estimate != 0;

	for (u32 i = 0; i < TCP_ACCECN_FIELDS && len >= TCPOLEN_ACCECN_PERFIELD; i++) {
		u8 ecn = codepoint[order1][i];
		s32 delta = update_bytes(&acc->delivered_bytes[ecn - 1], p, ecn != INET_ECN_CE);

		ambiguous |= delta < 0;
		if (delta && ecn != estimate) {
			ambiguous |= changed;
			if (!changed)
				acc->est_ecnfield = ecn;
			changed = true;
		}
		p += TCPOLEN_ACCECN_PERFIELD;
		len -= TCPOLEN_ACCECN_PERFIELD;
	}
	if (ambiguous)
		acc->est_ecnfield = 0;
	return certain && !ambiguous;
}

/* True: the counters of bytes are up to date. */
static bool process_option(struct tcp_sock *tp, const struct sk_buff *skb, u32 bytes, u32 flag)
{
	struct tcp_accecn *acc = tp->rare->accecn;
	const u8 *th = tcp_hdr(skb);
	u32 at = flag & FLAG_SLOWPATH ? tp->rx_opt.accecn : 0;

	if (acc->fail_mode & TCP_ACCECN_OPT_FAIL_RECV)
		return false;
	if (!at) {
		if (!acc->saw_opt) {
			if (tp->bytes_sent >= OPT_TOO_LATE)
				tcp_accecn_saw_opt(acc, TCP_ACCECN_OPT_FAIL_SEEN);
			return false;
		}
		if (!acc->est_ecnfield)
			return false;
		acc->delivered_bytes[acc->est_ecnfield - 1] += bytes;
		return true;
	}
	if (acc->saw_opt < TCP_ACCECN_OPT_COUNTER_SEEN)
		tcp_accecn_saw_opt(acc, tcp_accecn_option_init(th, at));
	return option_counters(acc, th + at + TCPOLEN_ACCECN_BASE, th[at + 1] - TCPOLEN_ACCECN_BASE,
			       th[at] == TCPOPT_ACCECN1);
}

/* More segments were delivered than the ACE field can count: between delta, and the most that it
 * may mean. bytes_ce: what the counter of bytes with CE grew by. */
static u32 ace_wrapped(const struct sock *sk, u32 delivered, u32 bytes, u32 delta, u32 bytes_ce)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u8 state = inet_csk(sk)->icsk_ca_state;
	u32 safe = delivered - ((delivered - delta) & ACE_MASK), estimate;

	if (!bytes_ce)
		return delta;
	if (delivered >= 2 * (ACE_MASK + 1) &&
	    (tcp_is_sack(tp) || state == TCP_CA_Open || state == TCP_CA_CWR)) {
		if (bytes <= bytes_ce)
			return safe;
		estimate = (u32)(((u64)bytes_ce * delivered + bytes - 1) / bytes);
		return min_u32(safe, delta + (estimate & ~ACE_MASK));
	}
	if (bytes_ce > delta * tp->mss_cache)
		return safe;
	return bytes_ce < (safe * tp->mss_cache) >> 1 ? delta : safe;
}

static u32 ace_delta(struct sock *sk, const struct sk_buff *skb, u32 delivered, u32 bytes, u32 flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_accecn *acc = tp->rare->accecn;
	u32 old_ceb = acc->delivered_bytes[INET_ECN_CE - 1], delta;
	bool valid;

	/* An ACK that may have been overtaken. */
	if (!(flag & (FLAG_FORWARD_PROGRESS | FLAG_TS_PROGRESS)))
		return 0;
	valid = process_option(tp, skb, bytes, flag);
	if (!(flag & FLAG_SLOWPATH) && delivered <= ACE_MASK)
		return 0;
	/* The handshake has the field for itself. */
	if (flag & FLAG_SYN_ACKED)
		return 0;
	if (acc->received_ce_pending >= ACE_MAX_DELTA)
		inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_NOW;
	delta = (tcp_accecn_ace(tcp_hdr(skb)) - TCP_ACCECN_CEP_INIT - tp->delivered_ce) & ACE_MASK;
	if (delivered <= ACE_MASK)
		return delta;
	if (!valid)
		return delivered - ((delivered - delta) & ACE_MASK);
	return ace_wrapped(sk, delivered, bytes, delta,
			   acc->delivered_bytes[INET_ECN_CE - 1] - old_ceb);
}

u32 tcp_accecn_process(struct sock *sk, const struct sk_buff *skb, u32 delivered, u32 bytes,
		       u32 flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 delta = ace_delta(sk, skb, delivered, bytes, flag);

	if (!delta)
		return 0;
	tp->delivered_ce += delta;
	if (tp->pred_flags)
		tcp_fast_path_on(tp);
	return delta;
}
