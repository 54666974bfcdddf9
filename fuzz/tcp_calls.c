/* SPDX-License-Identifier: MIT */
/*
 * tcp_state_machine: the application. What it reads is the peer's stream without gap or repetition;
 * no call gives more than was asked for.
 */
#include "tcp_scenario.h"

#include <string.h>

#include "stack/errno.h"
#include "stack/socket.h"
#include "stack/tcp.h"

#define SEND_MAX    4096u
#define STATE_CLOSE 7u /* TCP_CLOSE, the first byte of TCP_INFO */

static struct slot *free_slot(struct scenario *sc)
{
	for (u32 i = 0; i < SLOTS; i++)
		if (sc->s[i].fd < 0)
			return &sc->s[i];
	return NULL;
}

static s64 call(struct fuzz_world *f, s32 fd, u32 nr, u64 arg)
{
	struct sys_op op = { .nr = nr, .fd = fd };

	op.arg[0] = arg;
	return fuzz_call(f, &op);
}

static s64 call_addr(struct fuzz_world *f, s32 fd, u32 nr, u16 family, const char *addr, u16 port)
{
	struct sys_op op = { .nr = nr, .fd = fd, .has_addr = true };

	op.addr.family = family;
	op.addr.port = port;
	memcpy(op.addr.addr, addr, 4);
	return fuzz_call(f, &op);
}

static void set_option(struct fuzz_world *f, s32 fd, u32 level, u32 name, u32 a, u32 b, u32 len)
{
	struct sys_op op = { .nr = SYS_SETSOCKOPT, .fd = fd };
	u8 v[8];

	for (u32 i = 0; i < 4; i++) {
		v[i] = (u8)(a >> 8 * i);
		v[4 + i] = (u8)(b >> 8 * i);
	}
	op.arg[0] = level;
	op.arg[1] = name;
	op.data = v;
	op.data_len = len;
	(void)fuzz_call(f, &op);
}

static struct slot *new_socket(struct fuzz_world *f, s32 conn)
{
	struct scenario *sc = f->ctx;
	struct slot *s = free_slot(sc);
	struct sys_op op = { .nr = SYS_SOCKET, .fd = -1 };
	s64 fd;

	if (!s)
		return NULL;
	op.arg[0] = AF_INET;
	op.arg[1] = SOCK_STREAM | (sc->topology & 64 ? 0u : SOCK_NONBLOCK);
	fd = fuzz_call(f, &op);
	FUZZ_CHECK(fd >= 0, "no socket");
	*s = (struct slot){ .fd = (s32)fd, .conn = conn };
	set_option(f, s->fd, SOL_SOCKET, SO_REUSEADDR, 1, 0, 4);
	if (!(sc->topology & 128))
		set_option(f, s->fd, SOL_SOCKET, SO_OOBINLINE, 1, 0, 4);
	return s;
}

void do_close(struct fuzz_world *f, struct slot *s)
{
	(void)call(f, s->fd, SYS_CLOSE, 0);
	s->fd = -1;
	run(f, DELIVERY_NS);
}

void do_listen(struct fuzz_world *f, u32 backlog)
{
	struct scenario *sc = f->ctx;
	struct slot *s;

	for (u32 i = 0; i < SLOTS; i++) {
		if (sc->s[i].fd >= 0 && sc->s[i].listener) {
			(void)call(f, sc->s[i].fd, SYS_LISTEN, backlog);
			return;
		}
	}
	s = new_socket(f, -1);
	if (!s)
		return;
	s->listener = true;
	listener_changed(sc);
	(void)call_addr(f, s->fd, SYS_BIND, AF_INET, FUZZ_HOST_ADDR, 80);
	(void)call(f, s->fd, SYS_LISTEN, backlog);
}

static void begin_stream(struct scenario *sc, struct slot *s, u32 conn)
{
	struct conn *c = &sc->c[conn];

	s->conn = (s32)conn;
	s->read = 0;
	s->written = 0;
	s->candidates = ~0u;
	c->written = 0;
	c->limit = 0;
}

void do_connect(struct fuzz_world *f, struct slot *s, u32 conn)
{
	struct scenario *sc = f->ctx;
	struct conn *c = &sc->c[conn];
	s64 r;

	if (!s) {
		s = new_socket(f, (s32)conn);
		if (!s)
			return;
		if (call_addr(f, s->fd, SYS_BIND, AF_INET, FUZZ_HOST_ADDR, c->dport)) {
			do_close(f, s);
			return;
		}
	} else if (s->listener || s->conn != (s32)conn) {
		return;
	}
	r = call_addr(f, s->fd, SYS_CONNECT, AF_INET, FUZZ_PEER_ADDR, c->sport);
	if (r == -EINPROGRESS || r == -EINTR) /* 0: it was connected before */
		begin_stream(sc, s, conn);
	run(f, DELIVERY_NS);
}

