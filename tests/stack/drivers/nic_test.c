/* SPDX-License-Identifier: MIT */
/* The ring NIC and its driver: what the ring loses, what the filter refuses, when interrupts come,
 * how the transmit ring stops and wakes, what a reset leaves. */
#include "stack/net_world.h"

static void begin(void)
{
	net_world_boot(1);
	net_world_nic(1, 16, 16);
}

static struct net_device_stats stats(void)
{
	struct net_device_stats s;

	dev_get_stats(nw.dev, &s);
	return s;
}

static void frame_in(void **state)
{
	(void)state;
	begin();
	inject(64, host_mac, TEST_PROTO, 7, 0);
	net_world_run(0);
	assert_int_equal(nw.in_count, 1);
	assert_int_equal(nw.in[0].len, 50);
	assert_int_equal(nw.in[0].byte, 7);
	assert_int_equal(nw.in[0].pkt_type, PACKET_HOST);
	assert_int_equal(stats().rx_packets, 1);
	assert_int_equal(stats().rx_bytes, 64);
	net_world_end();
}

static void frame_out_is_padded(void **state)
{
	static const u8 zero[64];

	(void)state;
	begin();
	assert_int_equal(transmit(nw.dev, 10, 5, 0), NET_XMIT_SUCCESS);
	net_world_run(0);
	assert_int_equal(nw.out_count, 1);
	assert_int_equal(nw.out[0].len, 60);
	assert_int_equal(nw.out[0].byte, 5);
	assert_memory_equal(nw.last_out, peer_mac, 6);
	assert_memory_equal(nw.last_out + 6, host_mac, 6);
	assert_memory_equal(nw.last_out + 24, zero, 36);
	assert_int_equal(stats().tx_packets, 1);
	assert_int_equal(stats().tx_bytes, 24);
	net_world_end();
}

/* The CPU does not get to poll between frames of one instant: a ring of 16 holds 15. */
static void full_ring_counts_missed(void **state)
{
	(void)state;
	begin();
	inject_n(20);
	net_world_run(0);
	assert_int_equal(nw.in_count, 15);
	assert_int_equal(stats().rx_missed_errors, 5);
	for (u32 i = 0; i < 15; i++)
		assert_int_equal(nw.in[i].byte, i);
	/* And it goes on. */
	inject_n(15);
	net_world_run(0);
	assert_int_equal(nw.in_count, 30);
	fault_plant(nw.w, FAULT_RX_MISSED, 0, 1);
	inject_n(2);
	net_world_run(0);
	assert_int_equal(nw.in_count, 31);
	assert_int_equal(stats().rx_missed_errors, 6);
	net_world_end();
}

static void length_checks(void **state)
{
	(void)state;
	begin();
	inject(0, host_mac, TEST_PROTO, 0, 0);
	inject(13, host_mac, TEST_PROTO, 0, 0);
	inject(1519, host_mac, TEST_PROTO, 0, 0);
	assert_int_equal(stats().rx_length_errors, 3);
	inject(14, host_mac, TEST_PROTO, 0, 0);
	inject(1518, host_mac, TEST_PROTO, 0, 0);
	net_world_run(0);
	assert_int_equal(nw.in_count, 2);
	assert_int_equal(nw.in[0].len, 0);
	assert_int_equal(nw.in[1].len, 1504);
	inject(64, host_mac, TEST_PROTO, 0, FRAME_BAD_FCS);
	assert_int_equal(stats().rx_crc_errors, 1);
	assert_int_equal(stats().rx_errors, 4);
	net_world_end();
}

