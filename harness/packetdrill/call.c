/* SPDX-License-Identifier: MIT */
/*
 * System calls of a script: arguments, descriptors, submission, the result held against what the
 * script says. A call that the script does not mark as blocking holds the script up until it is
 * done, as it would hold packetdrill up.
 */
#include "packetdrill/call.h"

#include "stack/errno.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DATA (64u << 20)

/* -- Descriptors -- */

int pd_fd_live(const struct pd_run *r, int script)
{
	size_t i;

	for (i = 0; i < r->fd_count; i++) {
		if (r->fds[i].script == script)
			return r->fds[i].live;
	}
	return -1;
}

int pd_fd_script(const struct pd_run *r, int live)
{
	size_t i;

	for (i = 0; i < r->fd_count; i++) {
		if (r->fds[i].live == live)
			return r->fds[i].script;
	}
	return -1;
}

void pd_fd_set(struct pd_run *r, int script, int live)
{
	size_t i;

	for (i = 0; i < r->fd_count && r->fds[i].script != script; i++)
		;
	if (i == r->fd_count) {
		r->fds = xrealloc(r->fds, (r->fd_count + 1) * sizeof(*r->fds));
		r->fd_count++;
	}
	r->fds[i] = (struct pd_fd){ script, live };
}

static void fd_forget(struct pd_run *r, int script)
{
	size_t i;

	for (i = 0; i < r->fd_count; i++) {
		if (r->fds[i].script == script) {
			r->fds[i] = r->fds[--r->fd_count];
			return;
		}
	}
}

/* -- Arguments -- */

const struct pd_expr *pd_arg(const struct pd_event *e, size_t i)
{
	return i < e->syscall.argc ? e->syscall.arg[i] : NULL;
}

bool pd_arg_count(struct pd_run *r, const struct pd_event *e, size_t least, size_t most)
{
	size_t n = e->syscall.argc;

	return (n >= least && n <= most) ||
	       pd_fail(r, e, NULL, NULL, "%s() has %zu arguments", e->syscall.name.p, n);
}

bool pd_arg_number_or(struct pd_run *r, const struct pd_event *e, size_t i, s64 any, s64 *out)
{
	const struct pd_expr *x = pd_arg(e, i);

	*out = any;
	if (x && x->kind == PD_X_ELLIPSIS)
		return true;
	return pd_arg_number(r, e, i, out);
}

bool pd_arg_number(struct pd_run *r, const struct pd_event *e, size_t i, s64 *out)
{
	const struct pd_expr *x = pd_arg(e, i);

	/* False in so many words: gcc -O3 follows *out to the callers. */
	if (!x || x->kind != PD_X_NUMBER) {
		pd_fail(r, e, NULL, NULL, "argument %zu of %s() is no number", i + 1,
			e->syscall.name.p);
		return false;
	}
	*out = x->num;
	return true;
}

bool pd_arg_fd(struct pd_run *r, const struct pd_event *e, size_t i, s32 *live)
{
	s64 n;

	if (!pd_arg_number(r, e, i, &n))
		return false;
	*live = pd_fd_live(r, (int)n);
	return true;
}

/* A call inside of a struct: htons(80), inet_addr("192.0.2.1"). */
static bool call_value(const struct pd_expr *x, struct sock_addr *a)
{
	struct pd_address address;
	const struct pd_expr *arg = x->count ? x->item[x->count - 1] : NULL;

	if (arg && arg->kind == PD_X_NUMBER) {
		a->port = (u16)arg->num;
		return true;
	}
	if (!arg || arg->kind != PD_X_STRING || !pd_address_parse(arg->text.p, &address))
		return false;
	memset(a->addr, 0, sizeof(a->addr));
	memcpy(a->addr, address.bytes, address.v6 ? 16 : 4);
	return true;
}

bool pd_arg_address(struct pd_run *r, const struct pd_event *e, size_t i,
		    const struct sock_addr *otherwise, struct sock_addr *out)
{
	const struct pd_expr *x = pd_arg(e, i);
	const struct pd_expr *family;
	size_t k;

	*out = *otherwise;
	if (!x || x->kind == PD_X_ELLIPSIS || x->kind == PD_X_NULL)
		return true;
	if (x->kind != PD_X_STRUCT)
		return pd_fail(r, e, NULL, NULL, "argument %zu is no socket address", i + 1);
	family = pd_expr_field(x, "sa_family");
	if (family && family->kind == PD_X_NUMBER)
		out->family = (u16)family->num;
	for (k = 0; k < x->count; k++) {
		const struct pd_expr *v = x->item[k];

		if (v->kind == PD_X_FIELD)
			v = v->item[0];
		if (v->kind == PD_X_CALL && !call_value(v, out))
			return pd_fail(r, e, NULL, NULL, "%s() is not understood", v->text.p);
	}
	return true;
}

