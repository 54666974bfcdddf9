/* SPDX-License-Identifier: MIT */
/*
 * Calls that move data, and those that ask a descriptor about itself.
 */
#include "packetdrill/call.h"

#include <inttypes.h>
#include <string.h>

/* -- Data -- */

/* The call of (fd, buffer, length, ..., flags): descriptor, room, flags. NULL: failed. */
static struct pd_call *io_call(struct pd_run *r, const struct pd_event *e, u32 nr, size_t flags_at)
{
	s64 len, flags = 0;
	struct pd_call *c;
	s32 fd;

	if (!pd_arg_fd(r, e, 0, &fd) || !pd_arg_number(r, e, 2, &len) ||
	    (flags_at && !pd_arg_number(r, e, flags_at, &flags)))
		return NULL;
	if (len < 0 || len > PD_MAX_DATA) {
		pd_fail(r, e, NULL, NULL, "so many bytes are too many");
		return NULL;
	}
	c = pd_call_new(r, e, nr, (u32)len);
	c->op.fd = fd;
	c->op.arg[0] = (u64)flags;
	if (pd_arg_null(e, 1))
		c->op.data = NULL;
	return c;
}

/*
 * send(), write() and their like. flags_at: the argument that holds flags, addr_at: the address; 0:
 * there is none.
 */
static bool send_data(struct pd_run *r, const struct pd_event *e, u64 at, size_t flags_at,
		      size_t addr_at)
{
	const struct pd_settings *s = r->settings;
	const struct pd_expr *buffer = pd_arg(e, 1);
	struct sock_addr there = pd_sock_addr(r, &s->remote, s->connect_port);
	struct pd_call *c = io_call(r, e, SYS_SENDMSG, flags_at);

	if (!c)
		return false;
	if (buffer->kind == PD_X_STRING)
		memcpy(c->data, buffer->text.p,
		       buffer->text.len < c->op.data_len ? buffer->text.len : c->op.data_len);
	if (addr_at && pd_arg(e, addr_at)->kind != PD_X_NULL) {
		c->op.has_addr = true;
		if (!pd_arg_address(r, e, addr_at, &there, &c->op.addr))
			return false;
		if ((c->op.arg[0] & MSG_FASTOPEN) ||
		    (pd_flow_of_arg(r, e) && pd_flow_of_arg(r, e)->protocol == IPPROTO_UDP))
			pd_flow_connect(r, pd_flow_of_arg(r, e), &c->op.addr);
	}
	c->op.arg[0] |= (u64)s->default_send_flags;
	return pd_call_go(r, c, at);
}

bool pd_call_write(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return pd_arg_count(r, e, 3, 3) && send_data(r, e, at, 0, 0);
}

bool pd_call_send(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return pd_arg_count(r, e, 4, 4) && send_data(r, e, at, 3, 0);
}

bool pd_call_sendto(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return pd_arg_count(r, e, 6, 6) && send_data(r, e, at, 3, 4);
}

static bool receive(struct pd_run *r, const struct pd_event *e, u64 at, size_t flags_at)
{
	struct pd_call *c = io_call(r, e, SYS_RECVMSG, flags_at);

	return c && pd_call_go(r, c, at);
}

/*
 * read() and readv() of no bytes end at once, whatever the state of the socket is: recv() would
 * wait (sock_read_iter). Only whether there is such a descriptor is asked.
 */
static bool read_nothing(struct pd_run *r, const struct pd_event *e, u64 at, s32 fd)
{
	struct pd_call *c = pd_call_new(r, e, SYS_FCNTL, 0);

	c->op.fd = fd;
	c->op.arg[0] = F_GETFL;
	c->of_nothing = true;
	return pd_call_go(r, c, at);
}

bool pd_call_read(struct pd_run *r, const struct pd_event *e, u64 at)
{
	s64 len;
	s32 fd;

	if (!pd_arg_count(r, e, 3, 3))
		return false;
	if (pd_arg(e, 2)->kind == PD_X_NUMBER && pd_arg_number(r, e, 2, &len) && len == 0)
		return pd_arg_fd(r, e, 0, &fd) && read_nothing(r, e, at, fd);
	return receive(r, e, at, 0);
}

bool pd_call_recv(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return pd_arg_count(r, e, 4, 6) && receive(r, e, at, 3);
}

