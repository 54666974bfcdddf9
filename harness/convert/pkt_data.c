/* SPDX-License-Identifier: MIT */
/* Calls whose arguments are structs, as Lua: messages, poll, epoll, socket options. */
#include "convert/pkt_write.h"

#include "convert/notation.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static bool unknown(struct pkt_writer *w, const char *why)
{
	return pkt_fail(w, w->event->line, w->event->syscall.name.p, why);
}

static s64 field(const struct pd_expr *x, const char *name, s64 otherwise)
{
	const struct pd_expr *v = pd_expr_field(x, name);

	return v && v->kind == PD_X_NUMBER ? v->num : otherwise;
}

static void put_field(struct pkt_writer *w, const struct pd_expr *x, const char *name,
		      struct strbuf *out)
{
	const struct pd_expr *v = pd_expr_field(x, name);

	if (v && v->kind == PD_X_NUMBER)
		pkt_number(w, v, out);
	else
		strbuf_puts(out, "0");
}

/* -- Control messages -- */

static void put_error_struct(struct pkt_writer *w, const struct pd_expr *x, struct strbuf *out)
{
	size_t i;

	strbuf_puts(out, "packetdrill.sock_extended_err {");
	for (i = 0; i < x->count; i++) {
		const struct pd_expr *f = x->item[i];

		if (f->kind != PD_X_FIELD || f->item[0]->kind != PD_X_NUMBER)
			continue;
		strbuf_printf(out, "%s %s = ", i ? "," : "", f->text.p);
		pkt_number(w, f->item[0], out);
	}
	strbuf_puts(out, " }");
}

/* What cmsg_data holds; nothing where any is right. */
static bool put_cmsg_data(struct pkt_writer *w, const struct pd_expr *data, struct strbuf *out)
{
	struct strbuf bytes = { 0 };
	bool ok = true;

	if (!data || data->kind == PD_X_ELLIPSIS)
		return true;
	strbuf_puts(out, ", ");
	if (data->kind == PD_X_NUMBER) {
		pkt_number(w, data, out);
	} else if (data->kind == PD_X_STRUCT && pd_expr_field(data, "ee_errno")) {
		put_error_struct(w, data, out);
	} else if (data->kind == PD_X_STRUCT && pd_expr_field(data, "scm_sec")) {
		strbuf_printf(out, "{ time = %" PRIi64 " }",
			      field(data, "scm_sec", 0) * 1000000000 + field(data, "scm_nsec", 0));
	} else {
		ok = pd_value_bytes(&w->none, w->event, data, 4, &bytes) ||
		     unknown(w, "has a control message that is not understood");
		if (ok)
			notation_string(out, (const u8 *)strbuf_text(&bytes), bytes.len);
	}
	strbuf_free(&bytes);
	return ok;
}

/* `{ { C.SOL_IP, C.IP_TTL, 3 }, ... }` */
static bool put_control(struct pkt_writer *w, const struct pd_expr *list, struct strbuf *out)
{
	size_t i;

	strbuf_puts(out, "{");
	for (i = 0; i < list->count; i++) {
		strbuf_puts(out, i ? ", { " : " { ");
		put_field(w, list->item[i], "cmsg_level", out);
		strbuf_puts(out, ", ");
		put_field(w, list->item[i], "cmsg_type", out);
		if (!put_cmsg_data(w, pd_expr_field(list->item[i], "cmsg_data"), out))
			return false;
		strbuf_puts(out, " }");
	}
	strbuf_puts(out, list->count ? " }" : "}");
	return true;
}

/* -- Messages -- */

static const struct pd_expr *control_of(const struct pd_expr *msg)
{
	const struct pd_expr *list = pd_expr_field(msg, "msg_control");

	return list && list->kind == PD_X_LIST ? list : NULL;
}

static void put_flags(struct pkt_writer *w, s64 always, struct strbuf *out)
{
	const struct pd_expr *x = pd_arg(w->event, 2);
	bool some = x && x->kind == PD_X_NUMBER && x->num;

	if (!some && !always)
		return;
	strbuf_puts(out, ", flags = ");
	if (some)
		pkt_number(w, x, out);
	if (always)
		strbuf_printf(out, "%s0x%" PRIx64, some ? " | " : "", (u64)always);
}

