/* SPDX-License-Identifier: MIT */
/* From the ring to the handlers: taps and their order, VLAN tags, what nobody handles, budget and
 * time of net_rx_action, the backlog's limit. */
#include "stack/net_world.h"

static char order[64];
static u32 order_len;
static struct sk_buff *tapped;
static u64 tap_bytes;

static int tap(struct sk_buff *skb, const struct packet_type *pt)
{
	order[order_len++] = *(const char *)pt->af_packet_priv;
	order[order_len] = 0;
	tapped = skb;
	tap_bytes += skb->len;
	consume_skb(skb);
	return 0;
}

static int tap_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt,
		   struct net_device *orig_dev)
{
	assert_ptr_equal(dev, orig_dev);
	return tap(skb, pt);
}

static char name_a = 'a', name_b = 'b', name_d = 'd', name_p = 'p', name_e = 'e';

static void begin(u32 rx_ring)
{
	net_world_boot(1);
	net_world_nic(1, rx_ring, 16);
	order_len = 0;
	order[0] = 0;
	tap_bytes = 0;
}

static void taps_in_order(void **state)
{
	struct packet_type a = { .type = ETH_P_ALL, .func = tap_rcv, .af_packet_priv = &name_a };
	struct packet_type b = { .type = ETH_P_ALL, .func = tap_rcv, .af_packet_priv = &name_b };
	struct packet_type d = { .type = ETH_P_ALL, .func = tap_rcv, .af_packet_priv = &name_d };
	struct packet_type p = { .type = TEST_PROTO, .func = tap_rcv, .af_packet_priv = &name_p };
	struct packet_type e = { .type = TEST_PROTO, .func = tap_rcv, .af_packet_priv = &name_e };

	(void)state;
	begin(16);
	d.dev = nw.dev;
	e.dev = nw.dev;
	dev_add_pack(nw.h, &e);
	dev_add_pack(nw.h, &d);
	dev_add_pack(nw.h, &p);
	dev_add_pack(nw.h, &a);
	dev_add_pack(nw.h, &b);
	inject_n(1);
	net_world_run(0);
	/* All taps, the device's; the protocol of the host (first net_world's own), the device's.
	 */
	assert_string_equal(order, "abdpe");
	assert_int_equal(nw.in_count, 1);
	/* Out: taps only. */
	order_len = 0;
	transmit(nw.dev, 60, 0, 0);
	assert_string_equal(order, "abd");
	order_len = 0;
	a.ignore_outgoing = true;
	transmit(nw.dev, 60, 0, 0);
	assert_string_equal(order, "bd");
	/* A tap alone takes what no protocol does: no drop. */
	order_len = 0;
	inject(64, host_mac, 0x9999, 0, 0);
	net_world_run(0);
	assert_string_equal(order, "abd");
	assert_int_equal(drops(SKB_DROP_REASON_UNHANDLED_PROTO), 0);
	dev_remove_pack(nw.h, &a);
	dev_remove_pack(nw.h, &b);
	dev_remove_pack(nw.h, &d);
	dev_remove_pack(nw.h, &p);
	dev_remove_pack(nw.h, &e);
	inject(64, host_mac, 0x9999, 0, 0);
	net_world_run(0);
	assert_string_equal(order, "abd");
	assert_int_equal(drops(SKB_DROP_REASON_UNHANDLED_PROTO), 1);
	assert_int_equal(nw.dev->stats.rx_dropped, 1);
	net_world_end();
}

static void put_tag(u8 *f, u16 proto, u16 tci, u16 inner)
{
	put_be16(f, proto);
	put_be16(f + 2, tci);
	put_be16(f + 4, inner);
}

