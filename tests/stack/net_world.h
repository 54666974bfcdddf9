/* SPDX-License-Identifier: MIT */
/*
 * A host with the device layer and nothing above it: one ring NIC on end 0 of a wire whose end 1 is
 * free. For tests of core/, ethernet/, drivers/ and sched/.
 */
#ifndef TAPLINE_TESTS_STACK_NET_WORLD_H
#define TAPLINE_TESTS_STACK_NET_WORLD_H

#include "stack/bare_world.h"

#include "core/dev_core.h"
#include "drivers/loopback.h"
#include "drivers/nic.h"
#include "drivers/nic_driver.h"
#include "drivers/wire.h"
#include "sched/sch_api.h"

#define TEST_PROTO 0x88b5 /* IEEE 802 local experimental EtherType 1 */
#define SEEN_MAX   4096u

/* A frame that came out of the free end, or a packet that a handler got. */
struct seen {
	u64 time;
	u32 len;
	u8 byte; /* the first behind the Ethernet header */
	u8 pkt_type;
};

struct net_world {
	struct world *w;
	struct host *h;
	struct net *net;
	struct net_device *dev;
	struct nic_adapter *nic;
	struct wire *wire;
	struct world_ops ops;
	struct seen out[SEEN_MAX], in[SEEN_MAX];
	u32 out_count, in_count;
	u8 last_out[2048];
};

static const u8 host_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const u8 peer_mac[6] = { 2, 0, 0, 0, 0, 9 };
static struct net_world nw;

static inline void net_world_wire_rx(void *ctx, u32 wire, u32 end, const u8 *frame, u32 len)
{
	struct net_world *n = ctx;

	(void)wire;
	assert_int_equal(end, 1);
	assert_true(n->out_count < SEEN_MAX);
	n->out[n->out_count++] =
		(struct seen){ .time = n->w->now, .len = len, .byte = len > 14 ? frame[14] : 0 };
	memcpy(n->last_out, frame, len < sizeof(n->last_out) ? len : sizeof(n->last_out));
}

static inline int net_world_rcv(struct sk_buff *skb, struct net_device *dev,
				const struct packet_type *pt, struct net_device *orig_dev)
{
	(void)dev;
	(void)pt;
	(void)orig_dev;
	assert_true(nw.in_count < SEEN_MAX);
	nw.in[nw.in_count++] = (struct seen){ .time = nw.w->now,
					      .len = skb->len,
					      .byte = skb->len ? skb->data[0] : 0,
					      .pkt_type = skb->pkt_type };
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

static const struct packet_type net_world_type = { .type = TEST_PROTO, .func = net_world_rcv };

static inline void net_world_boot(u32 cpus)
{
	memset(&nw, 0, sizeof(nw));
	nw.w = bare_world(1);
	nw.ops.wire_rx = net_world_wire_rx;
	nw.w->ops = &nw.ops;
	nw.w->ops_ctx = &nw;
	nw.w->steps_limit = 100000;
	nw.h = host_create(nw.w, cpus, "h");
	assert_non_null(nw.h);
	nw.w->hosts[nw.w->hosts_count++] = nw.h;
	assert_int_equal(net_dev_init(nw.h), 0);
	assert_int_equal(pktsched_init(nw.h), 0);
	nw.net = mem_zalloc(nw.w, MEM_NET, sizeof(*nw.net));
	assert_non_null(nw.net);
	netns_init(nw.net, nw.h);
	nw.h->init_net = nw.net;
	assert_int_equal(loopback_net_init(nw.net), 0);
	assert_int_equal(dev_add_pack(nw.h, &net_world_type), 0);
}

/* The NIC, its wire (no delay), the cable in, up. */
static inline void net_world_nic(u32 queues, u32 rx_ring, u32 tx_ring)
{
	struct op_nic_add op = { .queues = queues, .rx_ring = rx_ring, .tx_ring = tx_ring };
	int err;

	op.mac = (struct op_bytes){ .p = host_mac, .len = 6 };
	nw.dev = nic_probe(nw.net, &op, &err);
	assert_non_null(nw.dev);
	nw.nic = nw.dev->priv;
	assert_int_equal(wire_create(nw.w, 0, 0), 0);
	nw.wire = nw.w->wires[0];
	assert_int_equal(wire_attach(nw.wire, 0, nw.dev), 0);
	assert_int_equal(dev_open(nw.dev), 0);
	assert_true(nw.dev->carrier);
}

static inline void net_world_end(void)
{
	nw.w->ending = true;
	while (!list_empty(&nw.net->dev_base)) {
		struct net_device *dev =
			list_first_entry(&nw.net->dev_base, struct net_device, dev_list);

		unregister_netdevice(dev);
		free_netdev(dev);
	}
	dev_remove_pack(nw.h, &net_world_type);
	list_del_init(&nw.net->list);
	mem_free(nw.w, MEM_NET, nw.net, sizeof(*nw.net));
	pktsched_exit(nw.h);
	net_dev_exit(nw.h);
	host_free(nw.h);
	for (u32 i = 0; i < nw.w->wires_count; i++)
		wire_free(nw.w->wires[i]);
	bare_world_end(nw.w);
}

/* Runs what is due up to `until`, and leaves the clock there. */
static inline void net_world_run(u64 until)
{
	while (nw.w->heap && nw.w->heap->time <= until)
		event_queue_run_first(nw.w);
	net_dev_check(nw.h, 1);
	for (u32 i = 0; i < nw.w->wires_count; i++)
		wire_check(nw.w->wires[i], 1);
	if (nw.w->now < until)
		nw.w->now = until;
}

/* Builds a frame of `len` bytes whose payload begins with `byte`. */
static inline void frame_build(u8 *f, u32 len, const u8 *dest, u16 type, u8 byte)
{
	memset(f, byte, len);
	if (len < 14)
		return;
	memcpy(f, dest, 6);
	memcpy(f + 6, peer_mac, 6);
	put_be16(f + 12, type);
}

static inline void inject(u32 len, const u8 *dest, u16 type, u8 byte, u32 flags)
{
	static u8 f[70000];

	frame_build(f, len, dest, type, byte);
	assert_int_equal(wire_inject(nw.wire, 1, flags, f, len), 0);
}

static inline void inject_n(u32 n)
{
	for (u32 i = 0; i < n; i++)
		inject(64, host_mac, TEST_PROTO, (u8)i, 0);
}

/* A packet of `len` bytes of payload out of the device. Returns what dev_queue_xmit says. */
static inline int transmit(struct net_device *dev, u32 len, u8 byte, u32 priority)
{
	struct sk_buff *skb = alloc_skb(nw.w, 64 + len);

	assert_non_null(skb);
	skb_reserve(skb, 64);
	memset(skb_put(skb, len), byte, len);
	skb->dev = dev;
	skb->priority = priority;
	skb->protocol = htons(TEST_PROTO);
	skb_reset_network_header(skb);
	assert_int_equal(dev_hard_header(skb, dev, TEST_PROTO, peer_mac, NULL), 0);
	return dev_queue_xmit(skb);
}

static inline const struct nic_hw_stats *hw(void)
{
	return nic_hw_stats(nw.nic->hw);
}

static inline u64 drops(enum skb_drop_reason reason)
{
	return nw.net->drops[reason];
}

#endif
