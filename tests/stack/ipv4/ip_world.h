/* SPDX-License-Identifier: MIT */
/*
 * One host, 192.0.2.1/24 on eth0, at end 0 of a wire of no delay whose end 1 the test holds: frames
 * go in as bytes, what comes out is kept. For tests of ipv4/ from the outside and of its rooms.
 */
#ifndef TAPLINE_TESTS_STACK_IPV4_IP_WORLD_H
#define TAPLINE_TESTS_STACK_IPV4_IP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/neighbour.h"
#include "ipv4/ipv4.h"
#include "kernel/world.h"
#include "lib/checksum.h"
#include "stack/counters.h"
#include "stack/nic.h"
#include "stack/op.h"
#include "stack/socket.h"
#include "stack/world.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/icmp4.h"
#include "wire/ip4.h"

#define IPW_ARENA (8u << 20)
#define OUT_MAX	  2048u

struct out_frame {
	u64 time;
	u32 len;
	u8 bytes[2048];
};

struct ip_world {
	u8 *arena;
	struct world *w;
	struct host *h;
	struct net *net;
	struct net_device *dev;
	u32 out_count;
	struct out_frame out[OUT_MAX];
};

static struct ip_world iw;

static const u8 our_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 9 };
static const u8 bcast_mac[6] = { 255, 255, 255, 255, 255, 255 };
#define OUR_IP	0xc0000201u
#define PEER_IP 0xc0000209u

static inline void ipw_rx(void *ctx, u32 wire, u32 end, const u8 *frame, u32 len)
{
	struct out_frame *f;

	(void)ctx;
	(void)wire;
	(void)end;
	assert_true(iw.out_count < OUT_MAX);
	f = &iw.out[iw.out_count++];
	f->time = iw.w->now;
	f->len = len;
	memcpy(f->bytes, frame, len < sizeof(f->bytes) ? len : sizeof(f->bytes));
}

static const struct world_ops ipw_ops = { .wire_rx = ipw_rx };

static inline s64 ipw_apply(const struct op *op)
{
	return world_apply(iw.w, op);
}

static inline struct op_bytes ipw_text(const char *s)
{
	return (struct op_bytes){ (const u8 *)s, (u32)strlen(s) };
}

static inline s64 ipw_sysctl(const char *name, const char *value)
{
	struct op op = { .kind = OP_SYSCTL };

	op.u.sysctl.name = ipw_text(name);
	op.u.sysctl.value = ipw_text(value);
	return ipw_apply(&op);
}

static inline s64 ipw_addr(u32 addr, u32 plen, bool add)
{
	u8 b[4];
	struct op op = { .kind = add ? OP_ADDR_ADD : OP_ADDR_DEL };

	put_be32(b, addr);
	if (add) {
		op.u.addr_add.ifindex = 2;
		op.u.addr_add.prefix_len = plen;
		op.u.addr_add.addr = (struct op_bytes){ b, 4 };
	} else {
		op.u.addr_del.ifindex = 2;
		op.u.addr_del.prefix_len = plen;
		op.u.addr_del.addr = (struct op_bytes){ b, 4 };
	}
	return ipw_apply(&op);
}

static inline s64 ipw_link(u32 param, u64 value)
{
	struct op op = { .kind = OP_LINK_SET };

	op.u.link_set.ifindex = 2;
	op.u.link_set.param = param;
	op.u.link_set.value = value;
	return ipw_apply(&op);
}

static inline s64 ipw_neigh(u32 addr, u8 state)
{
	u8 b[4];
	struct op op = { .kind = OP_NEIGH_SET };

	put_be32(b, addr);
	op.u.neigh_set.ifindex = 2;
	op.u.neigh_set.state = state;
	op.u.neigh_set.addr = (struct op_bytes){ b, 4 };
	op.u.neigh_set.lladdr = (struct op_bytes){ peer_mac, 6 };
	return ipw_apply(&op);
}

static inline int ipw_setup(void **state)
{
	struct world_config config = { .seed = 11, .check_events = true };
	struct op op = { .kind = OP_WIRE_ADD };

	(void)state;
	iw.out_count = 0;
	iw.arena = aligned_alloc(64, IPW_ARENA);
	assert_non_null(iw.arena);
	iw.w = world_create(iw.arena, IPW_ARENA, &config, &ipw_ops, NULL);
	assert_non_null(iw.w);
	assert_int_equal(ipw_apply(&op), 0);
	op = (struct op){ .kind = OP_HOST_ADD };
	op.u.host_add.cpus = 1;
	assert_int_equal(ipw_apply(&op), 0);
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = 1500;
	op.u.nic_add.mac = (struct op_bytes){ our_mac, 6 };
	assert_int_equal(ipw_apply(&op), 2);
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.ifindex = 2;
	assert_int_equal(ipw_apply(&op), 0);
	assert_int_equal(ipw_link(LINK_PARAM_UP, 1), 0);
	assert_int_equal(ipw_addr(OUR_IP, 24, true), 0);
	iw.h = iw.w->hosts[0];
	iw.net = iw.h->init_net;
	iw.dev = dev_get_by_index(iw.net, 2);
	return 0;
}

