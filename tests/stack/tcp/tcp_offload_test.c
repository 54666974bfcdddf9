/* SPDX-License-Identifier: MIT */
/* tcp_gso_segment and inet_gso_segment on a packet made by hand: every field of every segment. */
#include "stack/net_world.h"

#include "core/offload.h"
#include "lib/checksum.h"
#include "tcp/tcp_offload.h"
#include "wire/ip4.h"
#include "wire/tcp.h"

#define OPTIONS 12u
#define HEADERS (ETH_HLEN + IP4_HLEN + TCP_HLEN + OPTIONS)

static struct sk_buff *inet_like(struct sk_buff *skb, u32 features)
{
	struct sk_buff *segs;

	skb_pull(skb, IP4_HLEN);
	segs = tcp_gso_segment(skb, features);
	skb_push(skb, IP4_HLEN);
	return segs;
}

static const struct packet_offload offload = { .type = ETH_P_IP,
					       .callbacks = { .gso_segment = inet_like } };

/* `payload` bytes behind Ethernet, IPv4 and TCP headers; flags all that may be. */
static struct sk_buff *super(u32 payload, u16 mss, u8 flags)
{
	struct sk_buff *skb = alloc_skb(nw.w, 64 + HEADERS + payload);
	const struct ip4_hdr ip = {
		.ihl = IP4_HLEN, .ttl = 64, .protocol = 6, .saddr = 1, .daddr = 2
	};
	const struct tcp_hdr th = { .source = 1,
				    .dest = 2,
				    .seq = 0xfffffff0,
				    .ack_seq = 5,
				    .doff = TCP_HLEN + OPTIONS,
				    .flags = flags,
				    .window = 7 };
	u32 tcp_len = TCP_HLEN + OPTIONS + payload;
	u8 *p;

	assert_non_null(skb);
	skb_reserve(skb, 64);
	p = skb_put(skb, HEADERS + payload);
	for (u32 i = 0; i < HEADERS + payload; i++)
		p[i] = (u8)(i * 31 + i / 256);
	skb_reset_mac_header(skb);
	skb->network_header = (u16)(skb->mac_header + ETH_HLEN);
	skb->transport_header = (u16)(skb->network_header + IP4_HLEN);
	ip4_build(p + ETH_HLEN, &ip);
	tcp_build(p + ETH_HLEN + IP4_HLEN, &th);
	memset(p + HEADERS - OPTIONS, 1, OPTIONS);
	store_be16(p + ETH_HLEN + IP4_HLEN + 16,
		   csum_fold_raw(csum_tcpudp_nofold(1, 2, tcp_len, 6, 0)));
	skb->csum_start = skb->transport_header;
	skb->csum_offset = 16;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->protocol = htons(ETH_P_IP);
	skb->dev = nw.dev;
	skb->net = nw.net;
	skb_shinfo(skb)->gso_size = mss;
	skb_shinfo(skb)->gso_segs = (u16)((payload + mss - 1) / mss);
	skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4;
	return skb;
}

static void check_segment(struct sk_buff *seg, const struct sk_buff *whole, u32 offset, u32 len,
			  bool first, bool last, u8 flags)
{
	const u8 *th = skb_transport_header(seg);
	u32 tcp_len = TCP_HLEN + OPTIONS + len;
	u8 want = flags;

	assert_int_equal(seg->len, HEADERS + len);
	assert_memory_equal(seg->data, whole->data, ETH_HLEN);
	assert_int_equal(tcp_seq(th), 0xfffffff0 + offset);
	assert_int_equal(tcp_ack_seq(th), 5);
	assert_int_equal(tcp_window(th), 7);
	if (!last)
		want &= (u8) ~(TCPHDR_FIN | TCPHDR_PSH);
	if (!first)
		want &= (u8)~TCPHDR_CWR;
	assert_int_equal(tcp_flags(th), want);
	assert_memory_equal(seg->data + HEADERS, whole->data + HEADERS + offset, len);
	if (seg->ip_summed == CHECKSUM_PARTIAL)
		assert_int_equal(skb_checksum_help(seg), 0);
	th = skb_transport_header(seg);
	assert_int_equal(
		csum_fold(csum_partial(th, tcp_len, csum_tcpudp_nofold(1, 2, tcp_len, 6, 0))), 0);
	assert_false(skb_is_gso(seg));
}

