/* SPDX-License-Identifier: MIT */
/* dev_queue_xmit: pfifo_fast's bands and limit, what a queue does while the device is down,
 * software checksums, nonlinear packets, the registry's names. */
#include "stack/net_world.h"

static void begin(void)
{
	net_world_boot(1);
	net_world_nic(1, 16, 8);
}

static void bands_and_limit(void **state)
{
	struct Qdisc *q;

	(void)state;
	begin();
	nw.dev->tx_queue_len = 3;
	q = nw.dev->tx[0].qdisc;
	assert_int_equal(wire_set(nw.wire, 0, WIRE_PARAM_RATE_BPS, 1000000), 0);
	/* The ring of 8 takes 7; the next one goes past the empty qdisc, is given back by the
	 * stopped queue and waits in front of all others, as in Linux. */
	for (u32 i = 0; i < 8; i++)
		assert_int_equal(transmit(nw.dev, 100, (u8)i, 0), NET_XMIT_SUCCESS);
	/* Priority 2 is bulk (band 2), 0 best effort (1), 6 interactive (0). */
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(transmit(nw.dev, 100, (u8)(30 + i), 2), NET_XMIT_SUCCESS);
		assert_int_equal(transmit(nw.dev, 100, (u8)(20 + i), 0), NET_XMIT_SUCCESS);
		assert_int_equal(transmit(nw.dev, 100, (u8)(10 + i), 6), NET_XMIT_SUCCESS);
	}
	assert_int_equal(transmit(nw.dev, 100, 99, 0), NET_XMIT_DROP);
	assert_int_equal(transmit(nw.dev, 100, 99, 2), NET_XMIT_DROP);
	assert_int_equal(q->stats.qlen, 10);
	assert_int_equal(q->stats.backlog, 10 * 114);
	assert_int_equal(q->stats.drops, 2);
	assert_int_equal(drops(SKB_DROP_REASON_QDISC_DROP), 2);
	net_world_run(NSEC_PER_SEC);
	assert_int_equal(nw.out_count, 17);
	for (u32 i = 0; i < 9; i++)
		assert_int_equal(nw.out[8 + i].byte, 10 + i / 3 * 10 + i % 3);
	assert_int_equal(q->stats.backlog, 0);
	assert_int_equal(q->stats.packets, 17);
	net_world_end();
}

static void going_down_drops_the_queue(void **state)
{
	(void)state;
	begin();
	nic_set_param(nw.dev, NIC_PARAM_TX_STALL, 0, 1);
	for (u32 i = 0; i < 20; i++)
		transmit(nw.dev, 100, 0, 0);
	dev_close(nw.dev);
	/* 13 of the queue, 7 of the ring. */
	assert_int_equal(drops(SKB_DROP_REASON_DEV_READY), 20);
	assert_int_equal(nw.dev->tx[0].qdisc->stats.qlen, 0);
	assert_int_equal(dev_open(nw.dev), 0);
	transmit(nw.dev, 100, 1, 0);
	net_world_run(0);
	assert_int_equal(nw.out_count, 1);
	net_world_end();
}

static void more_than_a_run_of_the_qdisc(void **state)
{
	(void)state;
	net_world_boot(1);
	net_world_nic(1, 16, 8);
	assert_int_equal(wire_set(nw.wire, 0, WIRE_PARAM_RATE_BPS, 1000000), 0);
	for (u32 i = 0; i < 200; i++)
		transmit(nw.dev, 100, (u8)i, 0);
	assert_int_equal(wire_set(nw.wire, 0, WIRE_PARAM_RATE_BPS, 0), 0);
	net_world_run(NSEC_PER_SEC);
	assert_int_equal(nw.out_count, 200);
	for (u32 i = 0; i < 200; i++)
		assert_int_equal(nw.out[i].byte, (u8)i);
	net_world_end();
}

/* A packet whose checksum field (offset 6 behind the start) is left to the device. */
static struct sk_buff *partial(void)
{
	struct sk_buff *skb = alloc_skb(nw.w, 256);
	u8 *p;

	assert_non_null(skb);
	skb_reserve(skb, 64);
	p = skb_put(skb, 20);
	for (u32 i = 0; i < 20; i++)
		p[i] = (u8)(i * 7);
	put_be16(p + 6, 0);
	skb->dev = nw.dev;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u16)skb_headroom(skb);
	skb->csum_offset = 6;
	skb_reset_network_header(skb);
	assert_int_equal(dev_hard_header(skb, nw.dev, TEST_PROTO, peer_mac, NULL), 0);
	return skb;
}