static bool message(struct pkt_writer *w, const struct pd_expr **msg, u32 *len, u32 *piece)
{
	*msg = pd_arg(w->event, 1);
	return (*msg && (*msg)->kind == PD_X_STRUCT &&
		pd_iov_sum(&w->none, w->event, pd_expr_field(*msg, "msg_iov"), len, piece)) ||
	       unknown(w, "has no message with iovecs");
}

bool pkt_sendmsg(struct pkt_writer *w)
{
	struct strbuf socket = { 0 }, options = { 0 }, args = { 0 };
	const struct pd_expr *msg, *list;
	u32 len, piece;
	bool ok = message(w, &msg, &len, &piece) && pkt_socket(w, 0, &socket);

	if (ok) {
		list = control_of(msg);
		pkt_data(NULL, len, &args);
		put_flags(w, w->settings->default_send_flags, &options);
		if (pd_iov_null(pd_expr_field(msg, "msg_iov")))
			strbuf_puts(&options, ", fault = true");
		if (piece)
			strbuf_printf(&options, ", piece = %" PRIu32, piece);
		if (list && list->count) {
			strbuf_puts(&options, ", control = packetdrill.control ");
			ok = put_control(w, list, &options);
		}
		if (options.len)
			strbuf_printf(&args, ", {%s }", options.data + 1);
	}
	if (!ok)
		;
	else if (pkt_any_result(w))
		strbuf_printf(w->out, "%s%s:try(\"send\", %s)\n", w->indent, socket.data,
			      args.data);
	else if (!pkt_put_error(w, socket.data, "send", args.data))
		strbuf_printf(w->out, "%st:is(%s:send(%s), %" PRIi64 ")\n", w->indent, socket.data,
			      args.data, pkt_result(w));
	strbuf_free(&socket);
	strbuf_free(&options);
	strbuf_free(&args);
	return ok;
}

bool pkt_recvmsg(struct pkt_writer *w)
{
	struct strbuf socket = { 0 }, args = { 0 }, control = { 0 };
	const struct pd_expr *msg, *list, *flags;
	u32 len, piece;
	bool ok = message(w, &msg, &len, &piece) && pkt_socket(w, 0, &socket);

	if (ok) {
		list = control_of(msg);
		flags = pd_expr_field(msg, "msg_flags");
		strbuf_printf(&args, "{ size = %" PRIu32 ", control_size = 1024", len);
		put_flags(w, 0, &args);
		if (pd_iov_null(pd_expr_field(msg, "msg_iov")))
			strbuf_puts(&args, ", fault = true");
		strbuf_puts(&args, " }");
		if (pkt_put_error(w, socket.data, "recv", args.data))
			goto out;
		strbuf_printf(w->out, "%sdo\n%s  local _, got = %s:recv %s\n", w->indent, w->indent,
			      socket.data, args.data);
		if (!pkt_any_result(w))
			strbuf_printf(w->out, "%s  t:is(got.length, %" PRIi64 ")\n", w->indent,
				      pkt_result(w));
		if (flags && flags->kind == PD_X_NUMBER) {
			strbuf_printf(w->out, "%s  t:is(got.flags, ", w->indent);
			pkt_number(w, flags, w->out);
			strbuf_puts(w->out, ")\n");
		}
		ok = !list || put_control(w, list, &control);
		if (list)
			strbuf_printf(w->out, "%s  p:control_is(got.control, %s)\n", w->indent,
				      strbuf_text(&control));
		strbuf_printf(w->out, "%send\n", w->indent);
	}
out:
	strbuf_free(&socket);
	strbuf_free(&args);
	strbuf_free(&control);
	return ok;
}

/* -- poll -- */

static bool put_pollfd(struct pkt_writer *w, const struct pd_expr *x, struct strbuf *asked,
		       struct strbuf *wanted)
{
	s64 revents = field(x, "revents", -1);

