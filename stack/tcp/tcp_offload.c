/* SPDX-License-Identifier: MIT */
/*
 * TCP's part in super-packets, the same for both families (net/ipv4/tcp_offload.c). Out: segments
 * get the sequence numbers that follow on; FIN and PSH stand in the last one only, CWR in the first
 * only (RFC 3168 6.1.2: one segment answers an ECE). In: frames become one that differ in nothing
 * but sequence number and payload, FIN and PSH of the last.
 *
 * Invariant: the socket's account of what is under way goes over to the segments without ever
 * touching 0.
 */
#include "core/errqueue.h"
#include "core/offload.h"
#include "lib/checksum.h"
#include "tcp/tcp.h"
#include "tcp/tcp_offload.h"
#include "tcp/tcp_output.h"

static void seg_check(struct sk_buff *seg, u32 whole_len)
{
	u8 *th = skb_transport_header(seg);
	u32 len = seg->len - (u32)(th - seg->data), thlen = tcp_doff(th);
	u32 psum = gso_pseudo_for_len(tcp_check(th), whole_len, len);

	if (seg->ip_summed == CHECKSUM_PARTIAL) {
		store_be16(th + 16, csum_fold_raw(psum));
		return;
	}
	store_be16(th + 16, 0);
	store_be16(th + 16, csum_fold(csum_add(psum, csum_partial(th, thlen, seg->csum))));
}

/* The stamp goes with the segment that holds the byte. */
static void tcp_gso_tstamp(struct sk_buff *seg, const struct sk_buff *gso_skb, u32 seq, u32 mss)
{
	const struct skb_shared_info *shinfo = skb_shinfo(gso_skb);

	while (seg && !before(shinfo->tskey, seq + mss)) {
		seg = seg->next;
		seq += mss;
	}
	if (!seg)
		return;
	skb_shinfo(seg)->tx_flags |= shinfo->tx_flags & SKBTX_ANY_TSTAMP;
	skb_shinfo(seg)->tskey = shinfo->tskey;
}

struct sk_buff *tcp_gso_segment(struct sk_buff *skb, u32 features)
{
	u32 mss = skb_shinfo(skb)->gso_size, whole_len = skb->len, thlen, seq;
	bool accecn = skb_shinfo(skb)->gso_type & SKB_GSO_TCP_ACCECN;
	struct sock *sk = skb->destructor == tcp_wfree ? skb->sk : NULL;
	struct sk_buff *segs;

	if (!pskb_may_pull(skb, TCP_HLEN))
		return NULL;
	thlen = tcp_doff(skb->data);
	if (thlen < TCP_HLEN || !pskb_may_pull(skb, thlen) || !mss || skb->len - thlen <= mss)
		return NULL;
	seq = tcp_seq(skb->data);
	skb_pull(skb, thlen);
	segs = skb_segment(skb, features);
	skb_push(skb, thlen);
	if (skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP)
		tcp_gso_tstamp(segs, skb, seq, mss);
	for (struct sk_buff *seg = segs; seg; seg = seg->next) {
		u8 *th = skb_transport_header(seg);

		put_be32(th + 4, seq);
		if (seg->next)
			th[13] &= (u8) ~(TCPHDR_FIN | TCPHDR_PSH);
		if (seg != segs && !accecn)
			th[13] &= (u8)~TCPHDR_CWR;
		seg_check(seg, whole_len);
		if (sk)
			tcp_skb_set_owner_w(sk, seg);
		seq += mss;
	}
	return segs;
}

/* ---- in ---- */

/* Merging would hide one of these. */
#define TCP_FLUSH_FLAGS (TCPHDR_URG | TCPHDR_PSH | TCPHDR_RST | TCPHDR_SYN | TCPHDR_FIN)
/* What may differ within a packet: the last frame may have them. */
#define TCP_LAST_FLAGS (TCPHDR_FIN | TCPHDR_PSH)

