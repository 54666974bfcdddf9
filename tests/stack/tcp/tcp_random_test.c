/* SPDX-License-Identifier: MIT */
/*
 * Random segments near the windows, random calls and random waits, on one connection after the
 * other: whatever comes, no invariant breaks (world_check after every segment), nothing leaks.
 */
#include "stack/tcp.h"
#include "stack/tcp/tcp_world.h"

static u32 rnd;
static u8 data[70000];
static s32 fds[4];
static u32 fds_count;
static struct peer peer;
static u32 peer_nxt, host_nxt; /* what the peer would send next, and has seen of the host */

static u32 draw(u32 n)
{
	rnd = rnd * 1664525u + 1013904223u;
	return (rnd >> 8) % n;
}

static u32 near_seq(u32 seq)
{
	static const u32 far[] = { 0,	 1,    2,     100,   536,   1459,     1460,
				   1461, 2920, 20000, 65535, 70000, 1u << 30, 1u << 31 };
	u32 d = far[draw(draw(3) ? 4 : ARRAY_SIZE(far))];

	switch (draw(4)) {
	case 0:
		return seq - d;
	case 1:
		return seq + d;
	default:
		return seq;
	}
}

static void random_options(u8 *o, struct peer *p)
{
	u32 n = 0;

	switch (draw(8)) {
	case 0:
		memcpy(o, "\1\1\10\12", 4);
		put_be32(o + 4, draw(5) ? (u32)(world_now(w) / MS) : draw(1u << 24) << 8);
		put_be32(o + 8, draw(3) ? 0 : draw(1000));
		n = 12;
		break;
	case 1:
	case 2:
		n = 1 + draw(3);
		o[0] = 1;
		o[1] = 1;
		o[2] = 5;
		o[3] = (u8)(2 + 8 * n);
		for (u32 i = 0; i < n; i++) {
			u32 start = host_nxt - draw(20) * (draw(2) ? 1460 : 100);

			put_be32(o + 4 + 8 * i, start);
			put_be32(o + 8 + 8 * i, start + (1 + draw(4)) * (draw(3) ? 1460 : 100));
		}
		n = 4 + 8 * n;
		break;
	case 3:
		for (n = 0; n < 4 * (1 + draw(9)); n++)
			o[n] = (u8)draw(256);
		n &= ~3u;
		break;
	default:
		break;
	}
	p->opts = o;
	p->opts_len = n;
}

static void random_segment(void)
{
	static const u8 flags[] = {
		ACK, ACK,	ACK, ACK | PSH, ACK | PSH, ACK | FIN, ACK | TCPHDR_URG,
		RST, RST | ACK, SYN, SYN | ACK, FIN,	   0,	      0xff
	};
	u8 o[40], f = flags[draw(draw(4) ? 5 : ARRAY_SIZE(flags))];
	struct peer p = peer;
	u32 len = draw(3) ? draw(1461) : 0, seq = near_seq(peer_nxt);

	p.window = (u16)(draw(4) ? 65535 : draw(5) * 700);
	random_options(o, &p);
	if (p.opts_len && len > 1400)
		len = 1400;
	peer_send(&p, f, seq, near_seq(host_nxt), len);
	if (seq == peer_nxt && draw(3))
		peer_nxt += len + (f & FIN ? 1 : 0);
}

/* What the host sent last tells where it stands. */
static void look(void)
{
	if (!seen_count)
		return;
	if (seen[seen_count - 1].tcp.flags & ACK && draw(2))
		peer_nxt = seen[seen_count - 1].tcp.ack_seq;
	for (u32 i = 0; i < seen_count; i++) {
		const struct segment *s = &seen[i];
		u32 end = s->tcp.seq + s->len + ((s->tcp.flags & (SYN | FIN)) != 0);

		if ((s32)(end - host_nxt) > 0 || s->tcp.flags & SYN)
			host_nxt = end;
		assert_true(s->len <= 1460);
	}
	seen_count = 0;
}

static void random_option_call(s32 fd)
{
	static const u32 names[] = { TCP_NODELAY,  TCP_CORK,	     TCP_QUICKACK,
				     TCP_LINGER2,  TCP_WINDOW_CLAMP, TCP_NOTSENT_LOWAT,
				     TCP_KEEPIDLE, TCP_USER_TIMEOUT };
	struct sys_op op = call_of(SYS_GETSOCKOPT, fd);
	u8 info[TCP_INFO_SIZE];

	t_setopt(fd, SOL_TCP, names[draw(ARRAY_SIZE(names))], (s32)draw(3) * 500);
	t_setopt(fd, SOL_SOCKET, draw(2) ? SO_KEEPALIVE : SO_OOBINLINE, (s32)draw(2));
	op.arg[0] = SOL_TCP;
	op.arg[1] = TCP_INFO;
	op.data = info;
	op.data_len = sizeof(info);
	finish(&op);
}