	strbuf_puts(asked, "{ ");
	pkt_socket_name(w, field(x, "fd", -1), asked);
	strbuf_puts(asked, ", ");
	if (!pkt_poll_names((u64)field(x, "events", 0), false, asked))
		return unknown(w, "asks for an event that the library has no name for");
	strbuf_puts(asked, " }");
	if (revents < 0)
		return unknown(w, "does not say what events come");
	return pkt_poll_set((u64)revents, wanted) ||
	       unknown(w, "wants an event that the library has no name for");
}

static void put_timeout(s64 ms, struct strbuf *out)
{
	if (ms >= 0)
		strbuf_printf(out, "\"%" PRIi64 "ms\"", ms);
	else
		strbuf_puts(out, "nil");
}

bool pkt_poll(struct pkt_writer *w)
{
	const struct pd_expr *list = pd_arg(w->event, 0), *x = pd_arg(w->event, 2);
	struct strbuf asked = { 0 }, wanted = { 0 };
	bool ok = list && list->kind == PD_X_LIST && list->count && x && x->kind == PD_X_NUMBER;
	size_t i;

	if (!ok || pkt_any_result(w) || pkt_result(w) < 0)
		ok = unknown(w, "is not in a form that Lua has (a list, and a result)");
	for (i = 0; ok && i < list->count; i++) {
		strbuf_puts(&asked, i ? ", " : "");
		strbuf_puts(&wanted, i ? ", " : "");
		ok = put_pollfd(w, list->item[i], &asked, &wanted);
	}
	if (ok) {
		strbuf_printf(w->out, "%st:is(net.poll({ %s }, ", w->indent, asked.data);
		put_timeout(x->num, w->out);
		strbuf_printf(w->out, "), { %s })\n", wanted.data);
	}
	strbuf_free(&asked);
	strbuf_free(&wanted);
	return ok;
}

/* -- epoll -- */

static s64 epoll_data(const struct pd_expr *x)
{
	static const char *const names[] = { "fd", "ptr", "u32", "u64" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (pd_expr_field(x, names[i]))
			return field(x, names[i], 0);
	}
	return 0;
}

bool pkt_epoll_ctl(struct pkt_writer *w)
{
	static const char *const names[] = { NULL, "add", "del", "mod" };
	const struct pd_expr *command = pd_arg(w->event, 1), *fd = pd_arg(w->event, 2);
	const struct pd_expr *x = pd_arg(w->event, 3);
	struct strbuf set = { 0 }, args = { 0 };
	bool ok = pkt_socket(w, 0, &set) && pkt_socket(w, 2, &args);

	if (ok &&
	    (!command || command->kind != PD_X_NUMBER || command->num < 1 || command->num > 3 ||
	     fd->num < 0 || fd->num >= PKT_MAX_FD || (!pkt_any_result(w) && pkt_result(w))))
		ok = unknown(w, "is not in a form that Lua has (add, mod or del that succeeds)");
	if (ok && x && x->kind == PD_X_STRUCT) {
		w->epoll_data[fd->num] = epoll_data(x);
		strbuf_puts(&args, ", ");
		ok = pkt_poll_names((u64)field(x, "events", 0), true, &args) ||
		     unknown(w, "asks for an event that the library has no name for");
	}
	if (ok)
		strbuf_printf(w->out, "%s%s:%s(%s)\n", w->indent, set.data, names[command->num],
			      args.data);
	strbuf_free(&set);
	strbuf_free(&args);
	return ok;
}

/* The socket for which a set gives this number. */
static s64 watched_fd(const struct pkt_writer *w, s64 data)
{
	s64 fd;

	if (data >= 0 && data < PKT_MAX_FD && w->fd[data] && w->epoll_data[data] == data)
		return data;
	for (fd = 0; fd < PKT_MAX_FD; fd++) {
		if (w->fd[fd] && w->epoll_data[fd] == data)
			return fd;
	}
	return -1;
}

static bool put_ready(struct pkt_writer *w, const struct pd_expr *x, struct strbuf *out)
{
	s64 fd = watched_fd(w, epoll_data(x));

	if (fd < 0)
		return unknown(w, "gives data that no epoll_ctl() has set");
	strbuf_puts(out, "{ socket = ");
	pkt_socket_name(w, fd, out);
	strbuf_puts(out, ", events = ");
	if (!pkt_poll_set((u64)field(x, "events", 0), out))
		return unknown(w, "gives an event that the library has no name for");
	strbuf_puts(out, " }");
	return true;
}