static inline int ipw_teardown(void **state)
{
	struct world_leaks leaks;

	(void)state;
	world_check(iw.w, 1);
	world_destroy(iw.w, &leaks);
	assert_null(leaks.kind);
	assert_int_equal(leaks.bytes, 0);
	assert_int_equal(leaks.timers, 0);
	free(iw.arena);
	return 0;
}

static inline void ipw_run(u64 ns)
{
	assert_int_equal(world_run(iw.w, iw.w->now + ns), WORLD_TIME);
	world_check(iw.w, 1);
}

static inline void ipw_frame(const u8 *frame, u32 len)
{
	struct op op = { .kind = OP_FRAME };

	op.u.frame.end = 1;
	op.u.frame.bytes = (struct op_bytes){ frame, len };
	assert_true(ipw_apply(&op) >= 0);
	ipw_run(0);
}

static inline u64 ipw_counter(const char *name)
{
	u64 v = 0;

	assert_true(counter_get(iw.w, 0, name, &v));
	return v;
}

/* An ARP packet of the peer's. */
static inline void ipw_arp(u16 op, const u8 *dst_mac, u32 spa, u32 tpa, const u8 *tha)
{
	u8 frame[60] = { 0 };
	struct eth_hdr e = { .type = 0x0806 };
	struct arp_hdr a = { .hrd = 1, .pro = 0x0800, .hln = 6, .pln = 4, .op = op };

	memcpy(e.dst, dst_mac, 6);
	memcpy(e.src, peer_mac, 6);
	eth_build(frame, &e);
	memcpy(a.sha, peer_mac, 6);
	if (tha)
		memcpy(a.tha, tha, 6);
	a.spa = htonl(spa);
	a.tpa = htonl(tpa);
	arp_build(frame + 14, &a);
	ipw_frame(frame, sizeof(frame));
}

/* An IPv4 packet from the peer: header as given (ihl 20 + optlen, length, checksum filled in). */
static inline void ipw_ip(struct ip4_hdr h, const u8 *options, u32 optlen, const u8 *payload,
			  u32 len)
{
	static u8 frame[65600];
	struct eth_hdr e = { .type = 0x0800 };
	u8 *ip = frame + 14;

	memset(frame, 0, 60);
	memcpy(e.dst, our_mac, 6);
	memcpy(e.src, peer_mac, 6);
	eth_build(frame, &e);
	h.ihl = (u8)(20 + optlen);
	h.tot_len = (u16)(20 + optlen + len);
	if (!h.ttl)
		h.ttl = 64;
	if (!h.saddr)
		h.saddr = htonl(PEER_IP);
	if (!h.daddr)
		h.daddr = htonl(OUR_IP);
	ip4_build(ip, &h);
	if (optlen)
		memcpy(ip + 20, options, optlen);
	ip4_send_check(ip);
	if (len)
		memcpy(ip + 20 + optlen, payload, len);
	ipw_frame(frame, 14 + 20 + optlen + len < 60 ? 60 : 14 + 20 + optlen + len);
}

/* An echo request of len bytes (with its header) at p. */
static inline void ipw_echo(u8 *p, u32 len, u16 id, u16 seq)
{
	memset(p, 0, 8);
	p[0] = ICMP_ECHO;
	put_be16(p + 4, id);
	put_be16(p + 6, seq);
	for (u32 i = 8; i < len; i++)
		p[i] = (u8)(i * 7 + (i >> 8));
	store_be16(p + 2, csum_fold(csum_partial(p, len, 0)));
}

/* The IPv4 header of what came out as number n. */
static inline const u8 *ipw_out_ip(u32 n)
{
	assert_true(n < iw.out_count);
	assert_int_equal(eth_type(iw.out[n].bytes), 0x0800);
	assert_int_equal(ip_fast_csum(iw.out[n].bytes + 14, iw.out[n].bytes[14] & 15), 0);
	return iw.out[n].bytes + 14;
}

#define IPW_TEST(f) cmocka_unit_test_setup_teardown(f, ipw_setup, ipw_teardown)

#endif
