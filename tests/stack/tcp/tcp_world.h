/* SPDX-License-Identifier: MIT */
/*
 * One host, 192.0.2.1, and at the free end of its wire a peer, 192.0.2.9, that is played by hand:
 * segments go in one by one, what the host sends is kept with its time. No delay on the wire.
 */
#ifndef TAPLINE_TESTS_STACK_TCP_TCP_WORLD_H
#define TAPLINE_TESTS_STACK_TCP_TCP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/checksum.h"
#include "stack/counters.h"
#include "stack/errno.h"
#include "stack/nic.h"
#include "stack/op.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"
#include "stack/sys.h"
#include "stack/world.h"
#include "wire/ip4.h"
#include "wire/tcp.h"

#define ARENA (32u << 20)
#define MS    NSEC_PER_MSEC
#define SEC   NSEC_PER_SEC

#define SYN TCPHDR_SYN
#define ACK TCPHDR_ACK
#define FIN TCPHDR_FIN
#define RST TCPHDR_RST
#define PSH TCPHDR_PSH

static const u8 host_mac[6] = { 2, 0, 0, 0, 0, 1 }, peer_mac[6] = { 2, 0, 0, 0, 0, 9 };
static const u8 host_ip[4] = { 192, 0, 2, 1 }, peer_ip[4] = { 192, 0, 2, 9 };
static const u8 any_ip[4];
static const u8 *to_ip = host_ip; /* what the peer sends to */

/* What the host sent. */
struct segment {
	u64 time;
	struct ip4_hdr ip;
	struct tcp_hdr tcp;
	u32 len; /* of the payload */
	u8 opts[40];
	u32 opts_len;
	bool csum_ok;
};

#define SEEN_MAX 256u
static struct segment seen[SEEN_MAX];
static u32 seen_count, seen_read;
static u8 *arena;
static struct world *w;

static inline void tcp_world_wire_rx(void *ctx, u32 wire, u32 end, const u8 *frame, u32 len)
{
	struct segment *s = &seen[seen_count];
	const u8 *iph = frame + 14, *th;
	u32 ip_len;

	(void)ctx;
	(void)wire;
	(void)end;
	if (len < 34 || get_be16(frame + 12) != 0x0800 || ip4_protocol(iph) != IPPROTO_TCP)
		return;
	assert_true(seen_count < SEEN_MAX);
	memset(s, 0, sizeof(*s));
	assert_int_equal(ip4_parse(iph, len - 14, &s->ip), IP4_OK);
	th = iph + s->ip.ihl;
	ip_len = s->ip.tot_len - s->ip.ihl;
	assert_true(tcp_parse(th, ip_len, &s->tcp));
	s->time = world_now(w);
	s->len = ip_len - s->tcp.doff;
	s->opts_len = s->tcp.doff - TCP_HLEN;
	memcpy(s->opts, th + TCP_HLEN, s->opts_len);
	s->csum_ok = csum_fold(csum_partial(th, ip_len,
					    csum_tcpudp_nofold(s->ip.saddr, s->ip.daddr, ip_len,
							       IPPROTO_TCP, 0))) == 0;
	assert_true(s->csum_ok);
	seen_count++;
}

static const struct world_ops tcp_world_ops = { .wire_rx = tcp_world_wire_rx };

static inline void must(const struct op *op, s64 want)
{
	assert_int_equal(world_apply(w, op), want);
}

static inline void set_sysctl(const char *name, const char *value)
{
	struct op op = { .kind = OP_SYSCTL };

	op.u.sysctl.name = (struct op_bytes){ (const u8 *)name, (u32)strlen(name) };
	op.u.sysctl.value = (struct op_bytes){ (const u8 *)value, (u32)strlen(value) };
	must(&op, 0);
}