/* -- A call's life -- */

struct pd_call *pd_call_new(struct pd_run *r, const struct pd_event *e, u32 nr, u32 data_size)
{
	struct pd_call *c = xrealloc(NULL, sizeof(*c));

	*c = (struct pd_call){ .run = r, .event = e, .next = r->calls };
	c->op.nr = nr;
	c->op.timeout_ns = TIME_NEVER;
	c->op.ctx = c;
	if (data_size) {
		c->data = xrealloc(NULL, data_size);
		memset(c->data, 0, data_size);
		c->op.data = c->data;
		c->op.data_len = data_size;
	}
	r->calls = c;
	return c;
}

void pd_calls_free(struct pd_run *r)
{
	while (r->calls) {
		struct pd_call *c = r->calls;

		r->calls = c->next;
		free(c->data);
		free(c->control);
		free(c);
	}
}

static void on_done(struct sys_op *op)
{
	struct pd_call *c = op->ctx;

	c->done_ns = c->run->sut->ops->now(c->run->sut) - c->run->start_ns;
	c->run->sut->ops->stop(c->run->sut);
}

/* How a result reads: "-1 EAGAIN", "4". */
static void show_result(struct strbuf *out, s64 ret)
{
	if (ret < 0)
		strbuf_printf(out, "-1 %s", pd_errno_name((int)-ret));
	else
		strbuf_printf(out, "%" PRIi64, ret);
}

/* packetdrill's own words, which a "// Failure: REGEX" line of a script may name. */
static void tell_classic(struct pd_run *r, const struct pd_event *e, s64 ret)
{
	strbuf_clear(&r->classic);
	strbuf_printf(&r->classic, "runtime error in %s call: ", e->syscall.name.p);
	if (ret < 0 && e->syscall.result->num >= 0)
		strbuf_printf(&r->classic,
			      "Expected non-negative result but got -1 with errno %d (%s)",
			      (int)-ret, strerror((int)-ret));
	else if (ret < 0)
		strbuf_printf(&r->classic,
			      "Expected result %" PRIi64 " but got -1 with errno %d (%s)",
			      e->syscall.result->num, (int)-ret, strerror((int)-ret));
	else
		strbuf_printf(&r->classic, "Expected result %" PRIi64 " but got %" PRIi64,
			      e->syscall.result->num, ret);
}

bool pd_call_check(struct pd_run *r, const struct pd_call *c, s64 ret)
{
	const struct pd_event *e = c->event;
	const struct pd_expr *want = e->syscall.result;
	struct strbuf got = { 0 };
	bool ok = true;

	if (!want || want->kind != PD_X_NUMBER)
		return true;
	if (ret < 0)
		ok = want->num == -1 && (!e->syscall.error || e->syscall.error == (int)-ret);
	else
		ok = want->num == ret;
	if (ok)
		return true;
	show_result(&got, ret);
	if (r->settings->syscalls_not_fatal) {
		strbuf_printf(&r->printed, "%s:%d: %s() gave %s\n", r->script->path, e->line,
			      e->syscall.name.p, strbuf_text(&got));
		ok = true;
	} else {
		tell_classic(r, e, ret);
		pd_show_details(r, &r->details);
		pd_fail(r, e, strbuf_text(&got), e->source.p, "%s() gave another result",
			e->syscall.name.p);
	}
	strbuf_free(&got);
	return ok;
}

static bool finish(struct pd_run *r, struct pd_call *c)
{
	const struct pd_event *e = c->event;
	bool ok;

	ok = c->finish ? c->finish(r, c) : pd_call_check(r, c, c->op.ret);
	if (ok && e->time.blocking) {
		u64 last = r->last_ns;

		/* The step is the call's own. */
		r->last_ns = c->start_ns;
		ok = pd_check_time(r, e, c->end_ns, c->end_ns, c->done_ns, "the call ended");
		r->last_ns = last;
	}
	return ok;
}

static void unlink_call(struct pd_run *r, struct pd_call *c)
{
	struct pd_call **at = &r->calls;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c->data);
	free(c->control);
	free(c);
}

bool pd_finish_calls(struct pd_run *r)
{
	struct pd_call *c = r->calls;
	bool ok = true;

	while (c && ok) {
		struct pd_call *next = c->next;

		if (c->op.completed) {
			ok = finish(r, c);
			unlink_call(r, c);
		}
		c = next;
	}
	return ok;
}