void do_accept(struct fuzz_world *f, struct slot *l)
{
	struct scenario *sc = f->ctx;
	struct slot *s = free_slot(sc);
	struct sys_op op = { .nr = SYS_ACCEPT, .fd = l->fd };
	s64 fd;

	if (!s)
		return;
	op.arg[0] = sc->topology & 64 ? 0 : SOCK_NONBLOCK;
	fd = fuzz_call(f, &op);
	if (fd < 0)
		return;
	for (u32 i = 0; i < CONNS; i++) {
		if (op.addr.port != sc->c[i].sport)
			continue;
		*s = (struct slot){ .fd = (s32)fd };
		begin_stream(sc, s, i);
		return;
	}
	fuzz_fail("a connection of nobody was accepted");
}

static void do_send(struct fuzz_world *f, struct slot *s, u32 len, u32 flags)
{
	struct scenario *sc = f->ctx;
	static u8 bytes[SEND_MAX];
	struct sys_op op = { .nr = SYS_SENDMSG, .fd = s->fd };
	struct conn *c;
	s64 r;

	if (s->conn < 0)
		return;
	c = &sc->c[s->conn];
	for (u32 i = 0; i < len; i++)
		bytes[i] = host_byte((u32)s->conn, s->written + i);
	op.arg[0] = flags | MSG_NOSIGNAL;
	op.data = bytes;
	op.data_len = len;
	if (s->written + len > c->limit)
		c->limit = s->written + len;
	r = fuzz_call(f, &op);
	FUZZ_CHECK(r <= (s64)len, "more was sent than was given");
	if (r > 0) {
		s->written += (u32)r;
		c->written = s->written;
		f->own_frames += 64 + (u32)r / 2;
	}
	run(f, DELIVERY_NS);
	c->limit = c->written;
}

/* Which of the peer's SYNs began the stream shows in its bytes. */
static void check_read(struct scenario *sc, struct slot *s, const u8 *bytes, u32 len)
{
	struct conn *c = &sc->c[s->conn];
	u32 n = c->syn_count < ISNS ? c->syn_count : ISNS, good = 0;

	if (c->syn_count > ISNS || (c->urgent && sc->topology & 128))
		s->loose = true;
	if (s->loose)
		return;
	for (u32 k = 0; k < n; k++) {
		bool same = s->candidates >> k & 1;

		for (u32 i = 0; i < len && same; i++)
			same = bytes[i] == peer_byte((u32)s->conn, c->syn[k] + s->read + i);
		good |= (u32)same << k;
	}
	FUZZ_CHECK(good, "what was read is not what the peer sent there");
	s->candidates = good;
}

static void do_recv(struct fuzz_world *f, struct slot *s, u32 len, u32 flags)
{
	struct scenario *sc = f->ctx;
	static u8 bytes[65536];
	struct sys_op op = { .nr = SYS_RECVMSG, .fd = s->fd };
	s64 r;

	op.arg[0] = flags;
	op.data = bytes;
	op.data_len = len;
	r = fuzz_call(f, &op);
	FUZZ_CHECK(r <= (s64)len, "more was read than there is room for");
	if (r <= 0 || s->conn < 0 || flags & MSG_OOB)
		return;
	if (!(flags & MSG_TRUNC))
		check_read(sc, s, bytes, (u32)r);
	if (!(flags & MSG_PEEK))
		s->read += (u32)r;
}

static const struct {
	u16 level, name;
	u32 a, b, len;
} options[] = {
	{ SOL_TCP, TCP_NODELAY, 1, 0, 4 },
	{ SOL_TCP, TCP_NODELAY, 0, 0, 4 },
	{ SOL_TCP, TCP_CORK, 1, 0, 4 },
	{ SOL_TCP, TCP_CORK, 0, 0, 4 },
	{ SOL_TCP, TCP_MAXSEG, 88, 0, 4 },
	{ SOL_TCP, TCP_MAXSEG, 536, 0, 4 },
	{ SOL_TCP, TCP_KEEPIDLE, 1, 0, 4 },
	{ SOL_TCP, TCP_KEEPINTVL, 1, 0, 4 },
	{ SOL_TCP, TCP_KEEPCNT, 2, 0, 4 },
	{ SOL_SOCKET, SO_KEEPALIVE, 1, 0, 4 },
	{ SOL_SOCKET, SO_KEEPALIVE, 0, 0, 4 },
	{ SOL_TCP, TCP_SYNCNT, 1, 0, 4 },
	{ SOL_TCP, TCP_LINGER2, 1, 0, 4 },
	{ SOL_TCP, TCP_LINGER2, 0xffffffff, 0, 4 },
	{ SOL_TCP, TCP_DEFER_ACCEPT, 3, 0, 4 },
	{ SOL_TCP, TCP_WINDOW_CLAMP, 1000, 0, 4 },
	{ SOL_TCP, TCP_QUICKACK, 1, 0, 4 },
	{ SOL_TCP, TCP_QUICKACK, 0, 0, 4 },
	{ SOL_TCP, TCP_USER_TIMEOUT, 3000, 0, 4 },
	{ SOL_TCP, TCP_NOTSENT_LOWAT, 100, 0, 4 },
	{ SOL_SOCKET, SO_RCVBUF, 1, 0, 4 },
	{ SOL_SOCKET, SO_RCVBUF, 20000, 0, 4 },
	{ SOL_SOCKET, SO_SNDBUF, 1, 0, 4 },
	{ SOL_SOCKET, SO_LINGER, 1, 0, 8 },
	{ SOL_SOCKET, SO_LINGER, 1, 2, 8 },
	{ SOL_SOCKET, SO_LINGER, 0, 0, 8 },
	{ SOL_SOCKET, SO_RCVLOWAT, 1000, 0, 4 },
	{ SOL_SOCKET, SO_RCVLOWAT, 100000, 0, 4 },
	{ SOL_TCP, TCP_RTO_MAX_MS, 2000, 0, 4 },
	{ SOL_TCP, TCP_TIMESTAMP, 77, 0, 4 },
};
#define OPTIONS (u32)(sizeof(options) / sizeof(options[0]))