bool pkt_epoll_wait(struct pkt_writer *w)
{
	const struct pd_expr *x = pd_arg(w->event, 1), *max = pd_arg(w->event, 2);
	const struct pd_expr *timeout = pd_arg(w->event, 3);
	struct strbuf set = { 0 }, wanted = { 0 };
	size_t i, given = x && x->kind == PD_X_LIST ? x->count : 1;
	bool ok = pkt_socket(w, 0, &set);

	if (ok && (pkt_any_result(w) || pkt_result(w) < 0 ||
		   (pkt_result(w) > 0 && (size_t)pkt_result(w) != given)))
		ok = unknown(w, "is not in a form that Lua has (as many events as come)");
	for (i = 0; ok && i < (size_t)pkt_result(w); i++) {
		const struct pd_expr *one = x->kind == PD_X_LIST ? x->item[i] : x;

		strbuf_puts(&wanted, i ? ", " : " ");
		ok = one->kind == PD_X_STRUCT ? put_ready(w, one, &wanted) :
						unknown(w, "does not say what events come");
	}
	if (ok) {
		strbuf_printf(w->out, "%st:is(%s:wait(", w->indent, set.data);
		put_timeout(timeout && timeout->kind == PD_X_NUMBER ? timeout->num : -1, w->out);
		strbuf_printf(w->out, ", %" PRIi64 "), {%s%s})\n", max->num, strbuf_text(&wanted),
			      wanted.len ? " " : "");
	}
	strbuf_free(&set);
	strbuf_free(&wanted);
	return ok;
}

/* -- Options -- */

/* `"SO_RCVBUF"`, or `{ LEVEL, NUMBER }` where the name says another level. */
static bool put_option(struct pkt_writer *w, struct strbuf *out, const char **name)
{
	static const struct {
		const char *prefix;
		s64 level;
	} levels[] = { { "SO_", 1 }, { "IP_", 0 }, { "TCP_", 6 }, { "UDP_", 17 }, { "IPV6_", 41 } };
	const struct pd_expr *level = pd_arg(w->event, 1), *x = pd_arg(w->event, 2);
	size_t i;
	s64 value;

	*name = "";
	if (!level || level->kind != PD_X_NUMBER || !x || x->kind != PD_X_NUMBER)
		return unknown(w, "has no level and option");
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		const char *text = x->text.p;

		if (!x->text.len || levels[i].level != level->num ||
		    strncmp(text, levels[i].prefix, strlen(levels[i].prefix)) != 0 ||
		    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != strlen(text) ||
		    !pd_symbol_find(text, strlen(text), &value) || value != x->num)
			continue;
		*name = text;
		strbuf_printf(out, "\"%s\"", text);
		return true;
	}
	strbuf_puts(out, "{ ");
	pkt_number(w, level, out);
	strbuf_puts(out, ", ");
	pkt_number(w, x, out);
	strbuf_puts(out, " }");
	return true;
}

static bool is_time(const char *name)
{
	return strcmp(name, "SO_RCVTIMEO") == 0 || strcmp(name, "SO_SNDTIMEO") == 0;
}

/* The inside of "[x]". */
static const struct pd_expr *bare(const struct pd_expr *x)
{
	return x && x->kind == PD_X_LIST && x->count == 1 ? x->item[0] : x;
}