static void vlan_tags(void **state)
{
	struct packet_type a = { .type = ETH_P_ALL, .func = tap_rcv, .af_packet_priv = &name_a };
	u8 f[64];

	(void)state;
	begin(16);
	frame_build(f, 64, host_mac, 0, 0x42);
	/* Of VLAN 7, with a tap: the tap sees it untagged, no protocol does. */
	dev_add_pack(nw.h, &a);
	put_tag(f + 12, ETH_P_8021Q, 0xe007, TEST_PROTO);
	assert_int_equal(wire_inject(nw.wire, 1, 0, f, 64), 0);
	net_world_run(0);
	assert_int_equal(nw.in_count, 0);
	assert_string_equal(order, "a");
	assert_int_equal(tap_bytes, 64 - 18);
	assert_int_equal(drops(SKB_DROP_REASON_VLAN_NO_DEVICE), 1);
	dev_remove_pack(nw.h, &a);
	/* VLAN 0: a priority tag. */
	put_tag(f + 12, ETH_P_8021Q, 0xe000, TEST_PROTO);
	assert_int_equal(wire_inject(nw.wire, 1, 0, f, 64), 0);
	net_world_run(0);
	assert_int_equal(nw.in_count, 1);
	assert_int_equal(nw.in[0].len, 64 - 18);
	assert_int_equal(nw.in[0].byte, 0x42);
	/* A priority tag before a priority tag, and before a real one. */
	put_tag(f + 12, ETH_P_8021AD, 0, ETH_P_8021Q);
	put_tag(f + 16, ETH_P_8021Q, 0, TEST_PROTO);
	assert_int_equal(wire_inject(nw.wire, 1, 0, f, 64), 0);
	put_tag(f + 16, ETH_P_8021Q, 9, TEST_PROTO);
	assert_int_equal(wire_inject(nw.wire, 1, 0, f, 64), 0);
	net_world_run(0);
	assert_int_equal(nw.in_count, 2);
	assert_int_equal(drops(SKB_DROP_REASON_VLAN_NO_DEVICE), 2);
	/* Cut within the tag. */
	put_tag(f + 12, ETH_P_8021Q, 7, TEST_PROTO);
	for (u32 len = 14; len < 18; len++)
		assert_int_equal(wire_inject(nw.wire, 1, 0, f, len), 0);
	assert_int_equal(wire_inject(nw.wire, 1, 0, f, 18), 0);
	net_world_run(0);
	assert_int_equal(drops(SKB_DROP_REASON_HDR_TRUNC), 4);
	assert_int_equal(drops(SKB_DROP_REASON_VLAN_NO_DEVICE), 3);
	assert_int_equal(hw()->rx_vlan, 9);
	net_world_end();
}

static void nobodys_protocols(void **state)
{
	static const u8 other[6] = { 2, 0, 0, 0, 0, 0x77 };

	(void)state;
	begin(16);
	inject(64, host_mac, ETH_P_IPV6, 0x60, 0);
	inject(64, host_mac, 50, 0, 0);
	inject(64, host_mac, 50, 0xff, 0);
	inject(64, host_mac, 0x0800, 0, 0);
	inject(14, host_mac, 0, 0, 0);
	dev_set_promiscuity(nw.dev, 1);
	inject(64, other, ETH_P_IPV6, 0x60, 0);
	net_world_run(0);
	assert_int_equal(drops(SKB_DROP_REASON_LLC), 2);
	assert_int_equal(drops(SKB_DROP_REASON_UNHANDLED_PROTO), 4);
	net_world_end();
}

/* 1,000 frames in the ring: polls of 64, each of them one step of the CPU. */
static void budget_runs_out(void **state)
{
	const struct softnet_data *sd;

	(void)state;
	begin(1024);
	sd = nw.h->cpus[0]->softnet;
	inject_n(1000);
	/* The interrupt, then one poll a step. */
	event_queue_run_first(nw.w);
	assert_int_equal(nw.in_count, 0);
	for (u32 i = 1; i <= 4; i++) {
		event_queue_run_first(nw.w);
		assert_int_equal(nw.in_count, 64 * i);
		assert_int_equal(sd->time_squeeze, 0);
	}
	net_world_run(0);
	assert_int_equal(nw.in_count, 1000);
	assert_int_equal(sd->processed, 1000);
	/* Each poll that used its weight ends its round: Linux counts a squeeze only when the
	 * budget ends first. */
	assert_int_equal(sd->time_squeeze, 0);
	assert_int_equal(nw.nic->q[0].irqs, 1);
	net_world_end();
}

static void budget_squeezes(void **state)
{
	const struct softnet_data *sd;

	(void)state;
	begin(1024);
	sd = nw.h->cpus[0]->softnet;
	nw.net->sysctl.core_netdev_budget = 50;
	inject_n(200);
	net_world_run(0);
	assert_int_equal(nw.in_count, 200);
	/* 64, 64, 64: over the budget each; 8 are not. */
	assert_int_equal(sd->time_squeeze, 3);
	net_world_end();
}

