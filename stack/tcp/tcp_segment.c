/* SPDX-License-Identifier: MIT */
/*
 * Segments as objects: options written, segments made, cut and shortened.
 *
 * Invariant: sk_wmem_queued is the sum of the truesizes of write and retransmission queue.
 */
#include "core/errqueue.h"
#include "tcp/tcp.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_send.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rtx_queue.h"

/* ---- options ---- */

static u32 options_room(u32 size)
{
	return MAX_TCP_OPTION_SPACE - size;
}

u32 tcp_options_size(const struct tcp_out_options *opts)
{
	bool ts = opts->options & OPTION_TS;

	return opts->auth_len + (opts->options & OPTION_MSS ? TCPOLEN_MSS : 0) +
	       (ts ? TCPOLEN_TSTAMP_ALIGNED : 0) + (opts->options & OPTION_WSCALE ? 4 : 0) +
	       (opts->options & OPTION_SACK_ADVERTISE && !ts ? 4 : 0);
}

u32 tcp_fastopen_option(struct tcp_out_options *opts, const struct tcp_fastopen_cookie *foc,
			u32 size)
{
	u32 need = (u8)foc->len + (foc->exp ? TCPOLEN_EXP_FASTOPEN_BASE : TCPOLEN_FASTOPEN_BASE);

	need = (need + 3) & ~3u;
	if (options_room(size) < need)
		return 0;
	opts->options |= OPTION_FAST_OPEN_COOKIE;
	opts->fastopen_cookie = foc;
	return need;
}

u32 tcp_syn_options(struct sock *sk, bool synack, struct tcp_out_options *opts)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	const struct tcp_fastopen_request *fo = tp->rare->fastopen_req;
	u32 size = TCPOLEN_MSS;

	opts->options = OPTION_MSS;
	opts->mss = tcp_advertise_mss(sk);
	opts->auth_len = (u8)(tp->rare->auth ? tcp_auth_len(sk) : 0);
	size += opts->auth_len;
	if (sysctl->tcp_timestamps) {
		opts->options |= OPTION_TS;
		opts->tsval = tcp_time_stamp_ms(tp) + tp->tsoffset;
		opts->tsecr = tp->rx_opt.ts_recent;
		size += TCPOLEN_TSTAMP_ALIGNED;
	}
	if (sysctl->tcp_window_scaling) {
		opts->options |= OPTION_WSCALE;
		opts->ws = tp->rx_opt.rcv_wscale;
		size += 4;
	}
	if (sysctl->tcp_sack) {
		opts->options |= OPTION_SACK_ADVERTISE;
		if (!(opts->options & OPTION_TS))
			size += 4;
	}
	if (fo && fo->cookie.len >= 0) {
		u32 n = tcp_fastopen_option(opts, &fo->cookie, size);

		if (n) {
			tp->syn_fastopen = 1;
			tp->syn_fastopen_exp = fo->cookie.exp;
		}
		size += n;
	}
	if (synack && tcp_ecn_mode_accecn(tp) && inet_csk(sk)->icsk_retransmits < 2 &&
	    sysctl->tcp_ecn_option) {
		opts->accecn_synack = true;
		size += tcp_accecn_fit(opts, 0, options_room(size));
	}
	return size;
}

