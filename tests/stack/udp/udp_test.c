/* SPDX-License-Identifier: MIT */
/*
 * UDP through its calls (RFC 768, RFC 1122 4.1): who gets a datagram, bind's rules, ports, buffer
 * limits, checksums, errors, control messages, corking.
 */
#include "stack/socket/sock_world.h"

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, sock_world_setup, sock_world_teardown)

static u8 big[70000];

/* ---- binding ---- */

static void bind_rules(void **state)
{
	static const u8 not_ours[4] = { 192, 0, 2, 77 }, group[4] = { 224, 0, 0, 251 };
	s32 a = t_socket(0, 0), b = t_socket(0, 0);

	(void)state;
	assert_int_equal(t_bind(0, a, not_ours, 7), -EADDRNOTAVAIL);
	assert_int_equal(t_bind(0, a, host_addr[0], 7), 0);
	assert_int_equal(t_bind(0, a, host_addr[0], 8), -EINVAL);
	assert_int_equal(t_bind(0, b, host_addr[0], 7), -EADDRINUSE);
	assert_int_equal(t_bind(0, b, any_addr, 7), -EADDRINUSE);
	assert_int_equal(t_bind(0, b, lo_addr, 7), 0); /* another address */
	assert_int_equal(t_bind(0, t_socket(0, 0), group, 7), 0);
	/* Both must say SO_REUSEADDR. */
	a = t_socket(0, 0);
	assert_int_equal(t_setopt(0, a, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(t_bind(0, a, host_addr[0], 7), -EADDRINUSE);
	assert_int_equal(t_bind(0, a, host_addr[0], 9), 0);
	b = t_socket(0, 0);
	assert_int_equal(t_bind(0, b, host_addr[0], 9), -EADDRINUSE);
	assert_int_equal(t_setopt(0, b, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(t_bind(0, b, host_addr[0], 9), 0);
	/* IP_FREEBIND takes any. */
	a = t_socket(0, 0);
	assert_int_equal(t_setopt(0, a, SOL_IP, IP_FREEBIND, 1), 0);
	assert_int_equal(t_bind(0, a, not_ours, 7), 0);
}

static void set_ports(u32 host, const char *range)
{
	static const char name[] = "net.ipv4.ip_local_port_range";
	struct op op = { .kind = OP_SYSCTL };

	op.u.sysctl.host = host;
	op.u.sysctl.name = (struct op_bytes){ (const u8 *)name, sizeof(name) - 1 };
	op.u.sysctl.value = (struct op_bytes){ (const u8 *)range, (u32)strlen(range) };
	assert_int_equal(apply(&op), 0);
}

static void ports_run_out(void **state)
{
	bool seen[10] = { false };
	s32 fd[10], a;

	(void)state;
	set_ports(0, "50000 50009");
	for (u32 i = 0; i < 10; i++) {
		fd[i] = t_socket(0, 0);
		assert_int_equal(t_bind(0, fd[i], any_addr, 0), 0);
		assert_in_range(t_port(0, fd[i]), 50000, 50009);
		assert_false(seen[t_port(0, fd[i]) - 50000]);
		seen[t_port(0, fd[i]) - 50000] = true;
	}
	a = t_socket(0, 0);
	assert_int_equal(t_bind(0, a, any_addr, 0), -EADDRINUSE);
	/* Binding by itself gives another error, and does not block. */
	assert_int_equal(t_sendto(0, a, "x", 1, 0, host_addr[1], 7), -EAGAIN);
	assert_int_equal(t_connect(0, a, host_addr[1], 7), -EAGAIN);
	assert_int_equal(t_close(0, fd[4]), 0);
	assert_int_equal(t_bind(0, a, any_addr, 0), 0);
}

/* ---- who gets it ---- */

/* One datagram from host 1's socket `from`; the descriptor of host 0 that has it, -1: none. */
static s32 taker(s32 from, u16 port, const s32 *fds, u32 n)
{
	s32 got = -1;
	u8 buf[8];

	assert_int_equal(t_sendto(1, from, "ping", 4, 0, host_addr[0], port), 4);
	run_for(NSEC_PER_MSEC);
	for (u32 i = 0; i < n; i++) {
		if (t_recv(0, fds[i], buf, 8, 0) != 4)
			continue;
		assert_int_equal(got, -1);
		got = fds[i];
	}
	return got;
}

static void the_best_match_wins(void **state)
{
	s32 from = t_socket(1, 0), other = t_socket(1, 0);
	s32 fds[5];

	(void)state;
	for (u32 i = 0; i < 5; i++) {
		fds[i] = t_socket(0, 0);
		assert_int_equal(t_setopt(0, fds[i], SOL_SOCKET, SO_REUSEADDR, 1), 0);
	}
	assert_int_equal(t_bind(1, from, host_addr[1], 4000), 0);
	assert_int_equal(t_bind(1, other, host_addr[1], 4001), 0);
	assert_int_equal(taker(from, 7, fds, 5), -1);
	assert_int_equal(t_bind(0, fds[0], any_addr, 7), 0);
	assert_int_equal(taker(from, 7, fds, 5), fds[0]);
	assert_int_equal(t_bind(0, fds[1], any_addr, 7), 0); /* of equals the youngest */
	assert_int_equal(taker(from, 7, fds, 5), fds[1]);
	assert_int_equal(t_bind(0, fds[2], host_addr[0], 7), 0); /* the address counts more */
	assert_int_equal(taker(from, 7, fds, 5), fds[2]);
	assert_int_equal(t_bind(0, fds[3], host_addr[0], 7), 0); /* the peer yet more */
	assert_int_equal(t_connect(0, fds[3], host_addr[1], 4000), 0);
	assert_int_equal(taker(from, 7, fds, 5), fds[3]);
	assert_int_equal(taker(other, 7, fds, 5), fds[2]);
	/* Disconnected it is one of the youngest at that address again. */
	assert_int_equal(t_disconnect(0, fds[3]), 0);
	assert_int_equal(taker(other, 7, fds, 5), fds[3]);
}

/* The same through the big tables: many sockets on one port. */
static void many_on_one_port(void **state)
{
	s32 from = t_socket(1, 0), fd[40];
	u8 buf[8];

	(void)state;
	for (u32 i = 0; i < 40; i++) {
		fd[i] = t_socket(0, 0);
		assert_int_equal(t_setopt(0, fd[i], SOL_SOCKET, SO_REUSEADDR, 1), 0);
		assert_int_equal(t_bind(0, fd[i], i % 2 ? any_addr : host_addr[0], 7), 0);
		if (i >= 4)
			assert_int_equal(t_connect(0, fd[i], host_addr[1], (u16)(4000 + i)), 0);
	}
	world_check(w, 1);
	for (u32 i = 0; i < 40; i++) {
		s32 s = t_socket(1, 0);

		assert_int_equal(t_bind(1, s, any_addr, (u16)(4000 + i)), 0);
		assert_int_equal(t_sendto(1, s, "ping", 4, 0, host_addr[0], 7), 4);
		run_for(NSEC_PER_MSEC);
		/* 2: the youngest that is bound to the address and not connected. */
		assert_int_equal(t_recv(0, fd[i >= 4 ? i : 2], buf, 8, 0), 4);
	}
	for (u32 i = 0; i < 40; i++)
		assert_int_equal(t_recv(0, fd[i], buf, 8, 0), -EAGAIN);
	for (u32 i = 0; i < 40; i += 3)
		assert_int_equal(t_close(0, fd[i]), 0);
	world_check(w, 1);
	(void)from;
}

static void a_group_shares(void **state)
{
	u32 got[4] = { 0 }, sum = 0;
	s32 fd[4];
	u8 buf[8];

	(void)state;
	for (u32 i = 0; i < 4; i++) {
		fd[i] = t_socket(0, 0);
		assert_int_equal(t_setopt(0, fd[i], SOL_SOCKET, SO_REUSEPORT, 1), 0);
		assert_int_equal(t_bind(0, fd[i], any_addr, 7), 0);
	}
	assert_int_equal(t_bind(0, t_socket(0, 0), any_addr, 7), -EADDRINUSE);
	for (u32 i = 0; i < 64; i++) {
		s32 s = t_socket(1, 0);

		/* Each flow goes to one member, always the same. */
		assert_int_equal(t_sendto(1, s, "ping", 4, 0, host_addr[0], 7), 4);
		assert_int_equal(t_sendto(1, s, "ping", 4, 0, host_addr[0], 7), 4);
		run_for(NSEC_PER_MSEC);
		for (u32 k = 0; k < 4; k++) {
			if (t_recv(0, fd[k], buf, 8, 0) != 4)
				continue;
			assert_int_equal(t_recv(0, fd[k], buf, 8, 0), 4);
			got[k]++;
			sum++;
		}
		assert_int_equal(t_close(1, s), 0);
	}
	assert_int_equal(sum, 64);
	for (u32 k = 0; k < 4; k++)
		assert_in_range(got[k], 4, 40);
}

/* ---- buffers ---- */

static void the_receive_buffer_overflows(void **state)
{
	s32 a = t_socket(0, 0), b = t_socket(1, 0);
	u32 queued = 0;
	u8 buf[8];

	(void)state;
	assert_int_equal(t_setopt(0, a, SOL_SOCKET, SO_RCVBUF, 1), 0);
	assert_int_equal(t_getopt(0, a, SOL_SOCKET, SO_RCVBUF), 2304); /* the least */
	assert_int_equal(t_setopt(0, a, SOL_SOCKET, SO_RCVBUF, 5000), 0);
	assert_int_equal(t_getopt(0, a, SOL_SOCKET, SO_RCVBUF), 10000); /* doubled */
	assert_int_equal(t_bind(0, a, any_addr, 7), 0);
	for (u32 i = 0; i < 50; i++)
		assert_int_equal(t_sendto(1, b, "ping", 4, 0, host_addr[0], 7), 4);
	run_for(NSEC_PER_MSEC);
	while (t_recv(0, a, buf, 8, 0) == 4)
		queued++;
	assert_in_range(queued, 1, 20);
	assert_int_equal(counter(0, "UdpRcvbufErrors"), 50 - queued);
	assert_int_equal(counter(0, "UdpInErrors"), 50 - queued);
	assert_int_equal(counter(0, "Drop.SOCKET_RCVBUFF"), 50 - queued);
	assert_int_equal(counter(0, "UdpInDatagrams"), queued);
	/* There is room again. */
	assert_int_equal(t_sendto(1, b, "ping", 4, 0, host_addr[0], 7), 4);
	run_for(NSEC_PER_MSEC);
	assert_int_equal(t_recv(0, a, buf, 8, 0), 4);
}

static void sizes(void **state)
{
	s32 a = t_socket(0, 0), b = t_socket(1, 0);
	u8 buf[64];

	(void)state;
	for (u32 i = 0; i < sizeof(big); i++)
		big[i] = (u8)(i * 7 + i / 251);
	assert_int_equal(t_bind(0, a, any_addr, 7), 0);
	assert_int_equal(t_sendto(1, b, big, 65508, 0, host_addr[0], 7), -EMSGSIZE);
	assert_int_equal(t_sendto(1, b, big, 65507, 0, host_addr[0], 7), 65507);
	assert_int_equal(t_sendto(1, b, big, 0, 0, host_addr[0], 7), 0);
	assert_int_equal(t_sendto(1, b, big, 1472, 0, host_addr[0], 7), 1472);
	run_for(10 * NSEC_PER_MSEC);
	{
		static u8 whole[65536];
		struct sys_op op = recv_op(0, a, whole, sizeof(whole), MSG_DONTWAIT);

		assert_int_equal(finish(&op), 65507);
		assert_memory_equal(whole, big, 65507);
		assert_int_equal(op.msg_flags, 0);
		assert_int_equal(finish(&op), 0);
		/* Cut: told, and with MSG_TRUNC by how much. */
		op = recv_op(0, a, buf, 10, MSG_DONTWAIT | MSG_TRUNC | MSG_PEEK);
		assert_int_equal(finish(&op), 1472);
		assert_int_equal(op.msg_flags, MSG_TRUNC);
		assert_int_equal(t_call(0, SYS_IOCTL, a, FIONREAD), 1472);
		assert_int_equal(t_recv(0, a, buf, 10, 0), 10);
		assert_memory_equal(buf, big, 10);
		assert_int_equal(t_recv(0, a, buf, 10, 0), -EAGAIN);
	}
	assert_int_equal(counter(0, "UdpInDatagrams"), 3);
	/* DF set by IP_PMTUDISC_DO: not over the MTU. */
	assert_int_equal(t_setopt(1, b, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
	assert_int_equal(t_sendto(1, b, big, 1473, 0, host_addr[0], 7), -EMSGSIZE);
	assert_int_equal(t_sendto(1, b, big, 1472, 0, host_addr[0], 7), 1472);
}

/* ---- checksums ---- */

static const u8 net2_addr[4] = { 198, 51, 100, 1 };

/* A second NIC of host 0 on wire 1, whose other end is free. */
static void second_nic(void)
{
	struct op op = { .kind = OP_WIRE_ADD };
	static const u8 mac[6] = { 2, 0, 0, 0, 0, 7 };

	assert_int_equal(apply(&op), 1);
	op = (struct op){ .kind = OP_NIC_ADD };
	op.u.nic_add.queues = 1;
	op.u.nic_add.mtu = 1500;
	op.u.nic_add.mac = (struct op_bytes){ mac, 6 };
	assert_int_equal(apply(&op), 3);
	op = (struct op){ .kind = OP_WIRE_ATTACH };
	op.u.wire_attach.wire = 1;
	op.u.wire_attach.ifindex = 3;
	assert_int_equal(apply(&op), 0);
	op = (struct op){ .kind = OP_LINK_SET };
	op.u.link_set.ifindex = 3;
	op.u.link_set.param = LINK_PARAM_UP;
	op.u.link_set.value = 1;
	assert_int_equal(apply(&op), 0);
	op = (struct op){ .kind = OP_ADDR_ADD };
	op.u.addr_add.ifindex = 3;
	op.u.addr_add.prefix_len = 24;
	op.u.addr_add.addr = (struct op_bytes){ net2_addr, 4 };
	assert_int_equal(apply(&op), 0);
}

static u32 sum16(const u8 *p, u32 len, u32 sum)
{
	for (u32 i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (u32)p[i] << 8;
	return sum;
}

static u16 fold(u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

/* From 198.51.100.9:5 to port 7, `len` bytes of payload; `wrong` is added to the checksum, unless
 * it is 0xffff: then there is none. */
static void inject(u32 len, u16 wrong)
{
	u8 f[1600] = { 2, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 9, 8, 0, 0x45 };
	u8 *ip = f + 14, *udp = f + 34;
	struct op op = { .kind = OP_FRAME };

	put_be16(ip + 2, (u16)(28 + len));
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, (const u8[]){ 198, 51, 100, 9 }, 4);
	memcpy(ip + 16, net2_addr, 4);
	put_be16(ip + 10, fold(sum16(ip, 20, 0)));
	put_be16(udp, 5);
	put_be16(udp + 2, 7);
	put_be16(udp + 4, (u16)(8 + len));
	memset(udp + 8, 'd', len);
	put_be16(udp + 6,
		 (u16)(fold(sum16(udp, 8 + len, sum16(ip + 12, 8, 17 + 8 + len))) + wrong));
	if (wrong == 0xffff)
		put_be16(udp + 6, 0);
	op.u.frame.wire = 1;
	op.u.frame.end = 1;
	op.u.frame.bytes = (struct op_bytes){ f, 42 + len };
	assert_int_equal(apply(&op), 0);
	run_for(NSEC_PER_MSEC);
}

static void wrong_checksums(void **state)
{
	s32 a = t_socket(0, 0);
	struct sys_pollfd p = { a, POLLIN, 0 };
	struct sys_op poll = call_of(0, SYS_POLL, -1);
	static u8 buf[1600];

	(void)state;
	second_nic();
	assert_int_equal(t_bind(0, a, any_addr, 7), 0);
	inject(20, 0);
	assert_int_equal(t_recv(0, a, buf, 1600, 0), 20);
	inject(20, 0xffff); /* none (RFC 768) */
	assert_int_equal(t_recv(0, a, buf, 1600, 0), 20);
	/* A short one is dropped before it is queued. */
	inject(20, 1);
	assert_int_equal(counter(0, "UdpInCsumErrors"), 1);
	assert_int_equal(t_call(0, SYS_IOCTL, a, FIONREAD), 0);
	/* A long one when it is read: the next one comes instead. */
	inject(1000, 1);
	inject(1000, 0);
	assert_int_equal(counter(0, "UdpInCsumErrors"), 1);
	assert_int_equal(t_recv(0, a, buf, 1600, 0), 1000);
	assert_int_equal(counter(0, "UdpInCsumErrors"), 2);
	assert_int_equal(counter(0, "UdpInErrors"), 2);
	assert_int_equal(counter(0, "Drop.UDP_CSUM"), 2);
	assert_int_equal(counter(0, "UdpInDatagrams"), 3);
	/* Peeked at, polled: the same. */
	inject(1000, 1);
	assert_int_equal(t_recv(0, a, buf, 1600, MSG_PEEK), -EAGAIN);
	inject(1000, 1);
	poll.data = (u8 *)&p;
	poll.data_len = sizeof(p);
	poll.timeout_ns = 0;
	assert_int_equal(finish(&poll), 0);
	assert_int_equal(counter(0, "UdpInCsumErrors"), 4);
	/* To a closed port: no error goes back for what may be anything. */
	assert_int_equal(t_close(0, a), 0);
	inject(1000, 1);
	assert_int_equal(counter(0, "UdpInCsumErrors"), 5);
	assert_int_equal(counter(0, "UdpNoPorts"), 0);
	assert_int_equal(counter(0, "IcmpOutMsgs"), 0);
}

static void the_send_buffer_fills(void **state)
{
	s32 a = t_socket(0, 0), b = t_socket(1, 0);
	struct op slow = { .kind = OP_WIRE_SET };
	struct sys_pollfd p = { a, POLLOUT, 0 };
	struct sys_op op = call_of(0, SYS_SENDMSG, a), poll = call_of(0, SYS_POLL, -1);
	u8 buf[8];

	(void)state;
	assert_int_equal(t_bind(1, b, any_addr, 7), 0);
	assert_int_equal(t_sendto(0, a, "arp", 3, 0, host_addr[1], 7), 3);
	run_for(NSEC_PER_MSEC);
	slow.u.wire_set.param = WIRE_PARAM_RATE_BPS;
	slow.u.wire_set.value = 1000000;
	assert_int_equal(apply(&slow), 0);
	assert_int_equal(t_setopt(0, a, SOL_SOCKET, SO_SNDBUF, 0), 0);
	assert_int_equal(t_getopt(0, a, SOL_SOCKET, SO_SNDBUF), 4608);
	for (u32 i = 0; i < 100; i++)
		if (t_sendto(0, a, big, 1000, MSG_DONTWAIT, host_addr[1], 7) == -EAGAIN)
			break;
	assert_int_equal(counter(0, "UdpSndbufErrors"), 1);
	assert_true(t_call(0, SYS_IOCTL, a, SIOCOUTQ) >= 4608);
	poll.data = (u8 *)&p;
	poll.data_len = sizeof(p);
	submit(&poll);
	op.has_addr = true;
	op.addr = sa(host_addr[1], 7);
	op.data = big;
	op.data_len = 1000;
	submit(&op);
	assert_false(op.completed);
	assert_false(poll.completed);
	run_for(NSEC_PER_SEC);
	assert_true(op.completed);
	assert_int_equal(op.ret, 1000);
	assert_true(poll.completed);
	assert_int_equal(p.revents, POLLOUT);
	assert_int_equal(t_call(0, SYS_IOCTL, a, SIOCOUTQ), 0);
	assert_int_equal(t_recv(1, b, buf, 8, 0), 3);
	/* SO_SNDTIMEO, exactly. */
	while (t_sendto(0, a, big, 1000, MSG_DONTWAIT, host_addr[1], 7) == 1000)
		;
	assert_int_equal(t_set_timeo(0, a, SO_SNDTIMEO, 0, 1000), 0);
	submit(&op);
	run_for(NSEC_PER_MSEC - 1);
	assert_false(op.completed);
	run_for(1);
	assert_true(op.completed);
	assert_int_equal(op.ret, -EAGAIN);
}

/* ---- errors ---- */

static void port_unreachable(void **state)
{
	s32 a = t_socket(0, 0), b = t_socket(0, 0);
	u8 buf[64], control[128];
	struct sys_op op;

	(void)state;
	/* Not connected: nobody is told (without IP_RECVERR). */
	assert_int_equal(t_sendto(0, a, "x", 1, 0, host_addr[1], 9), 1);
	run_for(NSEC_PER_MSEC);
	assert_int_equal(counter(1, "UdpNoPorts"), 1);
	assert_int_equal(counter(1, "IcmpOutDestUnreachs"), 1);
	assert_int_equal(counter(0, "IcmpInDestUnreachs"), 1);
	assert_int_equal(t_recv(0, a, buf, 64, 0), -EAGAIN);
	/* Connected: ECONNREFUSED, once. */
	assert_int_equal(t_connect(0, a, host_addr[1], 9), 0);
	assert_int_equal(t_sendto(0, a, "x", 1, 0, NULL, 0), 1);
	run_for(NSEC_PER_SEC);
	assert_int_equal(t_sendto(0, a, "x", 1, 0, NULL, 0), -ECONNREFUSED);
	assert_int_equal(t_sendto(0, a, "x", 1, 0, NULL, 0), 1);
	run_for(NSEC_PER_SEC);
	assert_int_equal(t_getopt(0, a, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	assert_int_equal(t_recv(0, a, buf, 64, 0), -EAGAIN);
	/* IP_RECVERR: what was refused, and by whom. */
	assert_int_equal(t_setopt(0, b, SOL_IP, IP_RECVERR, 1), 0);
	assert_int_equal(t_sendto(0, b, "refused", 7, 0, host_addr[1], 9), 7);
	run_for(NSEC_PER_SEC);
	assert_int_equal(t_recv(0, b, buf, 64, 0), -ECONNREFUSED);
	op = recv_op(0, b, buf, 64, MSG_ERRQUEUE);
	op.control = control;
	op.control_len = sizeof(control);
	assert_int_equal(finish(&op), 7);
	assert_memory_equal(buf, "refused", 7);
	assert_int_equal(op.msg_flags, MSG_ERRQUEUE);
	assert_int_equal(op.addr.port, 9);
	assert_memory_equal(op.addr.addr, host_addr[1], 4);
	assert_int_equal(op.control_len, 48);
	assert_int_equal(get_le64(control), 48);
	assert_int_equal(get_le32(control + 8), SOL_IP);
	assert_int_equal(get_le32(control + 12), IP_RECVERR);
	assert_int_equal(get_le32(control + 16), ECONNREFUSED);
	assert_int_equal(control[20], SO_EE_ORIGIN_ICMP);
	assert_int_equal(control[21], 3);
	assert_int_equal(control[22], 3);
	assert_memory_equal(control + 36, host_addr[1], 4);
	assert_int_equal(finish(&op), -EAGAIN);
}

static void send_errors(void **state)
{
	static const u8 bcast[4] = { 192, 0, 2, 255 }, nowhere[4] = { 198, 51, 100, 1 };
	s32 a = t_socket(0, 0);

	(void)state;
	assert_int_equal(t_sendto(0, a, "x", 1, 0, NULL, 0), -EDESTADDRREQ);
	assert_int_equal(t_sendto(0, a, "x", 1, 0, host_addr[1], 0), -EINVAL);
	assert_int_equal(t_sendto(0, a, "x", 1, MSG_OOB, host_addr[1], 7), -EOPNOTSUPP);
	assert_int_equal(t_sendto(0, a, "x", 1, 0, bcast, 7), -EACCES);
	assert_int_equal(t_connect(0, a, bcast, 7), -EACCES);
	assert_int_equal(t_sendto(0, a, "x", 1, 0, nowhere, 7), -ENETUNREACH);
	assert_int_equal(counter(0, "IpOutNoRoutes"), 1);
	assert_int_equal(t_setopt(0, a, SOL_SOCKET, SO_BROADCAST, 1), 0);
	assert_int_equal(t_sendto(0, a, "x", 1, 0, bcast, 7), 1);
	assert_int_equal(t_call(0, SYS_SHUTDOWN, a, SHUT_WR), -ENOTCONN);
	assert_int_equal(t_sendto(0, a, "x", 1, 0, host_addr[1], 7), -EPIPE);
}

static void broadcast_to_all(void **state)
{
	static const u8 bcast[4] = { 192, 0, 2, 255 };
	s32 from = t_socket(1, 0), fd[3];
	u8 buf[8];

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		fd[i] = t_socket(0, 0);
		assert_int_equal(t_setopt(0, fd[i], SOL_SOCKET, SO_REUSEADDR, 1), 0);
		assert_int_equal(t_bind(0, fd[i], any_addr, 7), 0);
	}
	assert_int_equal(t_setopt(1, from, SOL_SOCKET, SO_BROADCAST, 1), 0);
	assert_int_equal(t_sendto(1, from, "ping", 4, 0, bcast, 7), 4);
	assert_int_equal(t_sendto(1, from, "ping", 4, 0, bcast, 8), 4);
	run_for(NSEC_PER_MSEC);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(t_recv(0, fd[i], buf, 8, 0), 4);
	/* Nobody there: no error goes back (RFC 1122 3.2.2). */
	assert_int_equal(counter(0, "UdpIgnoredMulti"), 1);
	assert_int_equal(counter(0, "IcmpOutMsgs"), 0);
	assert_int_equal(counter(0, "UdpNoPorts"), 0);
}

static void groups_are_joined(void **state)
{
	static const u8 group[4] = { 224, 1, 2, 3 };
	s32 from = t_socket(1, 0), a = t_socket(0, 0);
	struct sys_op op = call_of(0, SYS_SETSOCKOPT, a);
	u8 mreqn[12] = { 224, 1, 2, 3, 0, 0, 0, 0, 2 };
	u8 buf[8];

	(void)state;
	assert_int_equal(t_bind(0, a, any_addr, 7), 0);
	op.arg[0] = SOL_IP;
	op.arg[1] = IP_ADD_MEMBERSHIP;
	op.data = mreqn;
	op.data_len = 12;
	put_le32(mreqn + 8, 2);
	assert_int_equal(finish(&op), 0);
	assert_int_equal(finish(&op), -EADDRINUSE);
	{
		struct sys_op mif = call_of(1, SYS_SETSOCKOPT, from);

		mif.arg[0] = SOL_IP;
		mif.arg[1] = IP_MULTICAST_IF;
		mif.data = mreqn;
		mif.data_len = 12;
		assert_int_equal(finish(&mif), 0);
	}
	assert_int_equal(t_sendto(1, from, "ping", 4, 0, group, 7), 4);
	run_for(NSEC_PER_MSEC);
	assert_int_equal(t_recv(0, a, buf, 8, 0), 4);
	op.arg[1] = IP_DROP_MEMBERSHIP;
	assert_int_equal(finish(&op), 0);
	assert_int_equal(finish(&op), -EADDRNOTAVAIL);
	assert_int_equal(t_sendto(1, from, "ping", 4, 0, group, 7), 4);
	run_for(NSEC_PER_MSEC);
	assert_int_equal(t_recv(0, a, buf, 8, 0), -EAGAIN);
}

/* ---- control messages, cork ---- */

static void control_messages(void **state)
{
	s32 a = t_socket(0, 0), b = t_socket(1, 0);
	u8 buf[8], control[256];
	struct sys_op op;

	(void)state;
	assert_int_equal(t_bind(0, a, any_addr, 7), 0);
	assert_int_equal(t_setopt(0, a, SOL_IP, IP_PKTINFO, 1), 0);
	assert_int_equal(t_setopt(0, a, SOL_IP, IP_RECVTTL, 1), 0);
	assert_int_equal(t_setopt(0, a, SOL_IP, IP_RECVTOS, 1), 0);
	assert_int_equal(t_setopt(0, a, SOL_SOCKET, SO_TIMESTAMPNS, 1), 0);
	assert_int_equal(t_setopt(1, b, SOL_IP, IP_TTL, 17), 0);
	/* TOS by a control message of the send. */
	op = call_of(1, SYS_SENDMSG, b);
	op.has_addr = true;
	op.addr = sa(host_addr[0], 7);
	op.data = buf;
	op.data_len = 4;
	memset(control, 0, sizeof(control));
	put_le64(control, 20);
	put_le32(control + 8, SOL_IP);
	put_le32(control + 12, IP_TOS);
	put_le32(control + 16, 0x48);
	op.control = control;
	op.control_len = 24;
	memcpy(buf, "ping", 4);
	run_for(NSEC_PER_SEC + 5);
	assert_int_equal(finish(&op), 4);
	run_for(NSEC_PER_MSEC);
	op = recv_op(0, a, buf, 8, 0);
	op.control = control;
	op.control_len = sizeof(control);
	assert_int_equal(finish(&op), 4);
	assert_int_equal(op.control_len, 32 + 32 + 24 + 24);
	assert_int_equal(get_le32(control + 12), SO_TIMESTAMPNS);
	assert_int_equal(get_le64(control + 16), 1);
	assert_int_equal(get_le32(control + 32 + 12), IP_PKTINFO);
	assert_int_equal(get_le32(control + 32 + 16), 2);
	assert_memory_equal(control + 32 + 20, host_addr[0], 4);
	assert_memory_equal(control + 32 + 24, host_addr[0], 4);
	assert_int_equal(get_le32(control + 64 + 12), IP_TTL);
	assert_int_equal(get_le32(control + 64 + 16), 17);
	assert_int_equal(get_le32(control + 88 + 12), IP_TOS);
	assert_int_equal(control[88 + 16], 0x48);
	/* Too little room is told. */
	assert_int_equal(t_sendto(1, b, "ping", 4, 0, host_addr[0], 7), 4);
	run_for(NSEC_PER_MSEC);
	op.control_len = 40;
	assert_int_equal(finish(&op), 4);
	assert_int_equal(op.msg_flags, MSG_CTRUNC);
}

static void corked(void **state)
{
	s32 a = t_socket(0, 0), b = t_socket(1, 0);
	u8 buf[32];

	(void)state;
	assert_int_equal(t_bind(0, a, any_addr, 7), 0);
	assert_int_equal(t_sendto(1, b, "one ", 4, MSG_MORE, host_addr[0], 7), 4);
	run_for(NSEC_PER_MSEC);
	assert_int_equal(t_recv(0, a, buf, 32, 0), -EAGAIN);
	assert_int_equal(t_sendto(1, b, "datagram", 8, 0, NULL, 0), 8);
	run_for(NSEC_PER_MSEC);
	assert_int_equal(t_recv(0, a, buf, 32, 0), 12);
	assert_memory_equal(buf, "one datagram", 12);
	assert_int_equal(t_connect(1, b, host_addr[0], 7), 0);
	assert_int_equal(t_setopt(1, b, SOL_UDP, UDP_CORK, 1), 0);
	assert_int_equal(t_sendto(1, b, "a", 1, 0, NULL, 0), 1);
	assert_int_equal(t_sendto(1, b, "bc", 2, 0, NULL, 0), 2);
	run_for(NSEC_PER_MSEC);
	assert_int_equal(t_recv(0, a, buf, 32, 0), -EAGAIN);
	assert_int_equal(t_setopt(1, b, SOL_UDP, UDP_CORK, 0), 0);
	run_for(NSEC_PER_MSEC);
	assert_int_equal(t_recv(0, a, buf, 32, 0), 3);
	assert_memory_equal(buf, "abc", 3);
	/* Closed with one under way: it is gone. */
	assert_int_equal(t_sendto(1, b, "x", 1, MSG_MORE, NULL, 0), 1);
	assert_int_equal(t_close(1, b), 0);
	assert_int_equal(counter(1, "UdpOutDatagrams"), 2);
}

static void names(void **state)
{
	s32 a = t_socket(0, 0);
	struct sys_op op = call_of(0, SYS_GETPEERNAME, a);

	(void)state;
	assert_int_equal(finish(&op), -ENOTCONN);
	assert_int_equal(t_connect(0, a, host_addr[1], 9), 0);
	assert_int_equal(finish(&op), 0);
	assert_int_equal(op.addr.port, 9);
	assert_memory_equal(op.addr.addr, host_addr[1], 4);
	op.nr = SYS_GETSOCKNAME;
	assert_int_equal(finish(&op), 0);
	assert_memory_equal(op.addr.addr, host_addr[0], 4);
	assert_in_range(op.addr.port, 32768, 60999);
	assert_int_equal(t_getopt(0, a, SOL_IP, IP_MTU), 1500);
	/* Disconnected: neither peer nor address nor port that was not asked for. */
	assert_int_equal(t_disconnect(0, a), 0);
	assert_int_equal(finish(&op), 0);
	assert_int_equal(op.addr.port, 0);
	assert_memory_equal(op.addr.addr, any_addr, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(bind_rules),
		CLEAN(ports_run_out),
		CLEAN(the_best_match_wins),
		CLEAN(many_on_one_port),
		CLEAN(a_group_shares),
		CLEAN(the_receive_buffer_overflows),
		CLEAN(sizes),
		CLEAN(wrong_checksums),
		CLEAN(the_send_buffer_fills),
		CLEAN(port_unreachable),
		CLEAN(send_errors),
		CLEAN(broadcast_to_all),
		CLEAN(groups_are_joined),
		CLEAN(control_messages),
		CLEAN(corked),
		CLEAN(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
