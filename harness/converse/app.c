/* SPDX-License-Identifier: MIT */
/*
 * The application of a played conversation: real sockets of the host. It listens or connects, as
 * the capture's side did, reads all there is at once, and writes the capture's bytes at the times
 * at which the capture shows them for the first time. Urgent data is read in line, as the bytes of
 * the stream that it is. It ends its own direction where the capture's side sent FIN, and goes on
 * reading.
 */
#include <string.h>

#include "converse/packet.h"
#include "converse/play.h"
#include "stack/errno.h"
#include "stack/socket.h"

static bool failed(struct cv_play *p, s64 ret)
{
	if (ret >= 0)
		return false;
	if (!p->app.error)
		p->app.error = ret;
	return true;
}

/* A call that does not wait. */
static s64 call(struct cv_play *p, struct sys_op *op)
{
	op->host = p->host;
	op->timeout_ns = TIME_NEVER;
	if (p->sut->ops->submit(p->sut, op))
		return -EINVAL;
	if (!op->completed)
		p->sut->ops->run(p->sut, p->sut->ops->now(p->sut));
	if (!op->completed)
		p->sut->ops->cancel(p->sut, op);
	return op->ret;
}

static void submit(struct cv_play *p, struct sys_op *op)
{
	op->host = p->host;
	op->ctx = p;
	op->timeout_ns = TIME_NEVER;
	op->completed = false;
	op->state = NULL;
	if (p->sut->ops->submit(p->sut, op))
		failed(p, -EINVAL);
}

static void set_option(struct cv_play *p, s32 fd, u32 name, u8 a, u8 b)
{
	u8 value[8] = { a, 0, 0, 0, b };
	struct sys_op op = { .nr = SYS_SETSOCKOPT, .fd = fd, .data = value };

	op.arg[0] = SOL_SOCKET;
	op.arg[1] = name;
	op.data_len = name == SO_LINGER ? 8 : 4;
	failed(p, call(p, &op));
}

/* ---- reading ---- */

static void received(struct sys_op *op)
{
	struct cv_play *p = op->ctx;

	if (failed(p, op->ret))
		return;
	if (!op->ret) {
		p->app.got.end = true;
		return;
	}
	cv_take(&p->app.got, cv_peer_stream(p), op->data, (u32)op->ret);
	submit(p, op);
}

static void begin_reading(struct cv_play *p)
{
	p->app.recv = (struct sys_op){
		.nr = SYS_RECVMSG, .fd = p->app.fd, .data = p->app.in, .done = received
	};
	p->app.recv.data_len = sizeof(p->app.in);
	submit(p, &p->app.recv);
}

/* ---- writing ---- */

static void go_on(struct cv_play *p);

static void sent(struct sys_op *op)
{
	struct cv_play *p = op->ctx;

	p->app.writing = false;
	if (failed(p, op->ret))
		return;
	if (op->nr == SYS_SENDMSG)
		p->app.written += (u64)op->ret;
	else
		p->app.ended = true;
	go_on(p);
}

static void go_on(struct cv_play *p)
{
	struct cv_app *a = &p->app;
	u64 left = a->target - a->written;

	if (!a->connected || a->writing || a->ended || a->error || (!left && !a->ending))
		return;
	a->writing = true;
	a->send = (struct sys_op){ .fd = a->fd, .done = sent };
	if (left) {
		a->send.nr = SYS_SENDMSG;
		a->send.arg[0] = MSG_NOSIGNAL;
		a->send.data = a->out;
		a->send.data_len = left < CV_BUFFER ? (u32)left : CV_BUFFER;
		cv_stream_copy(cv_host_stream(p), a->written, a->out, a->send.data_len);
	} else {
		a->send.nr = SYS_SHUTDOWN;
		a->send.arg[0] = SHUT_WR;
	}
	submit(p, &a->send);
}

void cv_app_write(struct cv_play *p, u64 target, bool end)
{
	if (target > p->app.target)
		p->app.target = target;
	p->app.ending = p->app.ending || end;
	go_on(p);
}

/* ---- opening and closing ---- */

static void opened(struct sys_op *op)
{
	struct cv_play *p = op->ctx;

	if (failed(p, op->ret))
		return;
	if (op->nr == SYS_ACCEPT)
		p->app.fd = (s32)op->ret;
	p->app.connected = true;
	begin_reading(p);
	go_on(p);
}

static s32 new_socket(struct cv_play *p)
{
	struct sys_op op = { .nr = SYS_SOCKET, .fd = -1 };
	s64 fd;

	op.arg[0] = cv_is_v6(p->c) ? AF_INET6 : AF_INET;
	op.arg[1] = SOCK_STREAM;
	fd = call(p, &op);
	if (failed(p, fd))
		return -1;
	set_option(p, (s32)fd, SO_REUSEADDR, 1, 0);
	set_option(p, (s32)fd, SO_OOBINLINE, 1, 0);
	return (s32)fd;
}

static struct sock_addr address(const struct cv_play *p, const u8 *addr, u16 port)
{
	bool v6 = cv_is_v6(p->c);
	struct sock_addr a = { .family = v6 ? AF_INET6 : AF_INET, .port = port };

	memcpy(a.addr, addr, v6 ? 16 : 4);
	return a;
}

bool cv_app_open(struct cv_play *p)
{
	bool server = cv_opener(p->c) == p->peer_side;
	struct sys_op bind = { .nr = SYS_BIND, .has_addr = true };
	struct sys_op listen = { .nr = SYS_LISTEN, .arg = { 8 } };
	s32 fd = new_socket(p);

	p->app.listener = server ? fd : -1;
	p->app.fd = server ? -1 : fd;
	if (fd < 0)
		return false;
	bind.fd = listen.fd = fd;
	bind.addr = address(p, cv_host_addr(cv_is_v6(p->c)), p->c->end[!p->peer_side].port);
	if (failed(p, call(p, &bind)))
		return false;
	p->app.open = (struct sys_op){ .nr = SYS_ACCEPT, .fd = fd, .done = opened };
	if (server) {
		if (failed(p, call(p, &listen)))
			return false;
	} else {
		p->app.open.nr = SYS_CONNECT;
		p->app.open.has_addr = true;
		p->app.open.addr =
			address(p, cv_peer_addr(cv_is_v6(p->c)), p->c->end[p->peer_side].port);
	}
	submit(p, &p->app.open);
	return true;
}

/* As the capture's side ended: with a RST, or with FIN and then nothing. */
void cv_app_close(struct cv_play *p)
{
	struct sys_op op = { .nr = SYS_CLOSE, .fd = p->app.fd };

	p->sut->ops->cancel(p->sut, &p->app.recv);
	if (p->app.writing)
		p->sut->ops->cancel(p->sut, &p->app.send);
	if (p->app.fd < 0)
		return;
	if (cv_host_stream(p)->rst)
		set_option(p, p->app.fd, SO_LINGER, 1, 0);
	call(p, &op);
}

bool cv_app_done(const struct cv_play *p)
{
	const struct cv_stream *s = cv_peer_stream(p);
	const struct cv_app *a = &p->app;

	return a->written == cv_host_stream(p)->len && a->ended == cv_host_stream(p)->fin &&
	       a->got.len == s->len && a->got.end == s->fin;
}