u32 tcp_established_options(struct sock *sk, const struct sk_buff *skb,
			    struct tcp_out_options *opts)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 size = 0, sacks;

	opts->options = 0;
	opts->num_sack_blocks = 0;
	opts->accecn_synack = false;
	opts->auth_len = (u8)(tp->rare->auth ? tcp_auth_len(sk) : 0);
	size += opts->auth_len;
	if (tp->rx_opt.tstamp_ok) {
		opts->options |= OPTION_TS;
		opts->tsval = (u32)((skb ? skb->tstamp : tp->tcp_clock_cache) / NSEC_PER_MSEC) +
			      tp->tsoffset;
		opts->tsecr = tp->rx_opt.ts_recent;
		size += TCPOLEN_TSTAMP_ALIGNED;
	}
	sacks = tp->rx_opt.num_sacks + (u32)tp->rx_opt.dsack;
	if (sacks && options_room(size) >= TCPOLEN_SACK_BASE_ALIGNED + TCPOLEN_SACK_PERBLOCK) {
		u32 room = (options_room(size) - TCPOLEN_SACK_BASE_ALIGNED) / TCPOLEN_SACK_PERBLOCK;

		opts->num_sack_blocks = (u8)min_u32(sacks, room);
		size += TCPOLEN_SACK_BASE_ALIGNED + opts->num_sack_blocks * TCPOLEN_SACK_PERBLOCK;
	}
	if (tcp_accecn_option_due(sk))
		size += tcp_accecn_fit(opts, tp->rare->accecn->minlen, options_room(size));
	return size;
}

static u8 *write_sacks(u8 *p, struct tcp_sock *tp, u32 n, const u8 pad[2])
{
	const struct tcp_loss *loss = tp->loss;

	*p++ = pad[0];
	*p++ = pad[1];
	*p++ = TCPOPT_SACK;
	*p++ = (u8)(TCPOLEN_SACK_BASE + n * TCPOLEN_SACK_PERBLOCK);
	if (tp->rx_opt.dsack) {
		put_be32(p, loss->duplicate_sack.start_seq);
		put_be32(p + 4, loss->duplicate_sack.end_seq);
		p += 8;
		n--;
	}
	for (u32 i = 0; i < n; i++, p += 8) {
		put_be32(p, loss->selective_acks[i].start_seq);
		put_be32(p + 4, loss->selective_acks[i].end_seq);
	}
	tp->rx_opt.dsack = 0;
	return p;
}

/* RFC 7413 4.1.1, appendix A.1: filled up to a word. */
static u8 *write_cookie(u8 *p, const struct tcp_fastopen_cookie *foc)
{
	u32 base = foc->exp ? TCPOLEN_EXP_FASTOPEN_BASE : TCPOLEN_FASTOPEN_BASE;
	u32 len = base + (u8)foc->len;

	p[0] = foc->exp ? TCPOPT_EXP : TCPOPT_FASTOPEN;
	p[1] = (u8)len;
	if (foc->exp)
		put_be16(p + 2, TCPOPT_FASTOPEN_MAGIC);
	memcpy(p + base, foc->val, (u8)foc->len);
	for (p += len; len & 3; len++)
		*p++ = TCPOPT_NOP;
	return p;
}

/* Two bytes that fill up a word: the end of an AccECN option, or none. */
static u8 *write_padded(u8 *p, u8 pad[2])
{
	*p++ = pad[0];
	*p++ = pad[1];
	pad[0] = TCPOPT_NOP;
	pad[1] = TCPOPT_NOP;
	return p;
}

/* SACK-permitted fills up the word before the time stamp. */
static u8 *write_ts(u8 *p, const struct tcp_out_options *opts)
{
	bool sack = opts->options & OPTION_SACK_ADVERTISE;

	if (!(opts->options & OPTION_TS))
		return p;
	p[0] = sack ? TCPOPT_SACK_PERM : TCPOPT_NOP;
	p[1] = sack ? TCPOLEN_SACK_PERM : TCPOPT_NOP;
	p[2] = TCPOPT_TIMESTAMP;
	p[3] = TCPOLEN_TIMESTAMP;
	put_be32(p + 4, opts->tsval);
	put_be32(p + 8, opts->tsecr);
	return p + TCPOLEN_TSTAMP_ALIGNED;
}