static inline int tcp_world_setup(void **state)
{
	struct world_config config = { .seed = 7, .check_events = true };
	struct op op = { .kind = OP_WIRE_ADD };

	(void)state;
	seen_count = 0;
	seen_read = 0;
	to_ip = host_ip;
	arena = aligned_alloc(64, ARENA);
	assert_non_null(arena);
	memset(arena, 0xa5, 1u << 20);
	w = world_create(arena, ARENA, &config, &tcp_world_ops, NULL);
	assert_non_null(w);
	must(&op, 0);
	op = (struct op){ .kind = OP_HOST_ADD };
	op.u.host_add.cpus = 1;
	must(&op, 0);
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = 1500;
	op.u.nic_add.mac = (struct op_bytes){ host_mac, 6 };
	must(&op, 2);
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.ifindex = 2;
	must(&op, 0);
	op = (struct op){ .kind = OP_LINK_SET };
	op.u.link_set.ifindex = 2;
	op.u.link_set.param = LINK_PARAM_UP;
	op.u.link_set.value = 1;
	must(&op, 0);
	op = (struct op){ .kind = OP_ADDR_ADD };
	op.u.addr_add.ifindex = 2;
	op.u.addr_add.prefix_len = 24;
	op.u.addr_add.addr = (struct op_bytes){ host_ip, 4 };
	must(&op, 0);
	op = (struct op){ .kind = OP_NEIGH_SET };
	op.u.neigh_set.ifindex = 2;
	op.u.neigh_set.state = NUD_PERMANENT;
	op.u.neigh_set.addr = (struct op_bytes){ peer_ip, 4 };
	op.u.neigh_set.lladdr = (struct op_bytes){ peer_mac, 6 };
	must(&op, 0);
	return 0;
}

static inline int tcp_world_teardown(void **state)
{
	struct world_leaks leaks;

	(void)state;
	world_check(w, 1);
	world_destroy(w, &leaks);
	if (leaks.kind)
		print_error("leak of %s\n", leaks.kind);
	assert_null(leaks.kind);
	assert_int_equal(leaks.bytes, 0);
	assert_int_equal(leaks.timers, 0);
	free(arena);
	return 0;
}

static inline void run_for(u64 ns)
{
	assert_int_equal(world_run(w, world_now(w) + ns), WORLD_TIME);
	world_check(w, 1);
}

static inline u64 counter(const char *name)
{
	u64 v = 0;

	assert_true(counter_get(w, 0, name, &v));
	return v;
}

/* ---- frames ---- */

static inline void inject(const u8 *frame, u32 len)
{
	struct op op = { .kind = OP_FRAME };

	op.u.frame.end = 1;
	op.u.frame.bytes = (struct op_bytes){ frame, len };
	must(&op, 0);
	run_for(0);
}

/* The peer's side of a connection. */
struct peer {
	u16 sport, dport;
	u16 window;
	const u8 *opts;
	u32 opts_len;
};

/* An IPv4 packet from the peer, Ethernet header in front. Returns the frame's length. */
static inline u32 ip_frame(u8 *frame, u8 protocol, u32 payload)
{
	struct ip4_hdr h = { .ihl = IP4_HLEN,
			     .tot_len = (u16)(IP4_HLEN + payload),
			     .frag = IP4_DF,
			     .ttl = 64,
			     .protocol = protocol,
			     .saddr = load_be32(peer_ip),
			     .daddr = load_be32(to_ip) };

	memcpy(frame, host_mac, 6);
	memcpy(frame + 6, peer_mac, 6);
	put_be16(frame + 12, 0x0800);
	ip4_build(frame + 14, &h);
	ip4_send_check(frame + 14);
	return 14 + IP4_HLEN + payload;
}

static inline void peer_send(const struct peer *p, u8 flags, u32 seq, u32 ack, u32 len)
{
	u8 frame[2000], *th = frame + 34;
	struct tcp_hdr h = { .source = p->sport,
			     .dest = p->dport,
			     .seq = seq,
			     .ack_seq = ack,
			     .doff = (u8)(TCP_HLEN + p->opts_len),
			     .flags = flags,
			     .window = p->window };
	u32 tcp_len = h.doff + len;

	tcp_build(th, &h);
	if (p->opts_len)
		memcpy(th + TCP_HLEN, p->opts, p->opts_len);
	memset(th + h.doff, 'x', len);
	store_be16(th + 16,
		   csum_fold(csum_partial(th, tcp_len,
					  csum_tcpudp_nofold(load_be32(peer_ip), load_be32(to_ip),
							     tcp_len, IPPROTO_TCP, 0))));
	inject(frame, ip_frame(frame, IPPROTO_TCP, tcp_len));
}

/* An ICMP error of the peer that quotes 8 bytes of a segment that the host sent. */
static inline void peer_icmp(const struct segment *s, u8 type, u8 code, u32 word)
{
	u8 frame[128], *icmp = frame + 34;
	struct ip4_hdr quoted = s->ip;

	memset(icmp, 0, 8);
	icmp[0] = type;
	icmp[1] = code;
	put_be32(icmp + 4, word);
	quoted.ihl = IP4_HLEN;
	ip4_build(icmp + 8, &quoted);
	put_be16(icmp + 28, s->tcp.source);
	put_be16(icmp + 30, s->tcp.dest);
	put_be32(icmp + 32, s->tcp.seq);
	store_be16(icmp + 2, csum_fold(csum_partial(icmp, 36, 0)));
	inject(frame, ip_frame(frame, IPPROTO_ICMP, 36));
}

