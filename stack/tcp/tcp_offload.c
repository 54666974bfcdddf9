/* SPDX-License-Identifier: MIT */
/*
 * TCP's part in super-packets, the same for both families (net/ipv4/tcp_offload.c): segments get
 * the sequence numbers that follow on; FIN and PSH stand in the last one only, CWR in the first
 * only (RFC 3168 6.1.2: one segment answers an ECE).
 *
 * Invariant: the socket's account of what is under way goes over to the segments without ever
 * touching 0.
 */
#include "core/offload.h"
#include "lib/checksum.h"
#include "tcp/tcp.h"
#include "tcp/tcp_offload.h"

/* The checksum field holds the sum of the pseudo header for `from` bytes; that for `to` bytes. */
static u32 pseudo_for_len(const u8 *th, u32 from, u32 to)
{
	u8 words[4];
	u32 sum = (u16)tcp_check(th);

	put_be16(words, (u16)~from);
	put_be16(words + 2, (u16)to);
	return csum_partial(words, 4, sum);
}

static void seg_check(struct sk_buff *seg, u32 whole_len)
{
	u8 *th = skb_transport_header(seg);
	u32 len = seg->len - (u32)(th - seg->data), thlen = tcp_doff(th);
	u32 psum = pseudo_for_len(th, whole_len, len);

	if (seg->ip_summed == CHECKSUM_PARTIAL) {
		store_be16(th + 16, csum_fold_raw(psum));
		return;
	}
	store_be16(th + 16, 0);
	store_be16(th + 16, csum_fold(csum_add(psum, csum_partial(th, thlen, seg->csum))));
}

struct sk_buff *tcp_gso_segment(struct sk_buff *skb, u32 features)
{
	u32 mss = skb_shinfo(skb)->gso_size, whole_len = skb->len, thlen, seq;
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
	for (struct sk_buff *seg = segs; seg; seg = seg->next) {
		u8 *th = skb_transport_header(seg);

		put_be32(th + 4, seq);
		if (seg->next)
			th[13] &= (u8) ~(TCPHDR_FIN | TCPHDR_PSH);
		if (seg != segs)
			th[13] &= (u8)~TCPHDR_CWR;
		seg_check(seg, whole_len);
		if (sk)
			tcp_skb_set_owner_w(sk, seg);
		seq += mss;
	}
	return segs;
}