static u8 *write_wscale(u8 *p, const struct tcp_out_options *opts, u8 pad[2])
{
	*p++ = TCPOPT_NOP;
	/* One byte over stands in its place. */
	if (pad[0] != TCPOPT_NOP && pad[1] == TCPOPT_NOP) {
		p[-1] = pad[0];
		pad[0] = TCPOPT_NOP;
	}
	*p++ = TCPOPT_WINDOW;
	*p++ = TCPOLEN_WINDOW;
	*p++ = opts->ws;
	return p;
}

/* Whole words of it; what is over goes where others have padding. */
static u8 *write_accecn(u8 *p, struct tcp_sock *tp, const struct tcp_out_options *opts, u8 pad[2])
{
	struct tcp_accecn *acc = tp ? tp->rare->accecn : NULL;
	u8 bytes[12] = { 0 };
	u32 len =
		tcp_accecn_write(bytes, opts->num_accecn_fields, opts->accecn_synack ? NULL : acc);
	u32 over = len & 3;

	if (over == 3) {
		bytes[len++] = TCPOPT_NOP;
		over = 0;
	}
	for (u32 i = 0; i < over; i++)
		pad[i] = bytes[len - over + i];
	memcpy(p, bytes, len - over);
	if (acc) {
		acc->minlen = 0;
		acc->opt_tstamp = tcp_mstamp(tp);
		acc->opt_sent_w_dsack = tp->rx_opt.dsack;
		if (acc->opt_demand)
			acc->opt_demand--;
	}
	return p + (len - over);
}

u32 tcp_options_write(u8 *th, struct tcp_sock *tp, const struct tcp_out_options *opts)
{
	u8 *p = th + TCP_HLEN + opts->auth_len, pad[2] = { TCPOPT_NOP, TCPOPT_NOP };

	if (opts->options & OPTION_MSS) {
		p[0] = TCPOPT_MSS;
		p[1] = TCPOLEN_MSS;
		put_be16(p + 2, opts->mss);
		p += 4;
	}
	p = write_ts(p, opts);
	if (opts->options & OPTION_ACCECN)
		p = write_accecn(p, tp, opts, pad);
	else if (tp && tp->rare->accecn)
		tp->rare->accecn->opt_sent_w_dsack = false;
	if (opts->options & OPTION_SACK_ADVERTISE && !(opts->options & OPTION_TS)) {
		p = write_padded(p, pad);
		*p++ = TCPOPT_SACK_PERM;
		*p++ = TCPOLEN_SACK_PERM;
	}
	if (opts->options & OPTION_WSCALE)
		p = write_wscale(p, opts, pad);
	if (opts->num_sack_blocks && tp) {
		p = write_sacks(p, tp, opts->num_sack_blocks, pad);
	} else if (pad[0] != TCPOPT_NOP) {
		p = write_padded(p, pad);
		*p++ = TCPOPT_NOP;
		*p++ = TCPOPT_NOP;
	}
	if (opts->options & OPTION_FAST_OPEN_COOKIE)
		p = write_cookie(p, opts->fastopen_cookie);
	return (u32)(p - th) - TCP_HLEN;
}

/* ---- making, cutting ---- */

struct sk_buff *tcp_stream_alloc_skb(struct sock *sk, u32 size)
{
	struct sk_buff *skb = alloc_skb(net_world(sk->net), MAX_TCP_HEADER + size);

	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_TCP_HEADER);
	skb->net = sk->net;
	skb->truesize = TCP_SKB_OVERHEAD;
	list_init(&TCP_SKB_CB(skb)->tx.tsorted);
	return skb;
}

void tcp_wmem_free_skb(struct sock *sk, struct sk_buff *skb)
{
	ASSERT(sk->sk_wmem_queued >= skb->truesize);
	sk_wmem_queued_add(sk, -(s32)skb->truesize);
	consume_skb(skb);
}

void tcp_init_nondata_skb(struct sk_buff *skb, u32 seq, u16 flags)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	cb->tcp_flags = flags;
	cb->seq = seq;
	cb->end_seq = seq + (flags & (TCPHDR_SYN | TCPHDR_FIN) ? 1 : 0);
	cb->payload_csum = 1; /* of no bytes */
	tcp_skb_pcount_set(skb, 1);
}

