/* SPDX-License-Identifier: MIT */
/* System calls on what is no socket as Lua: pipes, splice, sendfile, open. */
#include "convert/pkt_write.h"

#include "convert/notation.h"

#include <inttypes.h>
#include <stdlib.h>

/* A descriptor in a list: what pipe() fills in. */
static s64 listed(const struct pd_expr *x, size_t i)
{
	return x && x->kind == PD_X_LIST && i < x->count && x->item[i]->kind == PD_X_NUMBER ?
		       x->item[i]->num :
		       -1;
}

bool pkt_pipe(struct pkt_writer *w)
{
	const struct pd_expr *list = pd_arg(w->event, 0);
	s64 end[2] = { listed(list, 0), listed(list, 1) };
	s64 flags = 0;
	size_t i;

	if (pkt_any_result(w) || pkt_result(w) ||
	    (w->event->syscall.argc == 2 && !pkt_number_argument(w, 1, 0, &flags)))
		return pkt_fail(w, w->event->line, w->event->syscall.name.p,
				"is not in a form that Lua has (a pipe that is made)");
	for (i = 0; i < 2; i++) {
		if (end[i] < 0 || end[i] >= PKT_MAX_FD)
			return pkt_fail(w, w->event->line, w->event->syscall.name.p,
					"has no two descriptors");
		if (!w->declared[end[i]])
			strbuf_printf(w->out, "%slocal s%" PRIi64 "\n", w->indent, end[i]);
		w->declared[end[i]] = true;
		w->fd[end[i]] = PKT_FD_SOCKET;
	}
	strbuf_printf(w->out, "%ss%" PRIi64 ", s%" PRIi64 " = p.host:pipe(%s)\n", w->indent, end[0],
		      end[1], flags & O_NONBLOCK ? "{ nonblock = true }" : "");
	return true;
}

bool pkt_splice(struct pkt_writer *w)
{
	struct strbuf socket = { 0 }, args = { 0 };
	s64 len, flags;
	bool ok = pkt_socket(w, 0, &socket) && pkt_socket(w, 2, &args) &&
		  pkt_number_argument(w, 4, 0, &len) && pkt_number_argument(w, 5, 0, &flags);

	if (ok) {
		strbuf_printf(&args, ", %" PRIi64, len);
		pkt_put_flags(w, 5, false, &args);
		if (flags)
			strbuf_puts(&args, " }");
		pkt_put_counted(w, socket.data, "splice", args.data);
	}
	strbuf_free(&socket);
	strbuf_free(&args);
	return ok;
}

bool pkt_sendfile(struct pkt_writer *w)
{
	struct strbuf socket = { 0 }, args = { 0 };
	s64 len, offset = listed(pd_arg(w->event, 2), 0);
	bool ok = pkt_socket(w, 0, &socket) && pkt_socket(w, 1, &args) &&
		  pkt_number_argument(w, 3, 0, &len);

	if (ok) {
		strbuf_printf(&args, ", %" PRIi64, len);
		if (offset >= 0)
			strbuf_printf(&args, ", %" PRIi64, offset);
		pkt_put_counted(w, socket.data, "sendfile", args.data);
	}
	strbuf_free(&socket);
	strbuf_free(&args);
	return ok;
}

bool pkt_open(struct pkt_writer *w)
{
	const struct pd_expr *path = pd_arg(w->event, 0);

	if (!path || path->kind != PD_X_STRING)
		return pkt_fail(w, w->event->line, w->event->syscall.name.p, "has no path");
	if (pkt_given_fd(w) < 0) {
		strbuf_printf(w->out, "%st:ok(not p:open(", w->indent);
		notation_line(w->out, path->text.p);
		strbuf_puts(w->out, "))\n");
		return true;
	}
	if (!pkt_put_fd(w, pkt_given_fd(w), PKT_FD_SOCKET))
		return false;
	strbuf_puts(w->out, "p:open(");
	notation_line(w->out, path->text.p);
	strbuf_puts(w->out, ")\n");
	return true;
}
