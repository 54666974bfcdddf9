/* SPDX-License-Identifier: MIT */
/* Sockets of AF_INET6: over ::1, to and from mapped IPv4 addresses, and what stands on the wire of
 * a tun device. */
#include "tcp_world.h"

#include "kernel/world.h"
#include "stack/tcp.h"
#include "wire/ip6.h"

static const u8 loopback6[16] = { [15] = 1 };
static const u8 any6[16];
static const u8 host6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
static const u8 peer6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 };
static const u8 mapped_host[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 };
static const u8 mapped_peer[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 9 };

/* ---- calls ---- */

static s32 socket6(void)
{
	struct sys_op op = call_of(SYS_SOCKET, -1);

	op.arg[0] = AF_INET6;
	op.arg[1] = SOCK_STREAM | SOCK_NONBLOCK;
	return (s32)finish(&op);
}

static s64 addr6(u32 nr, s32 fd, const u8 addr[16], u16 port)
{
	struct sys_op op = call_of(nr, fd);

	op.has_addr = true;
	op.addr.family = AF_INET6;
	op.addr.port = port;
	memcpy(op.addr.addr, addr, 16);
	return finish(&op);
}

static s32 listener6(const u8 addr[16], u16 port, bool v6only)
{
	s32 fd = socket6();

	if (v6only)
		assert_int_equal(t_setopt(fd, SOL_IPV6, IPV6_V6ONLY, 1), 0);
	assert_int_equal(addr6(SYS_BIND, fd, addr, port), 0);
	assert_int_equal(t_call(SYS_LISTEN, fd, 5), 0);
	return fd;
}

static void name_is(u32 nr, s32 fd, const u8 addr[16], u16 port)
{
	struct sys_op op = call_of(nr, fd);

	assert_int_equal(finish(&op), 0);
	assert_int_equal(op.addr.family, AF_INET6);
	assert_memory_equal(op.addr.addr, addr, 16);
	if (port)
		assert_int_equal(op.addr.port, port);
}

/* ---- over lo ---- */

static void test_loopback_both_ways(void **state)
{
	s32 l = listener6(any6, 80, false), c = socket6(), s;
	static u8 data[200000], back[200000];
	u32 sent = 0, got = 0;

	(void)state;
	assert_int_equal(addr6(SYS_CONNECT, c, loopback6, 80), -EINPROGRESS);
	s = (s32)t_call(SYS_ACCEPT, l, SOCK_NONBLOCK);
	assert_true(s > 0);
	name_is(SYS_GETPEERNAME, c, loopback6, 80);
	name_is(SYS_GETSOCKNAME, s, loopback6, 80);
	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 7 + i / 251);
	for (u32 turn = 0; turn < 2000 && got < sizeof(data); turn++) {
		s64 n = sent < sizeof(data) ? t_send(c, data + sent, sizeof(data) - sent) : 0;

		sent += n > 0 ? (u32)n : 0;
		run_for(10 * MS);
		n = t_recv(s, back + got, sizeof(back) - got);
		got += n > 0 ? (u32)n : 0;
	}
	assert_int_equal(got, sizeof(data));
	assert_memory_equal(data, back, sizeof(data));
	assert_true(counter("Ip6OutRequests") > 0);
	assert_int_equal(counter("Ip6InReceives"), counter("Ip6OutTransmits"));
	assert_int_equal(counter("TcpInCsumErrors"), 0);
	assert_int_equal(t_close(c), 0);
	assert_int_equal(t_close(s), 0);
	run_for(70 * SEC);
	assert_int_equal(t_close(l), 0);
}

static void test_no_listener_is_refused(void **state)
{
	s32 c = socket6();

	(void)state;
	assert_int_equal(addr6(SYS_CONNECT, c, loopback6, 81), -EINPROGRESS);
	run_for(MS);
	assert_int_equal(addr6(SYS_CONNECT, c, loopback6, 81), -ECONNREFUSED);
	assert_int_equal(addr6(SYS_CONNECT, c, peer6, 81), -ENETUNREACH);
	assert_int_equal(t_close(c), 0);
}