static const u16 send_sizes[8] = { 1, 10, 100, 536, 1000, 1448, 3000, SEND_MAX };
static const u32 recv_sizes[8] = { 65536, 1, 10, 100, 1000, 1448, 5000, 0 };

static void look(struct fuzz_world *f, struct slot *s, u8 arg)
{
	u8 info[TCP_INFO_SIZE];
	struct sys_op op = { .nr = SYS_GETSOCKOPT, .fd = s->fd };
	struct sys_pollfd p = { .fd = s->fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };
	s64 r;

	switch (arg % 4) {
	case 0:
		op.arg[0] = SOL_TCP;
		op.arg[1] = TCP_INFO;
		op.data = info;
		op.data_len = sizeof(info);
		FUZZ_CHECK(fuzz_call(f, &op) >= 0, "TCP_INFO was refused");
		break;
	case 1:
		op = (struct sys_op){ .nr = SYS_POLL, .fd = -1 };
		op.data = (u8 *)&p;
		op.data_len = sizeof(p);
		FUZZ_CHECK(fuzz_call(f, &op) >= 0, "poll was refused");
		break;
	case 2:
		r = call(f, s->fd, SYS_IOCTL, SIOCINQ);
		FUZZ_CHECK(r <= 1 << 28, "more is there to read than can be");
		break;
	default:
		r = call(f, s->fd, SYS_IOCTL, SIOCOUTQ);
		/* As with Linux a disconnected one counts from its old place. */
		op.arg[0] = SOL_TCP;
		op.arg[1] = TCP_INFO;
		op.data = info;
		op.data_len = sizeof(info);
		FUZZ_CHECK(fuzz_call(f, &op) >= 0, "TCP_INFO was refused");
		FUZZ_CHECK(info[0] == STATE_CLOSE || r <= (s64)s->written + 1,
			   "more is unacknowledged than was written");
		break;
	}
}

void op_call(struct fuzz_world *f, struct fuzz_input *in)
{
	struct scenario *sc = f->ctx;
	static const u16 backlogs[4] = { 8, 0, 1, 4096 };
	u8 nr = fuzz_u8(in) % 16, at = fuzz_u8(in) % SLOTS, arg = fuzz_u8(in);
	struct slot *s = &sc->s[at];

	if (nr == 0) {
		do_listen(f, backlogs[arg % 4]);
		return;
	}
	if (nr == 1) {
		do_connect(f, NULL, 4 + arg % 4);
		return;
	}
	if (s->fd < 0)
		return;
	switch (nr) {
	case 2:
		do_accept(f, s);
		break;
	case 3:
	case 4:
		do_send(f, s, send_sizes[arg % 8], arg & 8 ? MSG_MORE : arg & 16 ? MSG_OOB : 0);
		break;
	case 5:
	case 6:
		do_recv(f, s, recv_sizes[arg % 8],
			(arg & 8 ? MSG_PEEK : 0) | (arg & 16 ? MSG_TRUNC : 0) |
				(arg & 32 ? MSG_WAITALL : 0) | ((arg & 192) == 192 ? MSG_OOB : 0));
		break;
	case 7:
		(void)call(f, s->fd, SYS_SHUTDOWN, arg % 3);
		run(f, DELIVERY_NS);
		break;
	case 8:
		do_close(f, s);
		break;
	case 9:
	case 10:
		set_option(f, s->fd, options[arg % OPTIONS].level, options[arg % OPTIONS].name,
			   options[arg % OPTIONS].a, options[arg % OPTIONS].b,
			   options[arg % OPTIONS].len);
		if (s->listener)
			listener_changed(sc);
		run(f, DELIVERY_NS);
		break;
	case 11:
		(void)call_addr(f, s->fd, SYS_CONNECT, AF_UNSPEC, "\0\0\0", 0);
		if (s->listener)
			listener_changed(sc);
		if (!s->listener && s->conn >= 0)
			s->loose = true; /* what a new connection will bring begins anew */
		run(f, DELIVERY_NS);
		break;
	case 12:
		if (s->conn >= 4) {
			s->loose = true;
			do_connect(f, s, (u32)s->conn);
		}
		break;
	case 13:
		do_keys(f, s, arg);
		break;
	default:
		look(f, s, arg);
		break;
	}
}