/* The held packet of the same connection; the others are told that they are not. */
static struct sk_buff *tcp_gro_lookup(const struct sk_buff_head *held, const u8 *th)
{
	for (struct sk_buff *p = held->next; p; p = p->next) {
		if (!NAPI_GRO_CB(p)->same_flow)
			continue;
		if (load_be32(skb_transport_header(p)) == load_be32(th))
			return p;
		NAPI_GRO_CB(p)->same_flow = 0;
	}
	return NULL;
}

/* Whole words of TCP's header: a few options. */
static bool words_differ(const u8 *a, const u8 *b, u32 len)
{
	u32 differ = 0;

	for (u32 i = 0; i < len; i += 4)
		differ |= load_be32(a + i) ^ load_be32(b + i);
	return differ != 0;
}

/* Is it not the segment behind p, or does its header say other things? */
static bool tcp_gro_differs(const struct sk_buff *p, const u8 *th, u32 thlen)
{
	const u8 *th2 = skb_transport_header(p);

	/* Header length, flags and window in one word; acknowledgement; options. */
	if ((get_be32(th + 12) ^ get_be32(th2 + 12)) & ~((u32)TCP_LAST_FLAGS << 16))
		return true;
	if (tcp_ack_seq(th) != tcp_ack_seq(th2) ||
	    words_differ(th + TCP_HLEN, th2 + TCP_HLEN, thlen - TCP_HLEN))
		return true;
	return tcp_seq(th2) + skb_gro_len(p) != tcp_seq(th);
}

/* Does the frame not follow on? len: its payload. */
static bool tcp_gro_breaks(const struct sk_buff *p, const struct sk_buff *skb, const u8 *th,
			   u32 thlen, u32 len)
{
	u32 mss = skb_shinfo(p)->gso_size;

	if (skb_is_gso(skb) ? mss != skb_shinfo(skb)->gso_size : len - 1 >= mss)
		return true;
	return tcp_gro_differs(p, th, thlen);
}

bool tcp_gro_continues(const struct sk_buff *p, const u8 *th, u32 len)
{
	const u8 *th2 = skb_transport_header(p);
	u32 thlen = tcp_doff(th2);

	return len == thlen + skb_shinfo(p)->gso_size && load_be32(th) == load_be32(th2) &&
	       !(tcp_flags(th) & TCP_FLUSH_FLAGS) && !tcp_gro_differs(p, th, thlen);
}

struct sk_buff *tcp_gro_receive(struct sk_buff_head *held, struct sk_buff *skb,
				bool (*network_flush)(const struct sk_buff *skb, struct sk_buff *p))
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);
	const u8 *th = skb_gro_header(skb, TCP_HLEN);
	u32 thlen = th ? tcp_doff(th) : 0, len, mss = 1;
	struct sk_buff *p;
	bool flush;

	if (thlen < TCP_HLEN || !skb_gro_header(skb, thlen)) {
		cb->flush = 1;
		return NULL;
	}
	skb_gro_pull(skb, thlen);
	len = skb_gro_len(skb);
	p = tcp_gro_lookup(held, th);
	if (p) {
		mss = skb_shinfo(p)->gso_size;
		if (tcp_gro_breaks(p, skb, th, thlen, len) || network_flush(skb, p) ||
		    skb_gro_receive(p, skb))
			mss = 1;
		else
			skb_transport_header(p)[13] |= tcp_flags(th) & TCP_LAST_FLAGS;
	}
	/* A short one is the last of a burst. */
	flush = skb_is_gso(skb) ? len != cb->count * skb_shinfo(skb)->gso_size : len < mss;
	flush |= (tcp_flags(th) & TCP_FLUSH_FLAGS) != 0;
	cb->flush |= flush;
	return p && (!cb->same_flow || flush) ? p : NULL;
}

void tcp_gro_complete(struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	skb->csum_start = skb->transport_header;
	skb->csum_offset = 16;
	skb->ip_summed = CHECKSUM_PARTIAL;
	shinfo->gso_segs = (u16)NAPI_GRO_CB(skb)->count;
	/* CWR of all of them: part of a counter (RFC 9768), or nothing that could be told apart. */
	if (tcp_flags(skb_transport_header(skb)) & TCPHDR_CWR)
		shinfo->gso_type |= SKB_GSO_TCP_ACCECN;
}