/* The next segment that the host sent; it must be there. */
static inline struct segment *next_segment(void)
{
	assert_true(seen_read < seen_count);
	return &seen[seen_read++];
}

static inline struct segment *expect(u8 flags)
{
	struct segment *s = next_segment();

	if (s->tcp.flags != flags)
		print_error("flags %02x, seq %u ack %u len %u\n", s->tcp.flags, s->tcp.seq,
			    s->tcp.ack_seq, s->len);
	assert_int_equal(s->tcp.flags, flags);
	return s;
}

static inline void expect_nothing(void)
{
	if (seen_read != seen_count)
		print_error("flags %02x, seq %u ack %u len %u\n", seen[seen_read].tcp.flags,
			    seen[seen_read].tcp.seq, seen[seen_read].tcp.ack_seq,
			    seen[seen_read].len);
	assert_int_equal(seen_read, seen_count);
}

/* ---- calls ---- */

static inline s64 finish(struct sys_op *op)
{
	assert_int_equal(sys_submit(w, op), 0);
	run_for(0);
	assert_true(op->completed);
	return op->ret;
}

static inline struct sys_op call_of(u32 nr, s32 fd)
{
	return (struct sys_op){ .nr = nr, .fd = fd, .timeout_ns = TIME_NEVER };
}

static inline s64 t_call(u32 nr, s32 fd, u64 arg0)
{
	struct sys_op op = call_of(nr, fd);

	op.arg[0] = arg0;
	return finish(&op);
}

static inline s64 t_addr(u32 nr, s32 fd, const u8 addr[4], u16 port)
{
	struct sys_op op = call_of(nr, fd);

	op.has_addr = true;
	op.addr.family = AF_INET;
	op.addr.port = port;
	memcpy(op.addr.addr, addr, 4);
	return finish(&op);
}

/* A stream socket that never blocks. */
static inline s32 t_socket(void)
{
	struct sys_op op = call_of(SYS_SOCKET, -1);

	op.arg[0] = AF_INET;
	op.arg[1] = SOCK_STREAM | SOCK_NONBLOCK;
	return (s32)finish(&op);
}

static inline s64 t_close(s32 fd)
{
	return t_call(SYS_CLOSE, fd, 0);
}

static inline s64 t_setopt(s32 fd, u32 level, u32 name, s32 v)
{
	struct sys_op op = call_of(SYS_SETSOCKOPT, fd);
	u8 b[4];

	put_le32(b, (u32)v);
	op.arg[0] = level;
	op.arg[1] = name;
	op.data = b;
	op.data_len = 4;
	return finish(&op);
}

static inline s32 t_getopt(s32 fd, u32 level, u32 name)
{
	struct sys_op op = call_of(SYS_GETSOCKOPT, fd);
	u8 b[4] = { 0 };

	op.arg[0] = level;
	op.arg[1] = name;
	op.data = b;
	op.data_len = 4;
	assert_true(finish(&op) >= 0);
	return (s32)get_le32(b);
}

static inline s64 t_send(s32 fd, const void *data, u32 len)
{
	struct sys_op op = call_of(SYS_SENDMSG, fd);

	op.data = (u8 *)(uintptr_t)data;
	op.data_len = len;
	return finish(&op);
}

static inline s64 t_recv(s32 fd, u8 *buf, u32 len)
{
	struct sys_op op = call_of(SYS_RECVMSG, fd);

	op.data = buf;
	op.data_len = len;
	return finish(&op);
}

static inline s32 t_listener(u16 port, u32 backlog)
{
	s32 fd = t_socket();

	assert_true(fd >= 0);
	assert_int_equal(t_setopt(fd, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(t_addr(SYS_BIND, fd, any_ip, port), 0);
	assert_int_equal(t_call(SYS_LISTEN, fd, backlog), 0);
	return fd;
}

/* The peer opens to a listener; returns the host's ISN, which is acknowledged. */
static inline u32 peer_open(const struct peer *p, u32 isn)
{
	u32 host_isn;

	peer_send(p, SYN, isn, 0, 0);
	host_isn = expect(SYN | ACK)->tcp.seq;
	peer_send(p, ACK, isn + 1, host_isn + 1, 0);
	return host_isn;
}

#endif