/* readv() and writev(): one call with what the iovecs hold together. */
static bool iov_call(struct pd_run *r, const struct pd_event *e, u64 at, u32 nr)
{
	struct pd_call *c;
	u32 sum, piece;
	s32 fd;

	if (!pd_arg_count(r, e, 3, 3) || !pd_arg_fd(r, e, 0, &fd) ||
	    !pd_iov_sum(r, e, pd_arg(e, 1), &sum, &piece))
		return false;
	if (nr == SYS_RECVMSG && sum == 0)
		return read_nothing(r, e, at, fd);
	c = pd_call_new(r, e, nr, sum);
	c->op.fd = fd;
	if (pd_iov_null(pd_arg(e, 1)))
		c->op.data = NULL;
	return pd_call_go(r, c, at);
}

bool pd_call_readv(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return iov_call(r, e, at, SYS_RECVMSG);
}

bool pd_call_writev(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return iov_call(r, e, at, SYS_SENDMSG);
}

/* -- Descriptors' own -- */

bool pd_call_fcntl(struct pd_run *r, const struct pd_event *e, u64 at)
{
	struct pd_call *c;
	s64 command, value = 0;
	s32 fd;

	if (!pd_arg_count(r, e, 2, 3) || !pd_arg_fd(r, e, 0, &fd) ||
	    !pd_arg_number(r, e, 1, &command) ||
	    (e->syscall.argc == 3 && !pd_arg_number(r, e, 2, &value)))
		return false;
	c = pd_call_new(r, e, SYS_FCNTL, 0);
	c->op.fd = fd;
	c->op.arg[0] = (u64)command;
	c->op.arg[1] = (u64)value;
	return pd_call_go(r, c, at);
}

/* The host gives the value itself; the script has it in a list, and 0 as the result. */
static bool finish_ioctl(struct pd_run *r, struct pd_call *c)
{
	const struct pd_event *e = c->event;
	const struct pd_expr *x = pd_arg(e, 2);
	struct strbuf got = { 0 };
	bool ok;

	if (c->op.ret < 0)
		return pd_call_check(r, c, c->op.ret);
	if (x && x->kind == PD_X_LIST && x->count && x->item[0]->kind == PD_X_NUMBER &&
	    x->item[0]->num != c->op.ret) {
		strbuf_printf(&got, "[%" PRIi64 "]", c->op.ret);
		ok = pd_record_arguments(r, e, 2, 1, strbuf_text(&got)) ||
		     pd_fail(r, e, strbuf_text(&got), e->source.p, "ioctl() gave another value");
		strbuf_free(&got);
		return ok;
	}
	return pd_call_check(r, c, 0);
}

/* FIONBIO is the file's, not the socket's: what F_SETFL does. */
static bool set_nonblocking(struct pd_run *r, const struct pd_event *e, u64 at, s32 fd)
{
	const struct pd_expr *x = pd_arg(e, 2);
	struct pd_call *c;

	if (x && x->kind == PD_X_LIST && x->count == 1)
		x = x->item[0];
	if (!x || x->kind != PD_X_NUMBER)
		return pd_fail(r, e, NULL, NULL, "FIONBIO needs [0] or [1]");
	c = pd_call_new(r, e, SYS_FCNTL, 0);
	c->op.fd = fd;
	c->op.arg[0] = F_SETFL;
	c->op.arg[1] = O_RDWR | (x->num ? O_NONBLOCK : 0);
	return pd_call_go(r, c, at);
}

bool pd_call_ioctl(struct pd_run *r, const struct pd_event *e, u64 at)
{
	struct pd_call *c;
	s64 request;
	s32 fd;

	if (!pd_arg_count(r, e, 2, 3) || !pd_arg_fd(r, e, 0, &fd) ||
	    !pd_arg_number(r, e, 1, &request))
		return false;
	if (request == FIONBIO)
		return set_nonblocking(r, e, at, fd);
	c = pd_call_new(r, e, SYS_IOCTL, 0);
	c->op.fd = fd;
	c->op.arg[0] = (u64)request;
	c->finish = finish_ioctl;
	return pd_call_go(r, c, at);
}

bool pd_call_epoll_create(struct pd_run *r, const struct pd_event *e, u64 at)
{
	struct pd_call *c;

	if (!pd_arg_count(r, e, 1, 1))
		return false;
	c = pd_call_new(r, e, SYS_EPOLL_CREATE, 0);
	c->finish = pd_call_finish_fd;
	return pd_call_go(r, c, at);
}