static void jumbo_in_several_buffers(void **state)
{
	(void)state;
	net_world_boot(1);
	net_world_nic(1, 64, 64);
	assert_int_equal(dev_set_mtu(nw.dev, 65535), 0);
	inject(65549, host_mac, TEST_PROTO, 3, 0);
	inject(9014, host_mac, TEST_PROTO, 4, 0);
	inject(1536, host_mac, TEST_PROTO, 5, 0);
	inject(1537, host_mac, TEST_PROTO, 6, 0);
	net_world_run(0);
	assert_int_equal(nw.in_count, 4);
	assert_int_equal(nw.in[0].len, 65535);
	assert_int_equal(nw.in[1].len, 9000);
	assert_int_equal(nw.in[2].len, 1522);
	assert_int_equal(nw.in[3].len, 1523);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(nw.in[i].byte, 3 + i);
	assert_int_equal(transmit(nw.dev, 65535, 1, 0), NET_XMIT_SUCCESS);
	net_world_run(0);
	assert_int_equal(nw.out[0].len, 65549);
	net_world_end();
}

static void address_filter(void **state)
{
	static const u8 other[6] = { 2, 0, 0, 0, 0, 0x77 };
	static const u8 broadcast[6] = { 255, 255, 255, 255, 255, 255 };
	static const u8 group[6] = { 1, 0, 0x5e, 0, 0, 1 };

	(void)state;
	begin();
	inject(64, other, TEST_PROTO, 0, 0);
	inject(64, group, TEST_PROTO, 0, 0);
	assert_int_equal(hw()->rx_filtered, 2);
	inject(64, broadcast, TEST_PROTO, 0, 0);
	assert_int_equal(dev_mc_add(nw.dev, group), 0);
	inject(64, group, TEST_PROTO, 0, 0);
	dev_set_promiscuity(nw.dev, 1);
	inject(64, other, TEST_PROTO, 0, 0);
	dev_set_promiscuity(nw.dev, -1);
	assert_int_equal(dev_mc_del(nw.dev, group), 0);
	inject(64, group, TEST_PROTO, 0, 0);
	assert_int_equal(hw()->rx_filtered, 3);
	net_world_run(0);
	assert_int_equal(nw.in_count, 3);
	assert_int_equal(nw.in[0].pkt_type, PACKET_BROADCAST);
	assert_int_equal(nw.in[1].pkt_type, PACKET_MULTICAST);
	assert_int_equal(nw.in[2].pkt_type, PACKET_OTHERHOST);
	assert_int_equal(stats().multicast, 1);
	net_world_end();
}

static void moderation_spaces_interrupts(void **state)
{
	(void)state;
	begin();
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_RX_USECS, 0, 100), 0);
	inject_n(1);
	net_world_run(0);
	assert_int_equal(nw.in_count, 1);
	net_world_run(10000);
	inject_n(1);
	net_world_run(50000);
	inject_n(1);
	net_world_run(99999);
	assert_int_equal(nw.in_count, 1);
	net_world_run(100000);
	assert_int_equal(nw.in_count, 3);
	assert_int_equal(nw.in[2].time, 100000);
	assert_int_equal(nw.nic->q[0].irqs, 2);
	net_world_end();
}

static void lost_and_spurious_interrupts(void **state)
{
	(void)state;
	begin();
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_IRQ_LOST, 0, 1), 0);
	inject_n(1);
	net_world_run(0);
	assert_int_equal(nw.in_count, 0);
	/* The frame waits in the ring until the next interrupt. */
	inject_n(1);
	net_world_run(0);
	assert_int_equal(nw.in_count, 2);
	assert_int_equal(hw()->interrupts_lost, 1);
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_IRQ_SPURIOUS, 0, 1), 0);
	net_world_run(0);
	assert_int_equal(nw.nic->q[0].irqs_spurious, 1);
	assert_int_equal(nw.in_count, 2);
	net_world_end();
}

