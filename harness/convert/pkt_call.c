/* SPDX-License-Identifier: MIT */
/*
 * System calls as calls of socket objects. One that succeeds with 0 raises an error by itself when
 * it fails; other results are asserted; an error is asserted by its name.
 */
#include "convert/pkt_write.h"

#include "convert/notation.h"
#include "stack/errno.h"

#include <inttypes.h>
#include <string.h>

#define MAX_RECV (1u << 24) /* of one read of the library */

/* -- Results -- */

bool pkt_any_result(const struct pkt_writer *w)
{
	const struct pd_expr *x = w->event->syscall.result;

	return !x || x->kind != PD_X_NUMBER || w->settings->syscalls_not_fatal;
}

s64 pkt_result(const struct pkt_writer *w)
{
	return w->event->syscall.result->num;
}

/* The errno that the call must give: the script's, or what it gave where the script has to fail. */
static int wanted_error(const struct pkt_writer *w)
{
	const struct pd_event *last = &w->script->event[w->script->events - 1];

	if (w->fails && w->here->has_result && w->here->result < 0 &&
	    (w->event == last || w->event->syscall.result->num >= 0))
		return (int)-w->here->result;
	return w->event->syscall.error;
}

bool pkt_put_error(struct pkt_writer *w, const char *socket, const char *name, const char *args)
{
	const char *comma = *args ? ", " : "";
	int error;

	if (pkt_any_result(w))
		return false;
	error = wanted_error(w);
	if (pkt_result(w) != -1 && !error)
		return false;
	if (error)
		strbuf_printf(w->out, "%st:is(select(2, %s:try(\"%s\"%s%s)), \"%s\")\n", w->indent,
			      socket, name, comma, args, pd_errno_name(error));
	else
		strbuf_printf(w->out, "%st:ok(not %s:try(\"%s\"%s%s))\n", w->indent, socket, name,
			      comma, args);
	return true;
}

bool pkt_put_call(struct pkt_writer *w, const char *socket, const char *name, const char *args)
{
	if (pkt_any_result(w)) {
		strbuf_printf(w->out, "%s%s:try(\"%s\"%s%s)\n", w->indent, socket, name,
			      *args ? ", " : "", args);
		return true;
	}
	if (pkt_put_error(w, socket, name, args))
		return true;
	if (pkt_result(w))
		return pkt_fail(w, w->event->line, w->event->syscall.name.p,
				"gives 0 when it succeeds, not this");
	strbuf_printf(w->out, "%s%s:%s(%s)\n", w->indent, socket, name, args);
	return true;
}

/* -- Sockets -- */

/* `local s4 = `, or `s4 = ` where there is such a local. */
bool pkt_put_fd(struct pkt_writer *w, s64 fd, enum pkt_fd kind)
{
	bool new_one;

	if (fd < 0 || fd >= PKT_MAX_FD)
		return pkt_fail(w, w->event->line, w->event->syscall.name.p,
				"gives a descriptor beyond 1023");
	new_one = !w->declared[fd] || (w->fd[fd] && w->fd[fd] != kind);
	w->declared[fd] = true;
	w->fd[fd] = (u8)kind;
	strbuf_printf(w->out, "%s%s%c%" PRIi64 " = ", w->indent, new_one ? "local " : "",
		      kind == PKT_FD_EPOLL ? 'e' : 's', fd);
	return true;
}

/* The number that stands for the descriptor that the call gave: the script's, else the host's. */
s64 pkt_given_fd(const struct pkt_writer *w)
{
	const struct pd_expr *x = w->event->syscall.result;

	return x && x->kind == PD_X_NUMBER ? x->num : w->here->result;
}

bool pkt_number_argument(struct pkt_writer *w, size_t i, s64 any, s64 *out)
{
	if (pd_arg_number_or(&w->none, w->event, i, any, out))
		return true;
	return pkt_fail(w, w->event->line, w->event->syscall.name.p, "has no number there");
}