static void cut(u32 payload, u16 mss, u8 flags, u32 features)
{
	struct sk_buff *skb = super(payload, mss, flags), *segs, *seg;
	u32 offset = 0;

	segs = skb_gso_segment(skb, features);
	assert_non_null(segs);
	assert_ptr_equal(skb->data, skb_mac_header(skb));
	for (seg = segs; seg; seg = seg->next) {
		u32 len = payload - offset < mss ? payload - offset : mss;

		assert_int_equal(seg->ip_summed,
				 features & NETIF_F_HW_CSUM ? CHECKSUM_PARTIAL : CHECKSUM_NONE);
		check_segment(seg, skb, offset, len, seg == segs, !seg->next, flags);
		offset += len;
	}
	assert_int_equal(offset, payload);
	kfree_skb_list_reason(segs, SKB_DROP_REASON_NOMEM);
	consume_skb(skb);
}

static void begin(void)
{
	net_world_boot(1);
	net_world_nic(1, 16, 16);
	assert_int_equal(dev_add_offload(nw.h, &offload), 0);
}

static void every_size(void **state)
{
	const u8 flags = TCPHDR_ACK | TCPHDR_PSH | TCPHDR_FIN | TCPHDR_CWR | TCPHDR_ECE;

	(void)state;
	begin();
	for (u32 payload = 11; payload < 64; payload++)
		for (u32 i = 0; i < 2; i++)
			cut(payload, 10, i ? flags : TCPHDR_ACK, i ? NETIF_F_HW_CSUM : 0);
	cut(65000, 1460, flags, 0);
	cut(65000, 1461, flags, NETIF_F_HW_CSUM);
	net_world_end();
}

/* What is no super-packet, or a damaged one, is not cut. */
static void refused(void **state)
{
	struct sk_buff *skb;

	(void)state;
	begin();
	skb = super(10, 10, TCPHDR_ACK);
	assert_null(skb_gso_segment(skb, 0));
	consume_skb(skb);
	skb = super(30, 10, TCPHDR_ACK);
	skb_transport_header(skb)[12] = 0x40;
	assert_null(skb_gso_segment(skb, 0));
	consume_skb(skb);
	skb = super(30, 10, TCPHDR_ACK);
	skb->protocol = htons(ETH_P_ARP);
	assert_null(skb_gso_segment(skb, 0));
	consume_skb(skb);
	net_world_end();
}

/*
 * Whichever allocation fails: all or nothing. Three segments take two each; the hostile build makes
 * more, a fresh buffer at every pull.
 */
static void no_memory(void **state)
{
	bool whole = false;
	u32 n;

	(void)state;
	begin();
	for (n = 0; n < 64 && !whole; n++) {
		struct sk_buff *skb = super(30, 10, TCPHDR_ACK), *segs;

		fault_plant(nw.w, FAULT_ALLOC, n, 1);
		segs = skb_gso_segment(skb, 0);
		nw.w->fault.armed = 0;
		whole = segs != NULL;
		kfree_skb_list_reason(segs, SKB_DROP_REASON_NOMEM);
		consume_skb(skb);
	}
	assert_in_range(n, 7, 63);
	net_world_end();
}

/* A device that cuts by itself gets it whole; one that does not sum never does. */
static void who_needs_it(void **state)
{
	struct sk_buff *skb;

	(void)state;
	begin();
	skb = super(30, 10, TCPHDR_ACK);
	assert_true(netif_needs_gso(skb, 0));
	assert_false(netif_needs_gso(skb, NETIF_F_TSO | NETIF_F_HW_CSUM));
	assert_true(skb_gso_validate_network_len(skb, IP4_HLEN + TCP_HLEN + OPTIONS + 10));
	assert_false(skb_gso_validate_network_len(skb, IP4_HLEN + TCP_HLEN + OPTIONS + 9));
	assert_int_equal(skb_segs(skb), 3);
	skb_shinfo(skb)->gso_size = 0;
	assert_false(netif_needs_gso(skb, 0));
	consume_skb(skb);
	net_world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size),
		cmocka_unit_test(refused),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(who_needs_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