/* 1 Mbit/s, 1,000 bytes a frame: one leaves each 8 ms. */
static void full_tx_ring_stops_and_wakes(void **state)
{
	struct netdev_queue *txq;

	(void)state;
	begin();
	txq = &nw.dev->tx[0];
	assert_int_equal(wire_set(nw.wire, 0, WIRE_PARAM_RATE_BPS, 1000000), 0);
	for (u32 i = 0; i < 15; i++) {
		assert_false(txq->stopped);
		assert_int_equal(transmit(nw.dev, 986, (u8)i, 0), NET_XMIT_SUCCESS);
	}
	assert_true(txq->stopped);
	for (u32 i = 15; i < 30; i++)
		assert_int_equal(transmit(nw.dev, 986, (u8)i, 0), NET_XMIT_SUCCESS);
	assert_int_equal(txq->qdisc->stats.qlen, 15);
	net_world_run(8 * NSEC_PER_MSEC);
	assert_int_equal(nw.out_count, 1);
	assert_int_equal(txq->qdisc->stats.qlen, 14);
	assert_true(txq->stopped);
	net_world_run(NSEC_PER_SEC);
	assert_false(txq->stopped);
	assert_int_equal(nw.out_count, 30);
	for (u32 i = 0; i < 30; i++) {
		assert_int_equal(nw.out[i].byte, i);
		assert_int_equal(nw.out[i].time, (i + 1) * 8 * NSEC_PER_MSEC);
	}
	assert_int_equal(stats().tx_packets, 30);
	assert_int_equal(nw.nic->q[0].tx_timeouts, 0);
	net_world_end();
}

static void watchdog_resets_a_hung_ring(void **state)
{
	struct netdev_queue *txq;
	u64 objects;

	(void)state;
	begin();
	txq = &nw.dev->tx[0];
	objects = nw.w->mem.objects;
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_TX_STALL, 0, 1), 0);
	for (u32 i = 0; i < 17; i++)
		assert_int_equal(transmit(nw.dev, 100, (u8)i, 0), NET_XMIT_SUCCESS);
	assert_true(txq->stopped);
	net_world_run(4999 * NSEC_PER_MSEC);
	assert_int_equal(nw.out_count, 0);
	assert_int_equal(txq->trans_timeout, 0);
	/* What was in the ring is gone, what waited behind it goes out. */
	net_world_run(5001 * NSEC_PER_MSEC);
	assert_int_equal(txq->trans_timeout, 1);
	assert_int_equal(stats().tx_errors, 1);
	assert_int_equal(drops(SKB_DROP_REASON_DEV_READY), 15);
	assert_int_equal(nw.out_count, 2);
	assert_int_equal(nw.out[0].byte, 15);
	assert_int_equal(nw.w->mem.objects, objects);
	inject_n(1);
	net_world_run(6000 * NSEC_PER_MSEC);
	assert_int_equal(nw.in_count, 1);
	net_world_end();
}

static void planted_tx_busy_requeues(void **state)
{
	(void)state;
	begin();
	assert_int_equal(wire_set(nw.wire, 0, WIRE_PARAM_RATE_BPS, 8000000), 0); /* 1 us a byte */
	transmit(nw.dev, 86, 0, 0);
	fault_plant(nw.w, FAULT_TX_BUSY, 0, 1);
	transmit(nw.dev, 86, 1, 0);
	assert_true(nw.dev->tx[0].stopped);
	assert_int_equal(nw.dev->tx[0].qdisc->stats.requeues, 1);
	/* The first one's completion wakes the queue. */
	net_world_run(NSEC_PER_SEC);
	assert_int_equal(nw.out_count, 2);
	assert_int_equal(nw.out[1].byte, 1);
	assert_int_equal(nw.out[1].time, 200000);
	net_world_end();
}