static bool wait_for(struct pd_run *r, u64 limit)
{
	while (r->calls) {
		if (pd_now(r) >= limit)
			return pd_fail(r, r->calls->event, "(it still waits)",
				       r->calls->event->source.p, "the call did not end");
		if (!pd_advance(r, limit, false))
			return false;
	}
	return true;
}

bool pd_calls_wait(struct pd_run *r)
{
	u64 limit = pd_now(r);
	const struct pd_call *c;

	for (c = r->calls; c; c = c->next) {
		u64 end = c->end_ns + pd_tolerance(r, c->event, c->end_ns);

		if (end > limit)
			limit = end;
	}
	return wait_for(r, limit + !!r->calls);
}

bool pd_call_go(struct pd_run *r, struct pd_call *c, u64 at_ns)
{
	const struct pd_event *e = c->event;
	u64 base = e->time.kind == PD_TIME_RELATIVE ? at_ns - (u64)e->time.at : 0;

	c->start_ns = at_ns;
	c->end_ns = e->time.blocking ? base + (u64)e->time.end : PD_TIME_LIMIT;
	c->op.done = on_done;
	c->submitted = true;
	if (r->sut->ops->submit(r->sut, &c->op) < 0)
		return pd_fail(r, e, NULL, NULL, "%s() could not be made", e->syscall.name.p);
	if (!pd_advance(r, at_ns, false))
		return false;
	/* A stop by the end of the call leaves what else is due now. */
	while (r->sut->ops->next_event(r->sut) <= r->start_ns + at_ns) {
		if (!pd_advance(r, at_ns, false))
			return false;
	}
	return e->time.blocking || wait_for(r, PD_TIME_LIMIT);
}

s64 pd_call_now(struct pd_run *r, struct sys_op *op)
{
	op->timeout_ns = 0;
	if (r->sut->ops->submit(r->sut, op) < 0)
		return -EINVAL;
	if (!op->completed)
		r->sut->ops->run(r->sut, r->sut->ops->now(r->sut));
	if (!op->completed)
		r->sut->ops->cancel(r->sut, op);
	return op->ret;
}

/* -- Sockets -- */

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

static bool finish_fd(struct pd_run *r, struct pd_call *c)
{
	int script;

	return got_fd(r, c, &script);
}

static bool finish_socket(struct pd_run *r, struct pd_call *c)
{
	int script = -1;

	if (!got_fd(r, c, &script))
		return false;
	if (script >= 0) {
		struct pd_flow *f = pd_flow_add(r, (int)c->op.arg[2]);

		if (!f->protocol)
			f->protocol = (c->op.arg[1] & SOCK_TYPE_MASK) == SOCK_DGRAM ? IPPROTO_UDP :
										      IPPROTO_TCP;
		f->script_fd = script;
		f->live_fd = (int)c->op.ret;
		r->under_test = f;
	}
	return true;
}

static bool call_socket(struct pd_run *r, const struct pd_event *e, u64 at)
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

static struct pd_flow *flow_of_arg(struct pd_run *r, const struct pd_event *e)
{
	const struct pd_expr *x = pd_arg(e, 0);

	return x && x->kind == PD_X_NUMBER ? pd_flow_of_fd(r, (int)x->num) : NULL;
}

static bool call_bind(struct pd_run *r, const struct pd_event *e, u64 at)
{
	const struct pd_settings *s = r->settings;
	struct sock_addr here = pd_sock_addr(r, &s->local, s->bind_port);
	struct pd_flow *f = flow_of_arg(r, e);
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
	if (c->op.ret >= 0 && c->flow) {
		c->flow->state = PD_FLOW_LISTENING;
		r->under_test = c->flow;
	}
	return pd_call_check(r, c, c->op.ret);
}

static bool call_listen(struct pd_run *r, const struct pd_event *e, u64 at)
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
	c->flow = flow_of_arg(r, e);
	c->finish = finish_listen;
	return pd_call_go(r, c, at);
}

static bool finish_accept(struct pd_run *r, struct pd_call *c)
{
	int script = -1;
	size_t i;

	if (!got_fd(r, c, &script))
		return false;
	for (i = r->flow_count; script >= 0 && i--;) {
		struct pd_flow *f = r->flows[i];

		if (f->remote_port == c->op.addr.port && f->state >= PD_FLOW_SYN_RECEIVED &&
		    f->state <= PD_FLOW_SYNACK_ACKED) {
			f->script_fd = script;
			f->live_fd = (int)c->op.ret;
			r->under_test = f;
			break;
		}
	}
	return true;
}