/* ---- mapped ---- */

static void test_listener_takes_ipv4(void **state)
{
	static const u8 mss[4] = { 2, 4, 0x05, 0xb4 };
	const struct peer p = {
		.sport = 4000, .dport = 80, .window = 65535, .opts = mss, .opts_len = 4
	};
	s32 l = listener6(any6, 80, false), s;
	struct segment *sa;
	u8 buf[16];

	(void)state;
	peer_send(&p, SYN, 1000, 0, 0);
	sa = expect(SYN | ACK);
	peer_send(&p, ACK, 1001, sa->tcp.seq + 1, 0);
	s = (s32)t_call(SYS_ACCEPT, l, SOCK_NONBLOCK);
	assert_true(s > 0);
	name_is(SYS_GETPEERNAME, s, mapped_peer, 4000);
	name_is(SYS_GETSOCKNAME, s, mapped_host, 80);
	assert_int_equal(t_getopt(s, SOL_TCP, TCP_MAXSEG), 1460);
	peer_send(&p, ACK | PSH, 1001, sa->tcp.seq + 1, 5);
	assert_int_equal(t_recv(s, buf, sizeof(buf)), 5);
	assert_int_equal(t_send(s, "abc", 3), 3);
	assert_int_equal(t_close(s), 0);
	assert_int_equal(t_close(l), 0);
}

static void test_v6only_does_not(void **state)
{
	const struct peer p = { .sport = 4000, .dport = 80, .window = 65535 };
	s32 l = listener6(any6, 80, true), v4;

	(void)state;
	peer_send(&p, SYN, 1000, 0, 0);
	expect(RST | ACK);
	/* So the port is free for IPv4. */
	v4 = t_listener(80, 5);
	peer_send(&p, SYN, 1000, 0, 0);
	expect(SYN | ACK);
	assert_int_equal(t_close(v4), 0);
	assert_int_equal(t_close(l), 0);
	assert_int_equal(addr6(SYS_CONNECT, socket6(), mapped_peer, 80), -EINPROGRESS);
}

static void test_connect_mapped(void **state)
{
	s32 c = socket6(), only = socket6();
	struct segment *syn;
	struct peer p = { .dport = 0, .window = 65535 };

	(void)state;
	assert_int_equal(t_setopt(only, SOL_IPV6, IPV6_V6ONLY, 1), 0);
	assert_int_equal(addr6(SYS_CONNECT, only, mapped_peer, 80), -ENETUNREACH);
	assert_int_equal(addr6(SYS_CONNECT, c, mapped_peer, 80), -EINPROGRESS);
	syn = expect(SYN);
	p.sport = 80;
	p.dport = syn->tcp.source;
	peer_send(&p, SYN | ACK, 5000, syn->tcp.seq + 1, 0);
	expect(ACK);
	name_is(SYS_GETPEERNAME, c, mapped_peer, 80);
	name_is(SYS_GETSOCKNAME, c, mapped_host, 0);
	/* An IPv4 option works on it too. */
	assert_int_equal(t_setopt(c, SOL_IP, IP_TOS, 0x10), 0);
	assert_int_equal(t_send(c, "x", 1), 1);
	assert_int_equal(expect(ACK | PSH)->ip.tos, 0x10);
	assert_int_equal(t_close(c), 0);
	assert_int_equal(t_close(only), 0);
}

static void test_wildcards_of_both_families_conflict(void **state)
{
	s32 l = listener6(any6, 80, false), v4 = t_socket();

	(void)state;
	assert_int_equal(t_addr(SYS_BIND, v4, any_ip, 80), -EADDRINUSE);
	assert_int_equal(t_close(l), 0);
	assert_int_equal(t_addr(SYS_BIND, v4, any_ip, 80), 0);
	assert_int_equal(t_close(v4), 0);
}

/* ---- the wire ---- */

static u8 out6[8][1600];
static u32 out6_len[8], out6_count;