static void carrier_and_down(void **state)
{
	(void)state;
	begin();
	nw.dev->netdev_ops->ndo_change_carrier(nw.dev, false);
	net_world_run(0);
	assert_false(nw.dev->carrier);
	assert_int_equal(nw.dev->flags & IFF_RUNNING, 0);
	assert_int_equal(transmit(nw.dev, 100, 0, 0), NET_XMIT_CN);
	assert_int_equal(drops(SKB_DROP_REASON_DEV_READY), 1);
	inject_n(1);
	assert_int_equal(hw()->rx_disabled, 1);
	nw.dev->netdev_ops->ndo_change_carrier(nw.dev, true);
	net_world_run(0);
	assert_true(nw.dev->carrier);
	assert_int_equal(transmit(nw.dev, 100, 0, 0), NET_XMIT_SUCCESS);
	dev_close(nw.dev);
	inject_n(1);
	assert_int_equal(hw()->rx_disabled, 2);
	assert_int_equal(transmit(nw.dev, 100, 0, 0), NET_XMIT_CN);
	assert_int_equal(dev_open(nw.dev), 0);
	inject_n(1);
	net_world_run(0);
	assert_int_equal(nw.in_count, 1);
	net_world_end();
}

static void ring_sizes_change_under_load(void **state)
{
	(void)state;
	begin();
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_RX_RING, 0, 7), -EINVAL);
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_RX_RING, 0, 4097), -EINVAL);
	inject_n(3);
	/* Not polled yet: they are lost with the ring, and counted. */
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_RX_RING, 0, 32), 0);
	net_world_run(0);
	assert_int_equal(nw.in_count, 0);
	assert_int_equal(stats().rx_dropped, 3);
	inject_n(40);
	net_world_run(0);
	assert_int_equal(nw.in_count, 31);
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_TX_RING, 0, 8), 0);
	transmit(nw.dev, 100, 0, 0);
	net_world_run(0);
	assert_int_equal(nw.out_count, 1);
	net_world_end();
}

/* Every frame ends once, also when any one allocation fails; the ring refills itself. */
static void allocation_failures(void **state)
{
	(void)state;
	for (u64 n = 0; n < 60; n++) {
		begin();
		fault_plant(nw.w, FAULT_ALLOC, n, 3);
		inject_n(10);
		net_world_run(NSEC_PER_MSEC);
		nw.w->fault.armed = 0;
		net_world_run(NSEC_PER_SEC);
		assert_int_equal(nw.in_count + stats().rx_dropped, 10);
		inject_n(10);
		net_world_run(2 * NSEC_PER_SEC);
		assert_int_equal(nw.in_count + stats().rx_dropped + stats().rx_missed_errors, 20);
		net_world_end();
	}
}

static void starved_ring_recovers(void **state)
{
	(void)state;
	begin();
	fault_plant(nw.w, FAULT_ALLOC, 0, 0);
	inject_n(15);
	net_world_run(0);
	assert_int_equal(nw.in_count, 0);
	assert_int_equal(stats().rx_dropped, 15);
	nw.w->fault.armed = 0;
	net_world_run(NSEC_PER_SEC);
	inject_n(15);
	net_world_run(NSEC_PER_SEC);
	assert_int_equal(nw.in_count, 15);
	net_world_end();
}

static void several_queues_and_cpus(void **state)
{
	u8 f[60];
	u32 used = 0;

	(void)state;
	net_world_boot(4);
	net_world_nic(4, 256, 256);
	assert_string_equal(nw.nic->q[3].irq->name, "eth0-TxRx-3");
	for (u32 i = 0; i < 200; i++) {
		frame_build(f, 60, host_mac, ETH_P_IP, 0);
		f[14] = 0x45;
		put_be16(f + 16, 46);
		f[23] = 17;
		put_be32(f + 26, 0xc0000201 + i);
		put_be32(f + 30, 0xc0000202);
		assert_int_equal(wire_inject(nw.wire, 1, 0, f, 60), 0);
	}
	net_world_run(0);
	for (u32 i = 0; i < 4; i++) {
		used += nw.nic->q[i].rx_packets > 0;
		assert_int_equal(nw.h->cpus[i]->softnet->processed, nw.nic->q[i].rx_packets);
	}
	assert_int_equal(used, 4);
	assert_int_equal(stats().rx_packets, 200);
	assert_int_equal(drops(SKB_DROP_REASON_UNHANDLED_PROTO), 200);
	net_world_end();
}

