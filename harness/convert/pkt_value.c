/* SPDX-License-Identifier: MIT */
/* Arguments and results of system calls as Lua. */
#include "convert/pkt_write.h"

#include "convert/notation.h"
#include "stack/errno.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

static bool is_letter(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

/*
 * "SOL_IP", "EPOLLIN | EPOLLOUT" with C. in front of each name. False where there is other than
 * constants and operators that Lua has with the same meaning.
 */
static bool constants(const char *text, struct strbuf *out)
{
	const char *p = text;
	bool any = false;

	while (*p) {
		size_t n = 0;
		s64 value;

		if (is_letter(*p)) {
			while (is_letter(p[n]) || isdigit((unsigned char)p[n]))
				n++;
			if (!pd_symbol_find(p, n, &value) && !pd_errno_by_name(p, n))
				return false;
			strbuf_printf(out, "C.%.*s", (int)n, p);
			p += n;
			any = true;
		} else if (*p == '|' || *p == '&') {
			if (!out->len || out->data[out->len - 1] != ' ')
				strbuf_putc(out, ' ');
			strbuf_printf(out, "%c ", *p++);
			while (*p == ' ')
				p++;
		} else if (isdigit((unsigned char)*p) || strchr(" ()~", *p)) {
			/* Numbers whole: 0x10. */
			do
				strbuf_putc(out, *p++);
			while (isalnum((unsigned char)*p) &&
			       isalnum((unsigned char)out->data[out->len - 1]));
		} else {
			return false;
		}
	}
	return any;
}

void pkt_number(const struct pkt_writer *w, const struct pd_expr *x, struct strbuf *out)
{
	struct strbuf text = { 0 }, names = { 0 };

	if (x->text.len && x->text.len < 200)
		pkt_source(w, x->text.p, &text);
	if (text.len && constants(text.data, &names))
		strbuf_puts(out, names.data);
	else if (x->is_hex)
		strbuf_printf(out, "0x%" PRIx64, (u64)x->num);
	else
		strbuf_printf(out, "%" PRIi64, x->num);
	strbuf_free(&text);
	strbuf_free(&names);
}

static const struct {
	const char *name;
	u32 bit;
	bool epoll; /* epoll's only */
} poll_names[] = {
	{ "in", 1, false },	    { "pri", 2, false },	   { "out", 4, false },
	{ "err", 8, false },	    { "hup", 0x10, false },	   { "nval", 0x20, false },
	{ "rdhup", 0x2000, false }, { "oneshot", 1u << 30, true }, { "et", 1u << 31, true },
};

bool pkt_poll_names(u64 events, bool epoll, struct strbuf *out)
{
	size_t i;
	bool any = false;

	strbuf_putc(out, '"');
	for (i = 0; i < ARRAY_SIZE(poll_names); i++) {
		if (!(events & poll_names[i].bit) || (poll_names[i].epoll && !epoll))
			continue;
		strbuf_printf(out, "%s%s", any ? " " : "", poll_names[i].name);
		events &= ~(u64)poll_names[i].bit;
		any = true;
	}
	strbuf_putc(out, '"');
	return events == 0;
}

bool pkt_poll_set(u64 events, struct strbuf *out)
{
	size_t i;
	bool any = false;

	strbuf_puts(out, "{");
	for (i = 0; i < ARRAY_SIZE(poll_names); i++) {
		if (!(events & poll_names[i].bit) || poll_names[i].epoll)
			continue;
		/* "in" is a word of Lua's. */
		strbuf_printf(out, i ? "%s %s = true" : "%s [\"%s\"] = true", any ? "," : "",
			      poll_names[i].name);
		events &= ~(u64)poll_names[i].bit;
		any = true;
	}
	strbuf_puts(out, any ? " }" : "}");
	return events == 0;
}

bool pkt_address(struct pkt_writer *w, size_t i, bool local, struct strbuf *out, u16 *family)
{
	const struct pd_settings *s = w->settings;
	struct sock_addr otherwise = pd_sock_addr(&w->none, local ? &s->local : &s->remote,
						  local ? s->bind_port : s->connect_port);
	const struct pd_expr *x = pd_arg(w->event, i);
	struct pd_address a = { 0 };
	struct sock_addr addr;
	char text[PD_ADDRESS_TEXT];

	if (!pd_arg_address(&w->none, w->event, i, &otherwise, &addr))
		return pkt_fail(w, x ? x->line : w->event->line, strbuf_text(&w->none.message),
				"is no address that Lua can have");
	*family = addr.family;
	if (memcmp(&addr, &otherwise, sizeof(addr)) == 0) {
		strbuf_puts(out,
			    local ? "p.local_addr, p.bind_port" : "p.remote_addr, p.connect_port");
		return true;
	}
	a.v6 = addr.family == AF_INET6;
	memcpy(a.bytes, addr.addr, sizeof(a.bytes));
	if (memcmp(addr.addr, otherwise.addr, sizeof(addr.addr)) == 0 &&
	    addr.family == otherwise.family) {
		strbuf_printf(out, "%s, %u", local ? "p.local_addr" : "p.remote_addr", addr.port);
		return true;
	}
	pd_address_text(&a, text);
	strbuf_printf(out, "\"%s\", %u", text, addr.port);
	return true;
}

void pkt_socket_name(const struct pkt_writer *w, s64 fd, struct strbuf *out)
{
	u8 kind = fd >= 0 && fd < PKT_MAX_FD ? w->fd[fd] : PKT_FD_NONE;

	if (kind == PKT_FD_NONE)
		strbuf_puts(out, "p:no_socket()");
	else
		strbuf_printf(out, "%c%" PRIi64, kind == PKT_FD_EPOLL ? 'e' : 's', fd);
}

bool pkt_socket(struct pkt_writer *w, size_t i, struct strbuf *out)
{
	const struct pd_expr *x = pd_arg(w->event, i);

	if (!x || x->kind != PD_X_NUMBER)
		return pkt_fail(w, w->event->line, w->event->syscall.name.p,
				"has no number for its descriptor");
	pkt_socket_name(w, x->num, out);
	return true;
}

void pkt_data(const struct pd_expr *buffer, u64 len, struct strbuf *out)
{
	if (buffer && buffer->kind == PD_X_STRING && buffer->text.len >= len)
		notation_string(out, (const u8 *)buffer->text.p, len);
	else if (len)
		strbuf_printf(out, "(\"x\"):rep(%" PRIu64 ")", len);
	else
		strbuf_puts(out, "\"\"");
}