static u16 sum_of(const u8 *p, u32 len)
{
	u32 sum = 0;

	for (u32 i = 0; i < len; i += 2)
		sum += get_be16(p + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}

static void checksum_in_software_and_hardware(void **state)
{
	u8 first[34];

	(void)state;
	begin();
	assert_int_equal(dev_queue_xmit(partial()), NET_XMIT_SUCCESS);
	net_world_run(0);
	assert_int_equal(sum_of(nw.last_out + 14, 20), 0xffff);
	memcpy(first, nw.last_out, 34);
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_TX_CSUM, 0, 1), 0);
	assert_int_equal(dev_queue_xmit(partial()), NET_XMIT_SUCCESS);
	net_world_run(0);
	assert_int_equal(nw.out_count, 2);
	assert_memory_equal(nw.last_out, first, 34);
	net_world_end();
}

static void names(void **state)
{
	struct op_nic_add op = { .queues = 1 };
	struct net_device *dev;
	int err;

	(void)state;
	begin();
	assert_string_equal(nw.dev->name, "eth0");
	assert_int_equal(nw.dev->ifindex, 2);
	dev = nic_probe(nw.net, &op, &err);
	assert_string_equal(dev->name, "eth1");
	assert_int_equal(dev->dev_addr[5], 3);
	op.name = (struct op_bytes){ (const u8 *)"uplink", 6 };
	dev = nic_probe(nw.net, &op, &err);
	assert_string_equal(dev->name, "uplink");
	assert_ptr_equal(dev_get_by_name(nw.net, "uplink"), dev);
	assert_ptr_equal(dev_get_by_index(nw.net, 4), dev);
	assert_null(dev_get_by_index(nw.net, 5));
	op = (struct op_nic_add){ .model = NIC_MODEL_TUN };
	dev = nic_probe(nw.net, &op, &err);
	assert_string_equal(dev->name, "tun0");
	net_world_end();
}

static struct net_device *tun;

static int ip_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt,
		  struct net_device *orig_dev)
{
	assert_ptr_equal(dev, tun);
	return net_world_rcv(skb, dev, pt, orig_dev);
}

static void tun_is_raw_ip(void **state)
{
	const struct packet_type ip = { .type = ETH_P_IP, .func = ip_rcv };
	struct op_nic_add op = { .model = NIC_MODEL_TUN };
	u8 packet[40] = { 0x45 };
	struct sk_buff *skb;
	int err;

	(void)state;
	net_world_boot(1);
	tun = nic_probe(nw.net, &op, &err);
	assert_non_null(tun);
	nw.dev = tun;
	assert_int_equal(wire_create(nw.w, 1000, 0), 0);
	nw.wire = nw.w->wires[0];
	assert_int_equal(wire_attach(nw.wire, 0, tun), 0);
	assert_int_equal(wire_attach(nw.wire, 1, tun), -EBUSY);
	assert_int_equal(dev_open(tun), 0);
	assert_int_equal(dev_add_pack(nw.h, &ip), 0);
	assert_int_equal(wire_inject(nw.wire, 1, 0, packet, 40), 0);
	packet[0] = 0x60;
	assert_int_equal(wire_inject(nw.wire, 1, 0, packet, 40), 0);
	packet[0] = 0x50;
	assert_int_equal(wire_inject(nw.wire, 1, 0, packet, 40), 0);
	assert_int_equal(wire_inject(nw.wire, 1, 0, packet, 0), 0);
	net_world_run(1000);
	assert_int_equal(nw.in_count, 1);
	assert_int_equal(nw.in[0].len, 40);
	assert_int_equal(drops(SKB_DROP_REASON_UNHANDLED_PROTO), 1);
	assert_int_equal(tun->stats.rx_dropped, 3);
	skb = alloc_skb(nw.w, 100);
	assert_non_null(skb);
	memset(skb_put(skb, 30), 0x45, 30);
	skb->dev = tun;
	skb_reset_network_header(skb);
	assert_int_equal(dev_queue_xmit(skb), NET_XMIT_SUCCESS);
	net_world_run(2000);
	assert_int_equal(nw.out_count, 1);
	assert_int_equal(nw.out[0].len, 30);
	assert_int_equal(tun->stats.tx_packets, 1);
	dev_remove_pack(nw.h, &ip);
	net_world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bands_and_limit),
		cmocka_unit_test(going_down_drops_the_queue),
		cmocka_unit_test(more_than_a_run_of_the_qdisc),
		cmocka_unit_test(checksum_in_software_and_hardware),
		cmocka_unit_test(names),
		cmocka_unit_test(tun_is_raw_ip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