static void probe_refuses(void **state)
{
	struct op_nic_add op = { .queues = 17 };
	int err;

	(void)state;
	begin();
	assert_null(nic_probe(nw.net, &op, &err));
	assert_int_equal(err, -EINVAL);
	op = (struct op_nic_add){ .model = 7 };
	assert_null(nic_probe(nw.net, &op, &err));
	op = (struct op_nic_add){ .rx_ring = 5000 };
	assert_null(nic_probe(nw.net, &op, &err));
	op = (struct op_nic_add){ .name = { (const u8 *)"eth0", 4 } };
	assert_null(nic_probe(nw.net, &op, &err));
	assert_int_equal(err, -EEXIST);
	op = (struct op_nic_add){ .name = { (const u8 *)"a/b", 3 } };
	assert_null(nic_probe(nw.net, &op, &err));
	assert_int_equal(err, -EINVAL);
	for (u64 n = 0; n < 12; n++) {
		struct net_device *dev;

		fault_plant(nw.w, FAULT_ALLOC, n, 1);
		op = (struct op_nic_add){ .queues = 2 };
		dev = nic_probe(nw.net, &op, &err);
		nw.w->fault.armed = 0;
		assert_true(dev || err == -ENOMEM);
		if (dev) {
			fault_plant(nw.w, FAULT_ALLOC, n, 1);
			err = dev_open(dev);
			nw.w->fault.armed = 0;
			assert_true(err == 0 || err == -ENOMEM);
		}
	}
	net_world_end();
}

/* What the device writes back is not believed: each in a ring of its own, two honest frames behind.
 */
static void lying_write_backs(void **state)
{
	struct nic_rx_desc *d;

	(void)state;
	for (u32 kind = 0; kind < 7; kind++) {
		begin();
		net_world_run(0);
		inject_n(3);
		nic_hw_lie(nw.nic->hw);
		d = &nw.nic->q[0].rx.rx[0];
		switch (kind) {
		case 0: /* longer than its buffer */
			d->length = NIC_RX_BUFFER + 1;
			break;
		case 1: /* no Ethernet header */
			d->length = ETH_HLEN - 1;
			break;
		case 2: /* merged of nothing */
			d->status |= RXD_LRO;
			d->addr = 0;
			break;
		case 3: /* of more than can be */
			d->status |= RXD_LRO;
			d->addr = ~0ull;
			break;
		case 4: /* with no room for its headers */
			d->status |= RXD_LRO;
			d->addr = 2ull << 32;
			d->length = 40;
			break;
		case 5: /* the headers run over the buffer */
			d->status |= RXD_LRO;
			d->addr = 2ull << 32;
			nw.nic->q[0].rx.rx_buffer[0].head[NIC_RX_HEADROOM + ETH_HLEN + 32] = 0xf0;
			break;
		default: /* a stamp that nobody asked for is none */
			d->status |= RXD_TS;
		}
		net_world_run(0);
		assert_int_equal(nw.in_count, kind < 6 ? 2 : 3);
		assert_int_equal(nw.in[0].byte, kind < 6);
		assert_int_equal(nw.nic->q[0].rx_length_errors, kind < 6);
		assert_int_equal(stats().rx_errors, kind < 6);
		/* Driver and device agree again. */
		assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_RESET, 0, 1), 0);
		inject_n(2);
		net_world_run(0);
		assert_int_equal(nw.in_count, kind < 6 ? 4 : 5);
		net_world_end();
	}
}