static bool put_option_value(struct pkt_writer *w, const char *name, const struct pd_expr *x,
			     s64 len, struct strbuf *out)
{
	struct strbuf bytes = { 0 };
	bool ok = true;

	x = bare(x);
	if (x->kind == PD_X_NUMBER && len == 4) {
		pkt_number(w, x, out);
	} else if (x->kind == PD_X_STRUCT && pd_expr_field(x, "tv_sec") && is_time(name)) {
		strbuf_printf(out, "\"%" PRIi64 "us\"",
			      field(x, "tv_sec", 0) * 1000000 + field(x, "tv_usec", 0));
	} else if (x->kind == PD_X_STRUCT && len == 8 &&
		   (pd_expr_field(x, "onoff") || pd_expr_field(x, "l_onoff"))) {
		bool l = pd_expr_field(x, "l_onoff");

		strbuf_printf(out, "{ %" PRIi64 ", %" PRIi64 " }",
			      field(x, l ? "l_onoff" : "onoff", 0),
			      field(x, l ? "l_linger" : "linger", 0));
	} else {
		ok = (len >= 0 && len <= 4096 &&
		      pd_value_bytes(&w->none, w->event, x, (u32)len, &bytes)) ||
		     unknown(w, "has a value that is not understood");
		while (ok && bytes.len < (size_t)len)
			strbuf_putc(&bytes, 0);
		if (ok)
			notation_string(out, (const u8 *)strbuf_text(&bytes), (size_t)len);
	}
	strbuf_free(&bytes);
	return ok;
}

bool pkt_setsockopt(struct pkt_writer *w)
{
	const struct pd_expr *len = pd_arg(w->event, 4);
	struct strbuf socket = { 0 }, args = { 0 };
	const char *name;
	bool ok = pkt_socket(w, 0, &socket) && put_option(w, &args, &name);

	if (ok && pd_arg_null(w->event, 3) && len && len->num)
		ok = unknown(w, "has a NULL pointer for a value");
	if (ok && (!len || len->kind != PD_X_NUMBER))
		ok = unknown(w, "has no length");
	if (ok) {
		strbuf_puts(&args, ", ");
		ok = put_option_value(w, name, pd_arg(w->event, 3), len->num, &args);
	}
	ok = ok && pkt_put_call(w, socket.data, "option", args.data);
	strbuf_free(&socket);
	strbuf_free(&args);
	return ok;
}

bool pkt_getsockopt(struct pkt_writer *w)
{
	const struct pd_expr *x = bare(pd_arg(w->event, 3)), *room = bare(pd_arg(w->event, 4));
	s64 len = room && room->kind == PD_X_NUMBER ? room->num : -1;
	struct strbuf socket = { 0 }, args = { 0 }, value = { 0 }, bytes = { 0 };
	const char *name;
	bool ok = pkt_socket(w, 0, &socket) && put_option(w, &args, &name);

	if (ok && pd_arg_null(w->event, 3) && len)
		ok = unknown(w, "has a NULL pointer for a value");
	if (!ok || pkt_put_error(w, socket.data, "option", args.data))
		goto out;
	if (len >= 0 && len != 4 && !is_time(name))
		strbuf_printf(&args, ", nil, %" PRIi64, len);
	if (!x || x->kind == PD_X_ELLIPSIS || x->kind == PD_X_NULL) {
		strbuf_printf(w->out, "%s%s:option(%s)\n", w->indent, socket.data, args.data);
	} else if (is_time(name)) {
		ok = (x->kind == PD_X_STRUCT && pd_expr_field(x, "tv_sec")) ||
		     unknown(w, "has a value that is not understood");
		strbuf_printf(w->out, "%st:is(%s:option(%s), %" PRIi64 ")\n", w->indent,
			      socket.data, args.data,
			      field(x, "tv_sec", 0) * 1000000000 + field(x, "tv_usec", 0) * 1000);
	} else if (x->kind == PD_X_NUMBER && (len == 4 || len < 0)) {
		ok = put_option_value(w, name, x, 4, &value);
		strbuf_printf(w->out, "%st:is(%s:option(%s), %s)\n", w->indent, socket.data,
			      args.data, strbuf_text(&value));
	} else {
		ok = (len != 4 && pd_value_bytes(&w->none, w->event, x,
						 (u32)(len < 0 ? w->here->result : len), &bytes)) ||
		     unknown(w, "has a value that is not understood");
		if (ok)
			notation_string(&value, (const u8 *)strbuf_text(&bytes), bytes.len);
		strbuf_printf(w->out, "%st:is(%s:option(%s):sub(1, %zu), %s)\n", w->indent,
			      socket.data, args.data, bytes.len, strbuf_text(&value));
	}
out:
	strbuf_free(&socket);
	strbuf_free(&args);
	strbuf_free(&value);
	strbuf_free(&bytes);
	return ok;
}