static bool call_accept(struct pd_run *r, const struct pd_event *e, u64 at)
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

/* The flow becomes one that connects: its first packet is still to come. */
static void begin_connect(struct pd_run *r, struct pd_flow *f, const struct sock_addr *a)
{
	if (!f || a->family == AF_UNSPEC || (f->state != PD_FLOW_NEW && f->protocol == IPPROTO_TCP))
		return;
	f->state = PD_FLOW_CONNECTING;
	f->remote_port = a->port;
	r->under_test = f;
}

static bool call_connect(struct pd_run *r, const struct pd_event *e, u64 at)
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
	begin_connect(r, flow_of_arg(r, e), &c->op.addr);
	return pd_call_go(r, c, at);
}

static bool finish_close(struct pd_run *r, struct pd_call *c)
{
	s64 script = c->event->syscall.arg[0]->num;

	if (c->op.ret >= 0) {
		fd_forget(r, (int)script);
		if (c->flow)
			c->flow->script_fd = c->flow->live_fd = -1;
	}
	return pd_call_check(r, c, c->op.ret);
}

static bool call_close(struct pd_run *r, const struct pd_event *e, u64 at)
{
	struct pd_call *c;
	s32 fd;

	if (!pd_arg_count(r, e, 1, 1) || !pd_arg_fd(r, e, 0, &fd))
		return false;
	c = pd_call_new(r, e, SYS_CLOSE, 0);
	c->op.fd = fd;
	c->flow = flow_of_arg(r, e);
	c->finish = finish_close;
	return pd_call_go(r, c, at);
}

static bool call_shutdown(struct pd_run *r, const struct pd_event *e, u64 at)
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

/* -- Data -- */

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
	s64 len, flags = 0;
	struct pd_call *c;
	s32 fd;

	if (!pd_arg_fd(r, e, 0, &fd) || !pd_arg_number(r, e, 2, &len) ||
	    (flags_at && !pd_arg_number(r, e, flags_at, &flags)))
		return false;
	if (len < 0 || len > MAX_DATA)
		return pd_fail(r, e, NULL, NULL, "so many bytes are too many");
	c = pd_call_new(r, e, SYS_SENDMSG, (u32)len);
	c->op.fd = fd;
	c->op.arg[0] = (u64)(flags | s->default_send_flags);
	if (buffer->kind == PD_X_STRING)
		memcpy(c->data, buffer->text.p,
		       buffer->text.len < (size_t)len ? buffer->text.len : (size_t)len);
	else if (buffer->kind == PD_X_NULL)
		c->op.data = NULL;
	if (addr_at && pd_arg(e, addr_at)->kind != PD_X_NULL) {
		c->op.has_addr = true;
		if (!pd_arg_address(r, e, addr_at, &there, &c->op.addr))
			return false;
		if ((flags & MSG_FASTOPEN) ||
		    (flow_of_arg(r, e) && flow_of_arg(r, e)->protocol == IPPROTO_UDP))
			begin_connect(r, flow_of_arg(r, e), &c->op.addr);
	}
	return pd_call_go(r, c, at);
}

static bool call_write(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return pd_arg_count(r, e, 3, 3) && send_data(r, e, at, 0, 0);
}

static bool call_send(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return pd_arg_count(r, e, 4, 4) && send_data(r, e, at, 3, 0);
}

static bool call_sendto(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return pd_arg_count(r, e, 6, 6) && send_data(r, e, at, 3, 4);
}

static bool receive(struct pd_run *r, const struct pd_event *e, u64 at, size_t flags_at)
{
	s64 len, flags = 0;
	struct pd_call *c;
	s32 fd;

	if (!pd_arg_fd(r, e, 0, &fd) || !pd_arg_number(r, e, 2, &len) ||
	    (flags_at && !pd_arg_number(r, e, flags_at, &flags)))
		return false;
	if (len < 0 || len > MAX_DATA)
		return pd_fail(r, e, NULL, NULL, "so many bytes are too many");
	c = pd_call_new(r, e, SYS_RECVMSG, (u32)len);
	c->op.fd = fd;
	c->op.arg[0] = (u64)flags;
	return pd_call_go(r, c, at);
}

static bool call_read(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return pd_arg_count(r, e, 3, 3) && receive(r, e, at, 0);
}

static bool call_recv(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return pd_arg_count(r, e, 4, 6) && receive(r, e, at, 3);
}