/* 2 ms a poll: the time of a round is up after one. */
static void time_squeezes(void **state)
{
	const struct softnet_data *sd;

	(void)state;
	begin(1024);
	sd = nw.h->cpus[0]->softnet;
	nw.h->cost[COST_POLL] = 2 * NSEC_PER_MSEC;
	inject_n(100);
	net_world_run(NSEC_PER_SEC);
	assert_int_equal(nw.in_count, 100);
	assert_int_equal(sd->time_squeeze, 2);
	assert_int_equal(nw.in[0].time, 0);
	assert_int_equal(nw.in[64].time, 2 * NSEC_PER_MSEC);
	net_world_end();
}

/* While the CPU is busy with a poll, frames fill the ring: load becomes loss. */
static void busy_cpu_overflows_the_ring(void **state)
{
	struct net_device_stats s;

	(void)state;
	begin(16);
	nw.h->cost[COST_RX_PACKET] = 10000;
	for (u32 i = 0; i < 100; i++) {
		inject_n(1);
		net_world_run(nw.w->now + 1000);
	}
	net_world_run(NSEC_PER_SEC);
	dev_get_stats(nw.dev, &s);
	assert_true(s.rx_missed_errors > 50);
	assert_int_equal(s.rx_missed_errors + nw.in_count, 100);
	net_world_end();
}

static int loopback_send(u32 n)
{
	struct net_device *lo = nw.net->loopback_dev;
	u8 zero[6] = { 0 };
	int rc = 0;

	for (u32 i = 0; i < n; i++) {
		struct sk_buff *skb = alloc_skb(nw.w, 200);

		assert_non_null(skb);
		skb_reserve(skb, 64);
		memset(skb_put(skb, 40), (int)i, 40);
		skb->dev = lo;
		skb_reset_network_header(skb);
		assert_int_equal(dev_hard_header(skb, lo, TEST_PROTO, zero, NULL), 0);
		rc = dev_queue_xmit(skb);
	}
	return rc;
}

static void backlog_has_a_limit(void **state)
{
	struct net_device *lo;

	(void)state;
	begin(16);
	lo = nw.net->loopback_dev;
	nw.net->sysctl.core_netdev_max_backlog = 100;
	loopback_send(150);
	/* As in Linux the limit is passed by one. */
	assert_int_equal(nw.h->cpus[0]->softnet->dropped, 49);
	assert_int_equal(drops(SKB_DROP_REASON_CPU_BACKLOG), 49);
	assert_int_equal(lo->stats.rx_dropped, 49);
	net_world_run(0);
	assert_int_equal(nw.in_count, 101);
	assert_int_equal(nw.in[100].byte, 100);
	assert_int_equal(lo->stats.rx_packets, 101);
	dev_close(lo);
	assert_int_equal(loopback_send(1), -ENETDOWN);
	assert_int_equal(drops(SKB_DROP_REASON_DEV_READY), 1);
	assert_int_equal(dev_open(lo), 0);
	/* Left in the backlog at the end. */
	loopback_send(5);
	net_world_end();
}

static u32 captured[2];
static u8 captured_type[2];

static void capture(void *ctx, u32 point, u32 id, u32 dir, const u8 *frame, u32 len)
{
	(void)ctx;
	(void)id;
	if (point != CAPTURE_DEVICE)
		return;
	captured[dir] += len;
	captured_type[dir] = frame[12];
}

static void device_capture_has_the_frame(void **state)
{
	(void)state;
	begin(16);
	nw.ops.capture = capture;
	captured[0] = 0;
	captured[1] = 0;
	inject(64, host_mac, ETH_P_8021Q, 0, 0);
	transmit(nw.dev, 30, 0, 0);
	net_world_run(0);
	assert_int_equal(captured[0], 64);
	assert_int_equal(captured[1], 44);
	assert_int_equal(captured_type[0], 0x81);
	assert_int_equal(captured_type[1], 0x88);
	net_world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taps_in_order),
		cmocka_unit_test(vlan_tags),
		cmocka_unit_test(nobodys_protocols),
		cmocka_unit_test(budget_runs_out),
		cmocka_unit_test(budget_squeezes),
		cmocka_unit_test(time_squeezes),
		cmocka_unit_test(busy_cpu_overflows_the_ring),
		cmocka_unit_test(backlog_has_a_limit),
		cmocka_unit_test(device_capture_has_the_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