/* No frame ends: the driver's loop does, and the ring is used on. */
static void rings_without_an_end(void **state)
{
	(void)state;
	begin();
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_RX_NO_EOP, 0, 100), 0);
	for (u32 i = 0; i < 100; i += 5) {
		inject_n(5);
		net_world_run(0);
	}
	assert_int_equal(nw.in_count, 0);
	assert_int_equal(nw.nic->q[0].rx_length_errors, 1);
	assert_int_equal(stats().rx_missed_errors, 0);
	inject_n(3); /* the first has the end */
	net_world_run(0);
	assert_int_equal(nw.in_count, 2);
	net_world_end();
	/* A long ring does not wait for its own end. */
	net_world_boot(1);
	net_world_nic(1, 256, 16);
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_RX_NO_EOP, 0, NIC_RX_DESCS_MAX), 0);
	inject_n(NIC_RX_DESCS_MAX - 1);
	net_world_run(0);
	assert_int_equal(nw.nic->q[0].rx_length_errors, 0);
	inject_n(1);
	net_world_run(0);
	assert_int_equal(nw.nic->q[0].rx_length_errors, 1);
	net_world_end();
}

/* Two frames without an end between them: each could be, both together came from no wire. */
static void frame_longer_than_any(void **state)
{
	(void)state;
	net_world_boot(1);
	net_world_nic(1, 256, 64);
	assert_int_equal(dev_set_mtu(nw.dev, 65535), 0);
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_RX_NO_EOP, 0, 1), 0);
	for (u32 i = 0; i < 3; i++)
		inject(65549, host_mac, TEST_PROTO, (u8)i, 0);
	net_world_run(0);
	assert_int_equal(nw.nic->q[0].rx_length_errors, 1);
	assert_int_equal(nw.in_count, 1);
	assert_int_equal(nw.in[0].byte, 2);
	net_world_end();
}

/* The device is kept to what the driver gave it. */
static void iommu_refuses(void **state)
{
	struct nic_rx_desc *d;
	u64 dma;

	(void)state;
	begin();
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_DMA_STRICT, 0, 1), 0);
	inject_n(1);
	transmit(nw.dev, 100, 1, 0);
	net_world_run(0);
	assert_int_equal(nw.in_count, 1);
	assert_int_equal(nw.out_count, 1);
	assert_int_equal(nw.nic->dma_faults, 0);
	/* 5: the next but three; in front of its buffer, and over its end. */
	for (u32 i = 0; i < 2; i++) {
		d = &nw.nic->q[0].rx.rx[5];
		dma = d->addr;
		d->addr = i ? dma + NIC_RX_BUFFER - 63 : dma - 1;
		inject_n(6);
		assert_int_equal(nw.nic->dma_faults, 2 + 2 * i);
		assert_int_equal(hw()->rx_bad_descriptor, 2 + 2 * i);
		d->addr = dma;
		net_world_run(0);
		assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_RESET, 0, 1), 0);
		inject_n(1);
		net_world_run(0);
	}
	assert_int_equal(nic_set_param(nw.dev, NIC_PARAM_DMA_STRICT, 0, 0), 0);
	inject_n(1);
	net_world_run(0);
	net_world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_in),
		cmocka_unit_test(frame_out_is_padded),
		cmocka_unit_test(full_ring_counts_missed),
		cmocka_unit_test(length_checks),
		cmocka_unit_test(jumbo_in_several_buffers),
		cmocka_unit_test(address_filter),
		cmocka_unit_test(moderation_spaces_interrupts),
		cmocka_unit_test(lost_and_spurious_interrupts),
		cmocka_unit_test(full_tx_ring_stops_and_wakes),
		cmocka_unit_test(watchdog_resets_a_hung_ring),
		cmocka_unit_test(planted_tx_busy_requeues),
		cmocka_unit_test(carrier_and_down),
		cmocka_unit_test(ring_sizes_change_under_load),
		cmocka_unit_test(allocation_failures),
		cmocka_unit_test(starved_ring_recovers),
		cmocka_unit_test(several_queues_and_cpus),
		cmocka_unit_test(probe_refuses),
		cmocka_unit_test(lying_write_backs),
		cmocka_unit_test(rings_without_an_end),
		cmocka_unit_test(frame_longer_than_any),
		cmocka_unit_test(iommu_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