/* iovec lists: the sum of what they hold. */
static bool iov_call(struct pd_run *r, const struct pd_event *e, u64 at, u32 nr)
{
	const struct pd_expr *list = pd_arg(e, 1);
	struct pd_call *c;
	u64 sum = 0;
	size_t i;
	s32 fd;

	if (!pd_arg_count(r, e, 3, 3) || !pd_arg_fd(r, e, 0, &fd))
		return false;
	if (list->kind != PD_X_LIST)
		return pd_fail(r, e, NULL, NULL, "argument 2 is no list of iovecs");
	for (i = 0; i < list->count; i++) {
		const struct pd_expr *v = list->item[i];
		const struct pd_expr *n = v->count ? v->item[v->count - 1] : NULL;

		if (n && n->kind == PD_X_FIELD)
			n = n->item[0];
		if (!n || n->kind != PD_X_NUMBER || n->num < 0 || n->num > MAX_DATA)
			return pd_fail(r, e, NULL, NULL, "iovec %zu has no length", i + 1);
		sum += (u64)n->num;
	}
	if (sum > MAX_DATA)
		return pd_fail(r, e, NULL, NULL, "so many bytes are too many");
	c = pd_call_new(r, e, nr, (u32)sum);
	c->op.fd = fd;
	return pd_call_go(r, c, at);
}

static bool call_readv(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return iov_call(r, e, at, SYS_RECVMSG);
}

static bool call_writev(struct pd_run *r, const struct pd_event *e, u64 at)
{
	return iov_call(r, e, at, SYS_SENDMSG);
}

/* -- Descriptors' own -- */

static bool call_fcntl(struct pd_run *r, const struct pd_event *e, u64 at)
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

	if (c->op.ret < 0)
		return pd_call_check(r, c, c->op.ret);
	if (x && x->kind == PD_X_LIST && x->count && x->item[0]->kind == PD_X_NUMBER &&
	    x->item[0]->num != c->op.ret) {
		strbuf_printf(&got, "[%" PRIi64 "]", c->op.ret);
		pd_fail(r, e, strbuf_text(&got), e->source.p, "ioctl() gave another value");
		strbuf_free(&got);
		return false;
	}
	return pd_call_check(r, c, 0);
}

static bool call_ioctl(struct pd_run *r, const struct pd_event *e, u64 at)
{
	struct pd_call *c;
	s64 request;
	s32 fd;

	if (!pd_arg_count(r, e, 2, 3) || !pd_arg_fd(r, e, 0, &fd) ||
	    !pd_arg_number(r, e, 1, &request))
		return false;
	c = pd_call_new(r, e, SYS_IOCTL, 0);
	c->op.fd = fd;
	c->op.arg[0] = (u64)request;
	c->finish = finish_ioctl;
	return pd_call_go(r, c, at);
}

static bool call_epoll_create(struct pd_run *r, const struct pd_event *e, u64 at)
{
	struct pd_call *c;

	if (!pd_arg_count(r, e, 1, 1))
		return false;
	c = pd_call_new(r, e, SYS_EPOLL_CREATE, 0);
	c->finish = finish_fd;
	return pd_call_go(r, c, at);
}

/* -- All of them -- */

static const struct {
	const char *name;
	bool (*run)(struct pd_run *r, const struct pd_event *e, u64 at);
} calls[] = {
	{ "socket", call_socket },
	{ "bind", call_bind },
	{ "listen", call_listen },
	{ "accept", call_accept },
	{ "accept4", call_accept },
	{ "connect", call_connect },
	{ "close", call_close },
	{ "shutdown", call_shutdown },
	{ "write", call_write },
	{ "send", call_send },
	{ "sendto", call_sendto },
	{ "writev", call_writev },
	{ "sendmsg", pd_call_sendmsg },
	{ "read", call_read },
	{ "recv", call_recv },
	{ "recvfrom", call_recv },
	{ "readv", call_readv },
	{ "recvmsg", pd_call_recvmsg },
	{ "fcntl", call_fcntl },
	{ "ioctl", call_ioctl },
	{ "getsockopt", pd_call_getsockopt },
	{ "setsockopt", pd_call_setsockopt },
	{ "poll", pd_call_poll },
	{ "epoll_create", call_epoll_create },
	{ "epoll_create1", call_epoll_create },
	{ "epoll_ctl", pd_call_epoll_ctl },
	{ "epoll_wait", pd_call_epoll_wait },
};

bool pd_call_run(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	struct strbuf text = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (strcmp(calls[i].name, e->syscall.name.p) == 0)
			return calls[i].run(r, e, at_ns);
	}
	strbuf_printf(&text, "no system call '%s' here", e->syscall.name.p);
	pd_skip(r, strbuf_text(&text));
	strbuf_free(&text);
	return false;
}