static void wire_rx6(void *ctx, u32 wire, u32 end, const u8 *frame, u32 len)
{
	(void)ctx;
	(void)end;
	if (wire != 1 || out6_count == 8)
		return;
	assert_true(len <= sizeof(out6[0]));
	memcpy(out6[out6_count], frame, len);
	out6_len[out6_count++] = len;
}

static const struct world_ops ops6 = { .wire_rx = wire_rx6 };

/* A tun device, interface 3, on wire 1, with 2001:db8::1/64. */
static void tun_up(void)
{
	struct op op = { .kind = OP_WIRE_ADD };

	w->ops = &ops6;
	out6_count = 0;
	must(&op, 1);
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.model = NIC_MODEL_TUN;
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = 1500;
	must(&op, 3);
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.wire = 1;
	op.u.wire_attach.ifindex = 3;
	must(&op, 0);
	op = (struct op){ .kind = OP_LINK_SET };
	op.u.link_set.ifindex = 3;
	op.u.link_set.param = LINK_PARAM_UP;
	op.u.link_set.value = 1;
	must(&op, 0);
	op = (struct op){ .kind = OP_ADDR_ADD };
	op.u.addr_add.ifindex = 3;
	op.u.addr_add.prefix_len = 64;
	op.u.addr_add.addr = (struct op_bytes){ host6, 16 };
	must(&op, 0);
}

static u8 tclass6;
static const u8 *to6 = host6;

static void inject6(u8 nexthdr, const u8 *payload, u32 len)
{
	struct op op = { .kind = OP_FRAME };
	struct ip6_hdr h = {
		.tclass = tclass6, .payload_len = (u16)len, .nexthdr = nexthdr, .hop_limit = 64
	};
	u8 packet[1600];

	memcpy(h.saddr, peer6, 16);
	memcpy(h.daddr, to6, 16);
	ip6_build(packet, &h);
	memcpy(packet + IP6_HLEN, payload, len);
	op.u.frame.wire = 1;
	op.u.frame.end = 1;
	op.u.frame.bytes = (struct op_bytes){ packet, IP6_HLEN + len };
	must(&op, 0);
	run_for(MS);
}

static void sum6(u8 *field, const u8 *payload, u32 len, u8 nexthdr)
{
	put_be16(field, 0);
	store_be16(field, csum_fold(csum_partial(payload, len,
						 csum_ipv6_nofold(peer6, to6, len, nexthdr, 0))));
}

static void check_out6(u32 i, u8 nexthdr)
{
	struct ip6_hdr h;

	assert_true(i < out6_count);
	assert_true(ip6_parse(out6[i], out6_len[i], &h));
	assert_int_equal(h.nexthdr, nexthdr);
	assert_int_equal(h.payload_len, out6_len[i] - IP6_HLEN);
	assert_int_equal(h.hop_limit, 64);
	assert_memory_equal(h.saddr, host6, 16);
	assert_memory_equal(h.daddr, peer6, 16);
	assert_int_equal(csum_fold(csum_partial(out6[i] + IP6_HLEN, h.payload_len,
						csum_ipv6_nofold(h.saddr, h.daddr, h.payload_len,
								 nexthdr, 0))),
			 0);
}

static void send6(u16 sport, u16 dport, u8 flags, u32 seq, u32 ack)
{
	u8 th[TCP_HLEN];
	struct tcp_hdr h = { .source = sport,
			     .dest = dport,
			     .seq = seq,
			     .ack_seq = ack,
			     .doff = TCP_HLEN,
			     .flags = flags,
			     .window = 65535 };

	tcp_build(th, &h);
	sum6(th + 16, th, TCP_HLEN, IPPROTO_TCP);
	inject6(IPPROTO_TCP, th, TCP_HLEN);
}

