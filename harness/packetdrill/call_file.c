/* SPDX-License-Identifier: MIT */
/*
 * Calls on files that are no sockets: pipe, splice, sendfile, open. A file that open() names is one
 * that the script's commands wrote, /dev/zero or /dev/null; it becomes a file in the host's memory.
 */
#include "packetdrill/call.h"
#include "packetdrill/commands.h"

#include "stack/errno.h"

#include <string.h>

/* A number in a list ("[5, 6]", "[0]"); false: it has none there. */
static bool list_number(const struct pd_expr *x, size_t i, s64 *out)
{
	if (!x || x->kind != PD_X_LIST || i >= x->count || x->item[i]->kind != PD_X_NUMBER)
		return false;
	*out = x->item[i]->num;
	return true;
}

static bool finish_pipe(struct pd_run *r, struct pd_call *c)
{
	const struct pd_expr *list = pd_arg(c->event, 0);
	s64 in, out;

	if (c->op.ret < 0)
		return pd_call_check(r, c, c->op.ret);
	if (list_number(list, 0, &in) && list_number(list, 1, &out)) {
		pd_fd_set(r, (int)in, (int)(u32)c->op.ret);
		pd_fd_set(r, (int)out, (int)((u64)c->op.ret >> 32));
	}
	return pd_call_check(r, c, 0);
}

bool pd_call_pipe(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	struct pd_call *c;
	s64 flags = 0;

	if (!pd_arg_count(r, e, 1, 2) || (e->syscall.argc == 2 && !pd_arg_number(r, e, 1, &flags)))
		return false;
	c = pd_call_new(r, e, SYS_PIPE, 0);
	c->op.arg[0] = (u64)flags;
	c->finish = finish_pipe;
	return pd_call_go(r, c, at_ns);
}

/* splice(in, NULL, out, NULL, bytes, flags) */
bool pd_call_splice(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	struct pd_call *c;
	s64 len, flags;
	s32 in, out;

	if (!pd_arg_count(r, e, 6, 6) || !pd_arg_fd(r, e, 0, &in) || !pd_arg_fd(r, e, 2, &out) ||
	    !pd_arg_number(r, e, 4, &len) || !pd_arg_number(r, e, 5, &flags))
		return false;
	c = pd_call_new(r, e, SYS_SPLICE, 0);
	c->op.fd = in;
	c->op.arg[0] = (u64)out;
	c->op.arg[1] = (u64)len;
	c->op.arg[2] = (u64)flags;
	return pd_call_go(r, c, at_ns);
}

/* sendfile(out, in, [offset] or NULL, bytes) */
bool pd_call_sendfile(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	struct pd_call *c;
	s64 len, offset = -1;
	s32 in, out;

	if (!pd_arg_count(r, e, 4, 4) || !pd_arg_fd(r, e, 0, &out) || !pd_arg_fd(r, e, 1, &in) ||
	    !pd_arg_number(r, e, 3, &len))
		return false;
	(void)list_number(pd_arg(e, 2), 0, &offset);
	c = pd_call_new(r, e, SYS_SENDFILE, 0);
	c->op.fd = out;
	c->op.arg[0] = (u64)in;
	c->op.arg[1] = (u64)offset;
	c->op.arg[2] = (u64)len;
	return pd_call_go(r, c, at_ns);
}

static bool finish_open(struct pd_run *r, struct pd_call *c)
{
	const struct pd_expr *want = c->event->syscall.result;

	if (c->op.ret < 0 || !want || want->kind != PD_X_NUMBER || want->num < 0)
		return pd_call_check(r, c, c->op.ret);
	pd_fd_set(r, (int)want->num, (int)c->op.ret);
	return true;
}

/* open("path", flags[, mode]) */
bool pd_call_open(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	const struct pd_expr *path = pd_arg(e, 0);
	struct strbuf bytes = { 0 };
	struct pd_call *c;
	bool zeros;

	if (!pd_arg_count(r, e, 1, 3))
		return false;
	if (path->kind != PD_X_STRING)
		return pd_fail(r, e, NULL, NULL, "argument 1 of open() is no path");
	zeros = strcmp(path->text.p, "/dev/zero") == 0;
	if (!zeros && pd_shell_file_read(r->shell, path->text.p, &bytes)) {
		strbuf_free(&bytes);
		c = pd_call_new(r, e, SYS_MEMFD, 0);
		c->op.completed = true;
		c->op.ret = -ENOENT;
		return true;
	}
	c = pd_call_new(r, e, SYS_MEMFD, (u32)bytes.len);
	if (bytes.len)
		memcpy(c->data, bytes.data, bytes.len);
	strbuf_free(&bytes);
	c->op.arg[0] = zeros;
	c->finish = finish_open;
	return pd_call_go(r, c, at_ns);
}