static bool put_socket(struct pkt_writer *w)
{
	s64 family, type, protocol, own = w->settings->family == PD_IPV4 ? AF_INET : AF_INET6;
	struct strbuf args = { 0 };
	bool stream;
	int error = 0;

	if (!pkt_number_argument(w, 0, own, &family) || !pkt_number_argument(w, 1, 0, &type) ||
	    !pkt_number_argument(w, 2, 0, &protocol))
		return false;
	stream = (type & SOCK_TYPE_MASK) != SOCK_DGRAM;
	strbuf_puts(&args, stream ? "\"tcp\"" : "\"udp\"");
	if (family != own || type != (stream ? SOCK_STREAM : SOCK_DGRAM) ||
	    protocol != (stream ? IPPROTO_TCP : IPPROTO_UDP)) {
		strbuf_puts(&args, ", {");
		if (family != own)
			strbuf_printf(&args, " family = %" PRIi64 ",", family);
		strbuf_puts(&args, " type = ");
		pkt_number(w, pd_arg(w->event, 1), &args);
		strbuf_puts(&args, ", protocol = ");
		pkt_number(w, pd_arg(w->event, 2), &args);
		strbuf_puts(&args, " }");
	}
	if (!pkt_any_result(w))
		error = wanted_error(w);
	if (error || (!pkt_any_result(w) && pkt_result(w) < 0)) {
		strbuf_printf(w->out,
			      error ? "%st:is(select(2, p:try_socket(%s)), \"%s\")\n" :
				      "%st:ok(not p:try_socket(%s))\n",
			      w->indent, args.data, pd_errno_name(error));
	} else if (pkt_put_fd(w, pkt_given_fd(w), PKT_FD_SOCKET)) {
		strbuf_printf(w->out, "p:socket(%s)\n", args.data);
	}
	strbuf_free(&args);
	return !w->error->len;
}

static bool put_accept(struct pkt_writer *w)
{
	const char *args = "";
	struct strbuf socket = { 0 };
	s64 flags = 0;
	bool ok = pkt_socket(w, 0, &socket);

	if (ok && w->event->syscall.argc == 4)
		ok = pkt_number_argument(w, 3, 0, &flags);
	if (ok && (flags & SOCK_NONBLOCK))
		args = "{ nonblock = true }";
	if (!ok)
		;
	else if (pkt_put_error(w, socket.data, "accept", args))
		;
	else if (pkt_given_fd(w) < 0)
		strbuf_printf(w->out, "%s%s:try(\"accept\"%s%s)\n", w->indent, socket.data,
			      *args ? ", " : "", args);
	else if ((ok = pkt_put_fd(w, pkt_given_fd(w), PKT_FD_SOCKET)))
		strbuf_printf(w->out, "%s:accept(%s)\n", socket.data, args);
	strbuf_free(&socket);
	return ok;
}

/* bind() and connect(). */
static bool put_with_address(struct pkt_writer *w, const char *name, bool local)
{
	struct strbuf socket = { 0 }, args = { 0 };
	u16 family;
	bool ok = pkt_socket(w, 0, &socket) && pkt_address(w, 1, local, &args, &family);

	if (ok && family == AF_UNSPEC) {
		strbuf_clear(&args);
		strbuf_puts(&args, "nil");
		ok = !local || pkt_fail(w, w->event->line, "AF_UNSPEC", "is not for bind() here");
	}
	ok = ok && pkt_put_call(w, socket.data, name, args.data);
	strbuf_free(&socket);
	strbuf_free(&args);
	return ok;
}

/* A call with the descriptor and one number at the most; `before` stands in front of it. */
static bool put_with_number(struct pkt_writer *w, const char *name, const char *before)
{
	struct strbuf socket = { 0 }, args = { 0 };
	const struct pd_expr *x = pd_arg(w->event, 1);
	bool ok = pkt_socket(w, 0, &socket);

	strbuf_puts(&args, before);
	if (ok && x && x->kind == PD_X_NUMBER)
		pkt_number(w, x, &args);
	ok = ok && pkt_put_call(w, socket.data, name, strbuf_text(&args));
	strbuf_free(&socket);
	strbuf_free(&args);
	return ok;
}