static void test_wire_reset_and_echo(void **state)
{
	u8 echo[12] = { 128, 0, 0, 0, 0x12, 0x34, 0, 1, 'p', 'i', 'n', 'g' };
	struct tcp_hdr h;

	(void)state;
	tun_up();
	send6(4000, 99, SYN, 100, 0);
	check_out6(0, IPPROTO_TCP);
	assert_true(tcp_parse(out6[0] + IP6_HLEN, out6_len[0] - IP6_HLEN, &h));
	assert_int_equal(h.flags, RST | ACK);
	assert_int_equal(h.ack_seq, 101);
	sum6(echo + 2, echo, sizeof(echo), IPPROTO_ICMPV6);
	inject6(IPPROTO_ICMPV6, echo, sizeof(echo));
	check_out6(1, IPPROTO_ICMPV6);
	assert_int_equal(out6[1][IP6_HLEN], 129);
	assert_memory_equal(out6[1] + IP6_HLEN + 8, "ping", 4);
	w->ops = &tcp_world_ops;
}

/* tcp_ipv6_reply.c: the traffic class comes back without ECN; no answer to a reset, nor to what was
 * sent to many. */
static void test_wire_resets(void **state)
{
	static const u8 all_nodes[16] = { 0xff, 2, [15] = 1 };
	struct ip6_hdr h;

	(void)state;
	tun_up();
	tclass6 = 0x1b;
	send6(4000, 99, SYN, 100, 0);
	tclass6 = 0;
	check_out6(0, IPPROTO_TCP);
	assert_true(ip6_parse(out6[0], out6_len[0], &h));
	assert_int_equal(h.tclass, 0x18);
	send6(4000, 99, RST, 100, 0);
	to6 = all_nodes;
	send6(4000, 99, SYN, 100, 0);
	to6 = host6;
	assert_int_equal(out6_count, 1);
	assert_int_equal(counter("TcpOutRsts"), 1);
	w->ops = &tcp_world_ops;
}

/* RFC 8201 4, RFC 5927: a believed "packet too big" makes what was sent smaller. */
static void test_wire_packet_too_big(void **state)
{
	u8 icmp[8 + IP6_HLEN + TCP_HLEN] = { 2 };
	static u8 data[1400];
	struct tcp_hdr h;
	s32 l, s;
	u32 isn;

	(void)state;
	tun_up();
	l = listener6(host6, 80, false);
	send6(4000, 80, SYN, 100, 0);
	assert_true(tcp_parse(out6[0] + IP6_HLEN, out6_len[0] - IP6_HLEN, &h));
	assert_int_equal(h.flags, SYN | ACK);
	isn = h.seq;
	send6(4000, 80, ACK, 101, isn + 1);
	s = (s32)t_call(SYS_ACCEPT, l, SOCK_NONBLOCK);
	assert_true(s > 0);
	/* No MSS option: RFC 9293 3.7.1's default for IPv6 is 1220. */
	assert_int_equal(t_send(s, data, sizeof(data)), sizeof(data));
	run_for(MS);
	check_out6(1, IPPROTO_TCP);
	assert_int_equal(t_getopt(s, SOL_TCP, TCP_MAXSEG), 1220);
	send6(4000, 80, ACK, 101, isn + 1 + 1400);
	put_be32(icmp + 4, 1280);
	memcpy(icmp + 8, out6[1], IP6_HLEN + TCP_HLEN);
	sum6(icmp + 2, icmp, sizeof(icmp), IPPROTO_ICMPV6);
	/* It is about data that was acknowledged: forged, or late. */
	inject6(IPPROTO_ICMPV6, icmp, sizeof(icmp));
	assert_int_equal(counter("TcpExtOutOfWindowIcmps"), 1);
	assert_int_equal(t_close(s), 0);
	assert_int_equal(t_close(l), 0);
	w->ops = &tcp_world_ops;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, tcp_world_setup, tcp_world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_loopback_both_ways),  T(test_no_listener_is_refused),
		T(test_listener_takes_ipv4), T(test_v6only_does_not),
		T(test_connect_mapped),	     T(test_wildcards_of_both_families_conflict),
		T(test_wire_reset_and_echo), T(test_wire_resets),
		T(test_wire_packet_too_big),
	};

	return cmocka_run_group_tests_name("tcp_ipv6", tests, NULL, NULL);
}