void tcp_queue_skb(struct sock *sk, struct sk_buff *skb)
{
	tcp_sk(sk)->write_seq = TCP_SKB_CB(skb)->end_seq;
	skb_queue_tail(&sk->write_queue, skb);
	sk_wmem_queued_add(sk, (s32)skb->truesize);
}

u32 tcp_set_skb_tso_segs(struct sk_buff *skb, u32 mss)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 segs = skb->len <= mss ? 1 : (skb->len + mss - 1) / mss;

	cb->tcp_gso_segs = (u16)segs;
	cb->tcp_gso_size = (u16)(segs == 1 ? 0 : mss);
	return segs;
}

int tcp_skb_make_room(struct sk_buff *skb, u32 need, u32 want)
{
	u32 truesize = skb->truesize, room;
	int err;

	if (skb_tailroom(skb) >= need)
		return 0;
	/* Or the front, pulled again and again, would drift out of the reach of header offsets. */
	skb_compact(skb, MAX_TCP_HEADER);
	room = skb_tailroom(skb);
	if (room >= need)
		return 0;
	err = pskb_expand_head(skb, 0, want - room);
	skb->truesize = truesize; /* sk_wmem_queued has it */
	return err;
}

void tcp_adjust_pcount(struct sock *sk, const struct sk_buff *skb, s32 decr)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 sacked = TCP_SKB_CB(skb)->sacked;
	u32 n = (u32)decr;

	tp->packets_out -= n;
	if (sacked & TCPCB_SACKED_ACKED)
		tp->sacked_out -= n;
	if (sacked & TCPCB_SACKED_RETRANS)
		tp->retrans_out -= n;
	if (sacked & TCPCB_LOST)
		tp->lost_out -= n;
	if (tcp_is_reno(tp) && decr > 0)
		tp->sacked_out -= min_u32(tp->sacked_out, n);
}

/* The second part's control block, and what changes in the first's. */
static void split_cb(struct sk_buff *skb, struct sk_buff *buff, u32 len)
{
	struct tcp_skb_cb *a = TCP_SKB_CB(skb), *b = TCP_SKB_CB(buff);

	*b = *a;
	list_init(&b->tx.tsorted);
	b->seq = a->seq + len;
	a->end_seq = b->seq;
	/* PSH and FIN belong to the last byte. */
	a->tcp_flags &= (u16) ~(TCPHDR_FIN | TCPHDR_PSH);
	a->eor = 0;
	a->payload_csum = 0;
	b->payload_csum = 0;
	buff->tstamp = skb->tstamp;
	buff->ip_summed = skb->ip_summed;
}

/* Into the queue behind skb. */
static void split_insert(struct sock *sk, enum tcp_queue queue, struct sk_buff *skb,
			 struct sk_buff *buff)
{
	if (queue == TCP_FRAG_IN_WRITE_QUEUE) {
		struct sk_buff_head *q = &sk->write_queue;

		buff->prev = skb;
		buff->next = skb->next;
		if (skb->next)
			skb->next->prev = buff;
		else
			q->prev = buff;
		skb->next = buff;
		q->qlen++;
		return;
	}
	tcp_rtx_queue_insert_split(sk, buff);
	if (!list_empty(&TCP_SKB_CB(skb)->tx.tsorted))
		list_add(&TCP_SKB_CB(buff)->tx.tsorted, &TCP_SKB_CB(skb)->tx.tsorted);
}