static bool put_bind(struct pkt_writer *w)
{
	return put_with_address(w, "bind", true);
}

static bool put_connect(struct pkt_writer *w)
{
	return put_with_address(w, "connect", false);
}

static bool put_listen(struct pkt_writer *w)
{
	return put_with_number(w, "listen", "nil, ");
}

static bool put_close(struct pkt_writer *w)
{
	const struct pd_expr *x = pd_arg(w->event, 0);
	s64 fd = x && x->kind == PD_X_NUMBER ? x->num : -1;
	bool known = fd >= 0 && fd < PKT_MAX_FD;

	if (known && w->fd[fd] == PKT_FD_EPOLL) {
		strbuf_printf(w->out, "%se%" PRIi64 ":close()\n", w->indent, fd);
	} else if (!put_with_number(w, "close", "")) {
		return false;
	}
	if (known && (pkt_any_result(w) || pkt_result(w) == 0))
		w->fd[fd] = PKT_FD_NONE;
	return true;
}

static bool put_shutdown(struct pkt_writer *w)
{
	static const char *const hows[] = { "\"rd\"", "\"wr\"", "\"rdwr\"" };
	struct strbuf socket = { 0 };
	char number[24];
	s64 how;
	bool ok = pkt_socket(w, 0, &socket) && pkt_number_argument(w, 1, 0, &how);

	if (ok) {
		snprintf(number, sizeof(number), "%" PRIi64, how);
		ok = pkt_put_call(w, socket.data, "shutdown",
				  how >= 0 && how < 3 ? hows[how] : number);
	}
	strbuf_free(&socket);
	return ok;
}

/* -- Data -- */

void pkt_put_flags(struct pkt_writer *w, size_t at, bool sends, struct strbuf *out)
{
	const struct pd_expr *x = at ? pd_arg(w->event, at) : NULL;
	s64 always = sends ? w->settings->default_send_flags : 0;
	bool some = x && x->kind == PD_X_NUMBER && x->num;

	if (!some && !always)
		return;
	strbuf_puts(out, out->len ? ", { flags = " : "flags = ");
	if (some)
		pkt_number(w, x, out);
	if (always)
		strbuf_printf(out, "%s0x%" PRIx64, some ? " | " : "", (u64)always);
}

/* A number that must come: `t:is(CALL, N)`, or only the call. */
void pkt_put_counted(struct pkt_writer *w, const char *socket, const char *name, const char *args)
{
	if (pkt_any_result(w))
		strbuf_printf(w->out, "%s%s:try(\"%s\", %s)\n", w->indent, socket, name, args);
	else if (!pkt_put_error(w, socket, name, args))
		strbuf_printf(w->out, "%st:is(%s:%s(%s), %" PRIi64 ")\n", w->indent, socket, name,
			      args, pkt_result(w));
}

/* Is the buffer NULL, or that of the first iovec? */
static bool null_buffer(const struct pkt_writer *w)
{
	const struct pd_expr *x = pd_arg(w->event, 1);

	return x && (x->kind == PD_X_NULL || (x->kind == PD_X_LIST && pd_iov_null(x)));
}

static bool put_send(struct pkt_writer *w, u64 len, size_t flags_at, size_t addr_at)
{
	const struct pd_expr *buffer = pd_arg(w->event, 1);
	struct strbuf socket = { 0 }, args = { 0 }, options = { 0 };
	const struct pd_expr *to = addr_at ? pd_arg(w->event, addr_at) : NULL;
	bool has_address = to && to->kind != PD_X_NULL;
	u16 family;
	bool ok = pkt_socket(w, 0, &socket);

	if (ok && len > PD_MAX_DATA)
		ok = pkt_fail(w, w->event->line, w->event->syscall.name.p, "has too many bytes");
	if (ok) {
		pkt_data(buffer, len, &args);
		if (has_address) {
			strbuf_puts(&args, ", ");
			ok = pkt_address(w, addr_at, false, &args, &family);
		}
		pkt_put_flags(w, flags_at, true, &options);
		if (null_buffer(w) && len)
			strbuf_printf(&options, "%sfault = true", options.len ? ", " : "");
		if (options.len)
			strbuf_printf(&args, ", { %s }", options.data);
	}
	if (ok)
		pkt_put_counted(w, socket.data, has_address ? "sendto" : "send", args.data);
	strbuf_free(&socket);
	strbuf_free(&args);
	strbuf_free(&options);
	return ok;
}

