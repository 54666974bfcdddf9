/* SPDX-License-Identifier: MIT */
/*
 * What holds for every TCP socket at any time between two steps: sequence numbers, windows, queues
 * against accounts, timers against states. Called by world_check(): 0 the cheap ones, 1 all.
 */
#include "tcp/tcp_ao.h"
#include "tcp/tcp_md5.h"
#include "tcp/tcp_check.h"
#include "tcp/tcp_ofo_queue.h"
#include "tcp/tcp_rtx_queue.h"

struct counts {
	u32 packets, sacked, lost, retrans, truesize;
};

static void check_sequence(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	ASSERT(!after(tp->snd_una, tp->snd_nxt));
	ASSERT(!after(tp->snd_nxt, tp->write_seq));
	ASSERT(tp->snd_cwnd >= 1);
	ASSERT(inet_csk(sk)->icsk_rto >= 1 && inet_csk(sk)->icsk_rto <= TCP_RTO_MAX);
	ASSERT(inet_csk(sk)->icsk_ca_state <= TCP_CA_Loss);
	if (sk->sk_state == TCP_SYN_SENT)
		return;
	ASSERT(!after(tp->copied_seq, tp->rcv_nxt));
	ASSERT(!after(tp->rcv_wup, tp->rcv_nxt));
	/* The right edge is where it was announced last. */
	ASSERT(!before(tp->rcv_mwnd_seq, tp->rcv_wup + tp->rcv_wnd));
	ASSERT((s32)(tp->rcv_nxt - tp->rcv_mwnd_seq - 1) <= sk->sk_rcvbuf);
	ASSERT(tcp_left_out(tp) <= tp->packets_out);
	ASSERT(tp->retrans_out <= tp->packets_out);
}

static void check_segment(const struct tcp_sock *tp, const struct sk_buff *skb, u32 *next_seq)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 flags = cb->tcp_flags;
	u32 len = skb->len + ((flags & TCPHDR_SYN) != 0) + ((flags & TCPHDR_FIN) != 0);

	ASSERT(cb->seq == *next_seq);
	ASSERT(cb->end_seq - cb->seq == len && (len > 0 || tp->syn_fastopen));
	ASSERT(skb->truesize == TCP_SKB_OVERHEAD + skb->len);
	*next_seq = cb->end_seq;
}

static void check_rtx_queue(const struct sock *sk, struct counts *c)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb = tcp_rtx_queue_head(sk), *last = NULL;
	u32 seq = skb ? TCP_SKB_CB(skb)->seq : tp->snd_nxt, segs = 0, in_time = 0;

	ASSERT(!skb || !after(seq, tp->snd_una) || tp->packets_out);
	for (; skb; skb = tcp_rtx_queue_next(skb)) {
		u8 sacked = TCP_SKB_CB(skb)->sacked;
		u32 n = tcp_skb_pcount(skb);

		check_segment(tp, skb, &seq);
		ASSERT((sacked & (TCPCB_SACKED_ACKED | TCPCB_LOST)) !=
		       (TCPCB_SACKED_ACKED | TCPCB_LOST));
		ASSERT(after(TCP_SKB_CB(skb)->end_seq, tp->snd_una));
		c->packets += n;
		c->sacked += sacked & TCPCB_SACKED_ACKED ? n : 0;
		c->lost += sacked & TCPCB_LOST ? n : 0;
		c->retrans += sacked & TCPCB_SACKED_RETRANS ? n : 0;
		c->truesize += skb->truesize;
		in_time += !list_empty(&TCP_SKB_CB(skb)->tx.tsorted);
		segs++;
		last = skb;
	}
	ASSERT(last == tcp_rtx_queue_tail(sk));
	ASSERT(seq == tp->snd_nxt);
	ASSERT((segs == 0) == (rb_black_height(&tp->tcp_rtx_queue) == 0));
	list_for_each(pos, &tp->tsorted_sent_queue)
		in_time--;
	ASSERT(in_time == 0);
}

