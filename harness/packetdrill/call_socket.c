/* SPDX-License-Identifier: MIT */
/*
 * Calls that make, connect and end sockets: what they do to the flows (flow.c) that packets belong
 * to is done when they return.
 */
#include "packetdrill/call.h"

#include <string.h>

/* A call that gives a descriptor. */
static bool got_fd(struct pd_run *r, struct pd_call *c, int *script)
{
	const struct pd_expr *want = c->event->syscall.result;
	bool expected = want && want->kind == PD_X_NUMBER;

	if (c->op.ret < 0 || (expected && want->num < 0))
		return pd_call_check(r, c, c->op.ret);
	*script = expected ? (int)want->num : (int)c->op.ret;
	pd_fd_set(r, *script, (int)c->op.ret);
	return true;
}

bool pd_call_finish_fd(struct pd_run *r, struct pd_call *c)
{
	int script;

	return got_fd(r, c, &script);
}

static bool finish_socket(struct pd_run *r, struct pd_call *c)
{
	int script = -1;

	if (!got_fd(r, c, &script))
		return false;
	if (script >= 0)
		pd_flow_socket(r, script, (int)c->op.ret, (int)c->op.arg[1], (int)c->op.arg[2]);
	return true;
}

bool pd_call_socket(struct pd_run *r, const struct pd_event *e, u64 at)
{
	s64 domain, type, protocol;
	struct pd_call *c;

	if (!pd_arg_count(r, e, 3, 3) ||
	    !pd_arg_number_or(r, e, 0, r->settings->family == PD_IPV4 ? AF_INET : AF_INET6,
			      &domain) ||
	    !pd_arg_number(r, e, 1, &type) || !pd_arg_number(r, e, 2, &protocol))
		return false;
	c = pd_call_new(r, e, SYS_SOCKET, 0);
	c->op.arg[0] = (u64)domain;
	c->op.arg[1] = (u64)type;
	c->op.arg[2] = (u64)protocol;
	c->finish = finish_socket;
	return pd_call_go(r, c, at);
}

struct pd_flow *pd_flow_of_arg(struct pd_run *r, const struct pd_event *e)
{
	const struct pd_expr *x = pd_arg(e, 0);

	return x && x->kind == PD_X_NUMBER ? pd_flow_of_fd(r, (int)x->num) : NULL;
}

bool pd_call_bind(struct pd_run *r, const struct pd_event *e, u64 at)
{
	const struct pd_settings *s = r->settings;
	struct sock_addr here = pd_sock_addr(r, &s->local, s->bind_port);
	struct pd_flow *f = pd_flow_of_arg(r, e);
	struct pd_call *c;
	s32 fd;

	if (!pd_arg_count(r, e, 3, 3) || !pd_arg_fd(r, e, 0, &fd))
		return false;
	c = pd_call_new(r, e, SYS_BIND, 0);
	c->op.fd = fd;
	c->op.has_addr = true;
	if (!pd_arg_address(r, e, 1, &here, &c->op.addr))
		return false;
	if (f)
		f->local_port = c->op.addr.port;
	return pd_call_go(r, c, at);
}

static bool finish_listen(struct pd_run *r, struct pd_call *c)
{
	if (c->op.ret >= 0)
		pd_flow_listen(r, c->flow);
	return pd_call_check(r, c, c->op.ret);
}

bool pd_call_listen(struct pd_run *r, const struct pd_event *e, u64 at)
{
	struct pd_call *c;
	s64 backlog;
	s32 fd;

	if (!pd_arg_count(r, e, 2, 2) || !pd_arg_fd(r, e, 0, &fd) ||
	    !pd_arg_number(r, e, 1, &backlog))
		return false;
	c = pd_call_new(r, e, SYS_LISTEN, 0);
	c->op.fd = fd;
	c->op.arg[0] = (u64)backlog;
	c->flow = pd_flow_of_arg(r, e);
	c->finish = finish_listen;
	return pd_call_go(r, c, at);
}

static bool finish_accept(struct pd_run *r, struct pd_call *c)
{
	int script = -1;

	if (!got_fd(r, c, &script))
		return false;
	if (script >= 0)
		pd_flow_accept(r, script, (int)c->op.ret, c->op.addr.port);
	return true;
}

bool pd_call_accept(struct pd_run *r, const struct pd_event *e, u64 at)
{
	struct pd_call *c;
	s64 flags = 0;
	s32 fd;

	if (!pd_arg_count(r, e, 3, 4) || !pd_arg_fd(r, e, 0, &fd) ||
	    (e->syscall.argc == 4 && !pd_arg_number(r, e, 3, &flags)))
		return false;
	c = pd_call_new(r, e, SYS_ACCEPT, 0);
	c->op.fd = fd;
	c->op.arg[0] = (u64)flags;
	c->finish = finish_accept;
	return pd_call_go(r, c, at);
}

bool pd_call_connect(struct pd_run *r, const struct pd_event *e, u64 at)
{
	const struct pd_settings *s = r->settings;
	struct sock_addr there = pd_sock_addr(r, &s->remote, s->connect_port);
	struct pd_call *c;
	s32 fd;

	if (!pd_arg_count(r, e, 3, 3) || !pd_arg_fd(r, e, 0, &fd))
		return false;
	c = pd_call_new(r, e, SYS_CONNECT, 0);
	c->op.fd = fd;
	c->op.has_addr = true;
	if (!pd_arg_address(r, e, 1, &there, &c->op.addr))
		return false;
	pd_flow_connect(r, pd_flow_of_arg(r, e), &c->op.addr);
	return pd_call_go(r, c, at);
}

static bool finish_close(struct pd_run *r, struct pd_call *c)
{
	s64 script = c->event->syscall.arg[0]->num;

	if (c->op.ret >= 0) {
		pd_fd_forget(r, (int)script);
		pd_flow_close(c->flow);
	}
	return pd_call_check(r, c, c->op.ret);
}

bool pd_call_close(struct pd_run *r, const struct pd_event *e, u64 at)
{
	struct pd_call *c;
	s32 fd;

	if (!pd_arg_count(r, e, 1, 1) || !pd_arg_fd(r, e, 0, &fd))
		return false;
	c = pd_call_new(r, e, SYS_CLOSE, 0);
	c->op.fd = fd;
	c->flow = pd_flow_of_arg(r, e);
	c->finish = finish_close;
	return pd_call_go(r, c, at);
}

bool pd_call_shutdown(struct pd_run *r, const struct pd_event *e, u64 at)
{
	struct pd_call *c;
	s64 how;
	s32 fd;

	if (!pd_arg_count(r, e, 2, 2) || !pd_arg_fd(r, e, 0, &fd) || !pd_arg_number(r, e, 1, &how))
		return false;
	c = pd_call_new(r, e, SYS_SHUTDOWN, 0);
	c->op.fd = fd;
	c->op.arg[0] = (u64)how;
	return pd_call_go(r, c, at);
}