static bool put_recv_of(struct pkt_writer *w, u64 len, size_t flags_at)
{
	struct strbuf socket = { 0 }, args = { 0 }, options = { 0 };
	bool ok = pkt_socket(w, 0, &socket);

	if (ok && len > MAX_RECV)
		ok = pkt_fail(w, w->event->line, w->event->syscall.name.p,
			      "reads more than 16 MiB at once");
	pkt_put_flags(w, flags_at, false, &options);
	if (null_buffer(w))
		strbuf_printf(&options, "%sfault = true", options.len ? ", " : "");
	if (options.len)
		strbuf_printf(&args, "{ size = %" PRIu64 ", %s }", len, options.data);
	else
		strbuf_printf(&args, "%" PRIu64, len);
	if (!ok)
		;
	else if (pkt_any_result(w))
		strbuf_printf(w->out, "%s%s:try(\"recv\", %s)\n", w->indent, socket.data,
			      args.data);
	else if (pkt_put_error(w, socket.data, "recv", args.data))
		;
	else if ((u64)pkt_result(w) > len)
		strbuf_printf(w->out, "%st:is(select(2, %s:recv(%s)).length, %" PRIi64 ")\n",
			      w->indent, socket.data, args.data, pkt_result(w));
	else
		strbuf_printf(w->out, "%st:is(#%s:recv(%s), %" PRIi64 ")\n", w->indent, socket.data,
			      args.data, pkt_result(w));
	strbuf_free(&socket);
	strbuf_free(&args);
	strbuf_free(&options);
	return ok;
}

static bool with_length(struct pkt_writer *w, u64 *len)
{
	s64 n;

	if (!pkt_number_argument(w, 2, 0, &n))
		return false;
	*len = (u64)n;
	return true;
}

static bool put_write(struct pkt_writer *w)
{
	u64 len = 0;

	return with_length(w, &len) && put_send(w, len, 0, 0);
}

static bool put_send_call(struct pkt_writer *w)
{
	u64 len = 0;

	return with_length(w, &len) && put_send(w, len, 3, 0);
}

static bool put_sendto(struct pkt_writer *w)
{
	u64 len = 0;

	return with_length(w, &len) && put_send(w, len, 3, 4);
}

/* Of no bytes it is no call of Lua's: recv(0) waits, as recv() does. */
static bool put_read_of(struct pkt_writer *w, u64 len)
{
	return (len == 0 && pkt_result(w) == 0) || put_recv_of(w, len, 0);
}

static bool put_read(struct pkt_writer *w)
{
	u64 len = 0;

	return with_length(w, &len) && put_read_of(w, len);
}

static bool put_recv(struct pkt_writer *w)
{
	u64 len = 0;

	return with_length(w, &len) && put_recv_of(w, len, 3);
}

static bool with_iovecs(struct pkt_writer *w, u64 *len)
{
	u32 sum, piece;

	if (!pd_iov_sum(&w->none, w->event, pd_arg(w->event, 1), &sum, &piece))
		return pkt_fail(w, w->event->line, w->event->syscall.name.p, "has no iovecs");
	*len = sum;
	return true;
}

static bool put_writev(struct pkt_writer *w)
{
	u64 len = 0;

	return with_iovecs(w, &len) && put_send(w, len, 0, 0);
}

static bool put_readv(struct pkt_writer *w)
{
	u64 len = 0;

	return with_iovecs(w, &len) && put_read_of(w, len);
}

/* -- Descriptors -- */