static void random_call(void)
{
	struct sys_op op;
	s32 fd;

	if (!fds_count)
		return;
	fd = fds[draw(fds_count)];
	switch (draw(9)) {
	case 0:
	case 1:
		op = call_of(SYS_SENDMSG, fd);
		op.arg[0] = draw(5) ? 0 : draw(2) ? MSG_OOB : MSG_MORE;
		op.data = data;
		op.data_len = draw(2) ? draw(3000) : draw(30000);
		finish(&op);
		break;
	case 2:
	case 3:
	case 4:
		op = call_of(SYS_RECVMSG, fd);
		op.arg[0] = draw(4) ? 0 : draw(3) ? MSG_PEEK : draw(2) ? MSG_OOB : MSG_TRUNC;
		op.data = data;
		op.data_len = draw(2) ? draw(100) : draw(60000);
		finish(&op);
		break;
	case 5:
		random_option_call(fd);
		break;
	case 6:
		if (!draw(4))
			t_call(SYS_SHUTDOWN, fd, draw(3));
		break;
	case 7:
		if (!draw(6)) {
			t_close(fd);
			for (u32 i = 0; i < fds_count; i++)
				if (fds[i] == fd)
					fds[i] = fds[--fds_count];
		}
		break;
	default:
		op = call_of(SYS_IOCTL, fd);
		op.arg[0] = draw(2) ? SIOCINQ : SIOCOUTQ;
		finish(&op);
	}
}

static void step(s32 l)
{
	switch (draw(10)) {
	case 0:
	case 1:
		random_call();
		break;
	case 2:
		run_for((u64)draw(50) * draw(50) * MS);
		break;
	case 3:
		if (fds_count < 4) {
			s32 fd = (s32)t_call(SYS_ACCEPT, l, SOCK_NONBLOCK);

			if (fd >= 0)
				fds[fds_count++] = fd;
		}
		break;
	default:
		random_segment();
	}
	look();
}

static void one(u32 seed)
{
	static const u8 syn_opts[20] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0,
					 0, 1, 0, 0,	0, 0, 1, 3,  3, 7 };
	s32 l;

	rnd = seed * 2654435761u + 1;
	fds_count = 0;
	tcp_world_setup(NULL);
	if (seed % 4 == 1)
		set_sysctl("net.ipv4.tcp_rmem", "4096 5000 20000");
	if (seed % 4 == 2)
		set_sysctl("net.ipv4.tcp_wmem", "4608 6000 20000");
	l = t_listener(80, 3);
	peer = (struct peer){ .sport = 4000, .dport = 80, .window = 65535 };
	peer_nxt = draw(2) ? 1000 : 0xfffffc00u;
	peer.opts = syn_opts;
	peer.opts_len = seed % 4 == 0 ? 20 : seed % 4 == 1 ? 4 : seed % 4 == 2 ? 6 : 0;
	if (peer.opts_len == 6) {
		peer.opts = (const u8 *)"\2\4\5\264\4\2\1\1";
		peer.opts_len = 8;
	}
	if (seed % 5 == 0) {
		/* The host opens. */
		fds[fds_count++] = t_socket();
		t_addr(SYS_CONNECT, fds[0], peer_ip, 4000);
		peer.dport = seen[0].tcp.source;
		look();
	}
	peer_send(&peer, seed % 5 ? SYN : SYN | ACK, peer_nxt, host_nxt, 0);
	peer_nxt++;
	look();
	peer.opts_len = 0;
	peer_send(&peer, ACK, peer_nxt, host_nxt, 0);
	for (u32 i = 0; i < 150; i++)
		step(l);
	tcp_world_teardown(NULL);
}

static void walks(void **state)
{
	const char *n = getenv("TAPLINE_RANDOM_RUNS");
	u32 runs = n ? (u32)strtoul(n, NULL, 10) : 200;
	const char *only = getenv("TAPLINE_RANDOM_SEED");

	(void)state;
	if (only) {
		one((u32)strtoul(only, NULL, 10));
		return;
	}
	for (u32 seed = 1; seed <= runs; seed++) {
		if (n)
			print_message("seed %u\n", seed);
		one(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(walks) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
