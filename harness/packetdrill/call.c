/* SPDX-License-Identifier: MIT */
/*
 * System calls of a script: arguments, descriptors, submission, the result held against what the
 * script says. A call that the script does not mark as blocking holds the script up until it is
 * done, as it would hold packetdrill up.
 */
#include "packetdrill/call.h"

#include "base/suggest.h"
#include "packetdrill/front.h"
#include "stack/errno.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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

void pd_fd_forget(struct pd_run *r, int script)
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

bool pd_arg_null(const struct pd_event *e, size_t i)
{
	const struct pd_expr *x = pd_arg(e, i);

	return x && x->kind == PD_X_NULL;
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

/* The text among arguments: inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), inet_addr("..."). */
static const struct pd_expr *text_argument(const struct pd_expr *call)
{
	for (size_t i = 0; i < call->count; i++) {
		if (call->item[i]->kind == PD_X_STRING)
			return call->item[i];
	}
	return call->count ? call->item[call->count - 1] : NULL;
}

/* A call inside of a struct: htons(80), inet_addr("192.0.2.1"). */
static bool call_value(const struct pd_expr *x, struct sock_addr *a)
{
	struct pd_address address;
	const struct pd_expr *arg = text_argument(x);

	if (arg && arg->kind == PD_X_NUMBER) {
		/* htonl() is of the flow label. */
		if (strcmp(x->text.p, "htons") == 0)
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
	/* A family alone: "connect(4, AF_UNSPEC, ...)". */
	if (x->kind == PD_X_NUMBER) {
		out->family = (u16)x->num;
		return true;
	}
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

	if (!want || want->kind != PD_X_NUMBER || r->recorder)
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

	if (c->of_nothing && c->op.ret > 0)
		c->op.ret = 0;
	if (r->watch)
		r->watch->result(r->watch->ctx, e, c->op.ret);
	if (r->recorder)
		pd_record_result(r, c);
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

/* -- All of them -- */

static const struct {
	const char *name;
	pd_call_function *run;
} calls[] = {
	{ "socket", pd_call_socket },
	{ "bind", pd_call_bind },
	{ "listen", pd_call_listen },
	{ "accept", pd_call_accept },
	{ "accept4", pd_call_accept },
	{ "connect", pd_call_connect },
	{ "close", pd_call_close },
	{ "shutdown", pd_call_shutdown },
	{ "write", pd_call_write },
	{ "send", pd_call_send },
	{ "sendto", pd_call_sendto },
	{ "writev", pd_call_writev },
	{ "sendmsg", pd_call_sendmsg },
	{ "read", pd_call_read },
	{ "recv", pd_call_recv },
	{ "recvfrom", pd_call_recv },
	{ "readv", pd_call_readv },
	{ "recvmsg", pd_call_recvmsg },
	{ "fcntl", pd_call_fcntl },
	{ "ioctl", pd_call_ioctl },
	{ "getsockopt", pd_call_getsockopt },
	{ "setsockopt", pd_call_setsockopt },
	{ "poll", pd_call_poll },
	{ "pipe", pd_call_pipe },
	{ "pipe2", pd_call_pipe },
	{ "splice", pd_call_splice },
	{ "sendfile", pd_call_sendfile },
	{ "open", pd_call_open },
	{ "epoll_create", pd_call_epoll_create },
	{ "epoll_create1", pd_call_epoll_create },
	{ "epoll_ctl", pd_call_epoll_ctl },
	{ "epoll_wait", pd_call_epoll_wait },
};

bool pd_call_run(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	struct strbuf text = { 0 };
	const char *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (strcmp(calls[i].name, e->syscall.name.p) == 0)
			return calls[i].run(r, e, at_ns);
	}
	near = suggest_entry(e->syscall.name.p, calls, ARRAY_SIZE(calls), sizeof(calls[0]));
	strbuf_printf(&text, "no system call '%s' here", e->syscall.name.p);
	if (near)
		strbuf_printf(&text, "; did you mean '%s'?", near);
	pd_skip(r, strbuf_text(&text));
	strbuf_free(&text);
	return false;
}