static bool put_fcntl(struct pkt_writer *w)
{
	struct strbuf socket = { 0 }, args = { 0 };
	const struct pd_expr *x = pd_arg(w->event, 2);
	s64 command = 0;
	bool ok = pkt_socket(w, 0, &socket) && pkt_number_argument(w, 1, 0, &command);

	if (!ok)
		;
	else if (command == F_SETFL && x && x->kind == PD_X_NUMBER &&
		 !(x->num & ~(s64)(O_NONBLOCK | 2))) {
		ok = pkt_put_call(w, socket.data, "nonblock",
				  x->num & O_NONBLOCK ? "true" : "false");
	} else {
		pkt_number(w, pd_arg(w->event, 1), &args);
		if (x && x->kind == PD_X_NUMBER) {
			strbuf_puts(&args, ", ");
			pkt_number(w, x, &args);
		}
		pkt_put_counted(w, socket.data, "fcntl", args.data);
	}
	strbuf_free(&socket);
	strbuf_free(&args);
	return ok;
}

static bool put_ioctl(struct pkt_writer *w)
{
	const struct pd_expr *x = pd_arg(w->event, 2);
	struct strbuf socket = { 0 }, args = { 0 };
	bool ok = pkt_socket(w, 0, &socket);
	s64 request = 0;

	ok = ok && pkt_number_argument(w, 1, 0, &request);
	if (ok && request == FIONBIO && x && x->kind == PD_X_LIST && x->count) {
		ok = pkt_put_call(w, socket.data, "nonblock", x->item[0]->num ? "true" : "false");
	} else if (ok) {
		pkt_number(w, pd_arg(w->event, 1), &args);
		if (pkt_put_error(w, socket.data, "ioctl", args.data))
			;
		else if (x && x->kind == PD_X_LIST && x->count && x->item[0]->kind == PD_X_NUMBER)
			strbuf_printf(w->out, "%st:is(%s:ioctl(%s), %" PRIi64 ")\n", w->indent,
				      socket.data, args.data, x->item[0]->num);
		else
			strbuf_printf(w->out, "%s%s:ioctl(%s)\n", w->indent, socket.data,
				      args.data);
	}
	strbuf_free(&socket);
	strbuf_free(&args);
	return ok;
}

static bool put_epoll_create(struct pkt_writer *w)
{
	if (pkt_given_fd(w) < 0)
		return pkt_fail(w, w->event->line, w->event->syscall.name.p,
				"is to fail: epoll sets of the library are always made");
	if (!pkt_put_fd(w, pkt_given_fd(w), PKT_FD_EPOLL))
		return false;
	strbuf_puts(w->out, "p.host:epoll()\n");
	return true;
}

static const struct {
	const char *name;
	bool (*put)(struct pkt_writer *w);
} calls[] = {
	{ "socket", put_socket },
	{ "bind", put_bind },
	{ "listen", put_listen },
	{ "accept", put_accept },
	{ "accept4", put_accept },
	{ "connect", put_connect },
	{ "close", put_close },
	{ "shutdown", put_shutdown },
	{ "write", put_write },
	{ "send", put_send_call },
	{ "sendto", put_sendto },
	{ "writev", put_writev },
	{ "sendmsg", pkt_sendmsg },
	{ "read", put_read },
	{ "recv", put_recv },
	{ "recvfrom", put_recv },
	{ "readv", put_readv },
	{ "recvmsg", pkt_recvmsg },
	{ "fcntl", put_fcntl },
	{ "ioctl", put_ioctl },
	{ "getsockopt", pkt_getsockopt },
	{ "setsockopt", pkt_setsockopt },
	{ "pipe", pkt_pipe },
	{ "pipe2", pkt_pipe },
	{ "splice", pkt_splice },
	{ "sendfile", pkt_sendfile },
	{ "open", pkt_open },
	{ "poll", pkt_poll },
	{ "epoll_create", put_epoll_create },
	{ "epoll_create1", put_epoll_create },
	{ "epoll_ctl", pkt_epoll_ctl },
	{ "epoll_wait", pkt_epoll_wait },
};

bool pkt_call(struct pkt_writer *w)
{
	const char *name = w->event->syscall.name.p;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].put(w);
	}
	return pkt_fail(w, w->event->line, name, "has no call of the Lua library");
}