static void check_send_side(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct counts c = { 0 };
	u32 seq = tp->snd_nxt, n = 0;

	check_rtx_queue(sk, &c);
	for (const struct sk_buff *skb = sk->write_queue.next; skb; skb = skb->next) {
		check_segment(tp, skb, &seq);
		c.truesize += skb->truesize;
		n++;
	}
	ASSERT(n == sk->write_queue.qlen);
	ASSERT(seq == tp->write_seq);
	ASSERT(c.packets == tp->packets_out);
	ASSERT(c.lost == tp->lost_out);
	ASSERT(c.retrans == tp->retrans_out);
	if (tcp_is_sack(tp))
		ASSERT(c.sacked == tp->sacked_out);
	ASSERT(c.truesize == sk->sk_wmem_queued);
}

static u32 check_ofo_queue(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *prev = NULL;
	u32 truesize = 0;

	for (const struct sk_buff *skb = tcp_ofo_first(sk); skb; skb = tcp_ofo_next(skb)) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

		ASSERT(after(cb->seq, tp->rcv_nxt));
		ASSERT(before(cb->seq, cb->end_seq));
		/* Sorted, and none within another. */
		ASSERT(!prev || (before(TCP_SKB_CB(prev)->seq, cb->seq) &&
				 before(TCP_SKB_CB(prev)->end_seq, cb->end_seq)));
		truesize += skb->truesize;
		prev = skb;
	}
	ASSERT(prev == tp->loss->ooo_last_skb);
	ASSERT(truesize == tp->loss->ofo_truesize);
	ASSERT(!prev == (rb_black_height(&tp->loss->out_of_order_queue) == 0));
	return truesize;
}

/* Every block that we announce is queued out of order. */
static void check_sacks(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	ASSERT(tp->rx_opt.num_sacks <= TCP_NUM_SACKS);
	for (u32 i = 0; i < tp->rx_opt.num_sacks; i++) {
		const struct tcp_sack_block *sp = &tp->loss->selective_acks[i];
		u32 seq = sp->start_seq;

		ASSERT(before(sp->start_seq, sp->end_seq));
		ASSERT(after(sp->start_seq, tp->rcv_nxt));
		for (const struct sk_buff *skb = tcp_ofo_first(sk); skb; skb = tcp_ofo_next(skb))
			if (!after(TCP_SKB_CB(skb)->seq, seq) &&
			    after(TCP_SKB_CB(skb)->end_seq, seq))
				seq = TCP_SKB_CB(skb)->end_seq;
		ASSERT(!before(seq, sp->end_seq));
	}
}

static void check_receive_side(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *skb = sk->receive_queue.next;
	u32 seq;

	sk_check(sk, check_ofo_queue(sk));
	check_sacks(sk);
	if (!skb)
		return;
	/* Without gaps from copied_seq to rcv_nxt. */
	seq = tp->copied_seq;
	ASSERT(!after(TCP_SKB_CB(skb)->seq, seq));
	for (; skb; skb = skb->next) {
		ASSERT(!after(TCP_SKB_CB(skb)->seq, seq));
		if (after(TCP_SKB_CB(skb)->end_seq, seq))
			seq = TCP_SKB_CB(skb)->end_seq;
	}
	ASSERT(seq == tp->rcv_nxt);
}

static void check_timers(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN) {
		for (u32 i = 0; i < TIMER_SET_SLOTS; i++)
			ASSERT(!timer_set_pending(&icsk->icsk_timers, i));
		ASSERT(!timer_pending(&tcp_sk(sk)->rare->resume_timer));
		ASSERT(!timer_pending(&tcp_sk(sk)->loss->compressed_ack_timer));
		return;
	}
	/* RFC 6298 5.1: while something is under way, something will happen. */
	/* Who waits for the device is told by it. */
	ASSERT(!tcp_sk(sk)->tsq_throttled || sk->sk_wmem_alloc);
	ASSERT(!tcp_sk(sk)->tsq_throttled || tcp_sk(sk)->rare != &tcp_rare_default);
	if (tcp_sk(sk)->packets_out) {
		ASSERT(icsk->icsk_pending);
		ASSERT(timer_set_pending(&icsk->icsk_timers, ICSK_TIMER_XMIT));
	}
}