/* The stamp that is wanted for a byte goes with it (tcp_fragment_tstamp). */
static void fragment_tstamp(struct sk_buff *skb, struct sk_buff *buff)
{
	struct skb_shared_info *a = skb_shinfo(skb), *b = skb_shinfo(buff);
	u8 flags = a->tx_flags & SKBTX_ANY_TSTAMP;

	TCP_SKB_CB(buff)->txstamp_ack = 0;
	if ((!flags && !TCP_SKB_CB(skb)->txstamp_ack) || before(a->tskey, TCP_SKB_CB(buff)->seq))
		return;
	a->tx_flags &= (u8)~flags;
	b->tx_flags |= flags;
	b->tskey = a->tskey;
	TCP_SKB_CB(buff)->txstamp_ack = TCP_SKB_CB(skb)->txstamp_ack;
	TCP_SKB_CB(skb)->txstamp_ack = 0;
}

/*
 * A peer that SACKs single bytes could have the queue cut into ever more packets (CVE-2019-11478):
 * not when it holds twice what the user may have it hold. Its ends must go on, or all would stop.
 */
static bool rtx_queue_too_big(struct sock *sk, const struct sk_buff *skb)
{
	const u32 super_packet = GSO_MAX_SIZE + SKB_DECLARED_SHINFO + SKB_DECLARED_HEAD;
	u64 limit = (u64)(u32)sk->sk_sndbuf + 2 * super_packet;

	if (sk->sk_wmem_queued / 2 <= limit || skb == tcp_rtx_queue_head(sk) ||
	    skb == tcp_rtx_queue_tail(sk))
		return false;
	MIB_INC(sk->net, TcpExtTCPWqueueTooBig);
	return true;
}

int tcp_fragment(struct sock *sk, enum tcp_queue queue, struct sk_buff *skb, u32 len, u32 mss_now)
{
	u32 rest = skb->len - len, old_segs = tcp_skb_pcount(skb);
	struct sk_buff *buff;
	s32 diff;

	ASSERT(len > 0 && len <= skb->len && !skb_is_nonlinear(skb));
	if (queue == TCP_FRAG_IN_RTX_QUEUE && rtx_queue_too_big(sk, skb))
		return -ENOMEM;
	buff = tcp_stream_alloc_skb(sk, rest);
	if (!buff)
		return -ENOMEM;
	if (rest) /* else only the FIN is split off */
		memcpy(skb_put(buff, rest), skb->data + len, rest);
	pskb_trim(skb, len);
	skb->truesize -= rest;
	buff->truesize += rest;
	sk_wmem_queued_add(sk, (s32)TCP_SKB_OVERHEAD);
	split_cb(skb, buff, len);
	fragment_tstamp(skb, buff);
	skb_zcopy_set(buff, skb_shinfo(skb)->ubuf);
	tcp_set_skb_tso_segs(skb, mss_now);
	tcp_set_skb_tso_segs(buff, mss_now);
	if (queue == TCP_FRAG_IN_RTX_QUEUE) {
		diff = (s32)(old_segs - tcp_skb_pcount(skb) - tcp_skb_pcount(buff));
		if (diff)
			tcp_adjust_pcount(sk, skb, diff);
	}
	split_insert(sk, queue, skb, buff);
	return 0;
}

int tcp_skb_unclone(struct sk_buff *skb)
{
	u32 truesize = skb->truesize;
	int err;

	if (!skb_cloned(skb))
		return 0;
	err = pskb_expand_head(skb, 0, 0);
	skb->truesize = truesize; /* sk_wmem_queued has it */
	return err;
}

int tcp_trim_head(struct sock *sk, struct sk_buff *skb, u32 len)
{
	/* Headers will be built where the bytes were: nobody else may need them. */
	if (tcp_skb_unclone(skb))
		return -ENOMEM;
	ASSERT(len <= skb->len);
	skb_pull(skb, len);
	TCP_SKB_CB(skb)->seq += len;
	TCP_SKB_CB(skb)->payload_csum = 0;
	skb->truesize -= len;
	sk_wmem_queued_add(sk, -(s32)len);
	if (tcp_skb_pcount(skb) > 1)
		tcp_set_skb_tso_segs(skb, tcp_skb_mss(skb));
	return 0;
}