/* The traffic keys are those of the connection's numbers. */
static void check_traffic_keys(const struct sock *sk, const struct tcp_ao_info *ao,
			       const struct tcp_ao_key *key)
{
	u8 want[TCP_AO_MAX_TRAFFIC_KEY_LEN];

	tcp_ao_calc_key_sk(key, want, sk, ao->lisn, ao->risn, true);
	ASSERT(!memcmp(want, key->snd_other, tcp_ao_digest_size(key)));
	tcp_ao_calc_key_sk(key, want, sk, ao->lisn, ao->risn, false);
	ASSERT(!memcmp(want, key->rcv_other, tcp_ao_digest_size(key)));
}

/* TCP-AO of a connection (RFC 5925 3.1, 3.3): its keys fit its peer, no ID is there twice, the two
 * in use are among them. */
static void check_ao(const struct sock *sk, const struct tcp_ao_info *ao, u32 level)
{
	const struct sock_common *skc = inet_skc(sk);
	const struct inet_addr daddr = skc_daddr(skc);
	bool opening = sk->sk_state == TCP_SYN_SENT;
	u32 in_use = 0;

	list_for_each(pos, &ao->keys) {
		const struct tcp_ao_key *key = list_entry(pos, struct tcp_ao_key, node);

		ASSERT(tcp_ao_key_matches(key, &daddr, skc->skc_family, key->prefixlen, -1, -1));
		ASSERT(tcp_ao_established_key(ao, key->sndid, -1) == key);
		ASSERT(tcp_ao_established_key(ao, -1, key->rcvid) == key);
		in_use += (key == ao->current_key ? 1u : 0) + (key == ao->rnext_key ? 1u : 0);
		if (level && !opening)
			check_traffic_keys(sk, ao, key);
	}
	ASSERT(in_use == 2);
	ASSERT(!after(ao->snd.seq, tcp_sk(sk)->snd_una));
	ASSERT(opening || !after(ao->rcv.seq, tcp_sk(sk)->rcv_nxt));
	ASSERT(!tcp_md5_lookup(sk)); /* RFC 5925 2.2 */
}

static void check_auth(const struct sock *sk, u32 level)
{
	const struct tcp_ao_info *ao = tcp_ao_info_of(sk);

	ASSERT(sk->sk_gso_disabled);
	if (ao)
		check_ao(sk, ao, level);
}

void tcp_check_sk(const struct sock *sk, u32 level)
{
	check_timers(sk);
	if (sk->sk_state == TCP_LISTEN || sk->sk_state == TCP_CLOSE) {
		ASSERT(tcp_sk(sk)->packets_out == 0);
		return;
	}
	check_sequence(sk);
	if (tcp_sk(sk)->rare->auth)
		check_auth(sk, level);
	if (level) {
		check_send_side(sk);
		check_receive_side(sk);
	}
}

static void check_table(const struct inet_htable *t, u32 level)
{
	for (u32 i = 0; t->heads && i <= t->mask; i++) {
		hlist_for_each(n, &t->heads[i])
		{
			struct sock_common *skc = container_of(n, struct sock_common, skc_node);

			if (skc->skc_kind == SKC_SOCK)
				tcp_check_sk(inet_sk_of(skc), level);
		}
	}
}

void tcp_check_host(struct host *h, u32 level)
{
	const struct inet_hashinfo *hi = h->tcp_hashinfo;

	if (!hi)
		return;
	inet_hashinfo_check(hi, level);
	check_table(&hi->ehash, level);
	check_table(&hi->lhash2, level);
}
