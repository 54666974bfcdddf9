/* SPDX-License-Identifier: MIT */
/*
 * Calls whose arguments are structs: sendmsg and recvmsg with their control messages, poll, epoll,
 * socket options. Bytes are laid out as Linux on x86-64 has them, little endian.
 */
#include "packetdrill/call.h"

#include "stack/errno.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CMSG_HEADER   16u
#define CMSG_ALIGN(n) (((n) + 7u) & ~7u)
#define CONTROL_ROOM  1024u
#define OPTION_ROOM   4096u
#define EPOLL_EVENT   12u
#define EXTENDED_ERR  16u

void pd_put_le(u8 *p, u64 n, u32 size)
{
	for (; size--; n >>= 8)
		*p++ = (u8)n;
}

u64 pd_get_le(const u8 *p, u32 size)
{
	u64 n = 0;

	while (size--)
		n = n << 8 | p[size];
	return n;
}

/* The struct's field as a number, `otherwise` when it has none or "..." */
static s64 field_number(const struct pd_expr *x, const char *name, s64 otherwise)
{
	const struct pd_expr *v = pd_expr_field(x, name);

	return v && v->kind == PD_X_NUMBER ? v->num : otherwise;
}

/* -- Values -- */

struct layout {
	const char *name;
	u8 at, size;
};

/* Structs that values are written as, by the name of their first field. */
static const struct {
	const char *key;
	u32 size;
	struct layout field[8];
} layouts[] = {
	{ "onoff", 8, { { "onoff", 0, 4 }, { "linger", 4, 4 } } },
	{ "l_onoff", 8, { { "l_onoff", 0, 4 }, { "l_linger", 4, 4 } } },
	{ "tv_sec", 16, { { "tv_sec", 0, 8 }, { "tv_usec", 8, 8 } } },
	{ "scm_sec", 48, { { "scm_sec", 0, 8 }, { "scm_nsec", 8, 8 } } },
	{ "ee_errno",
	  EXTENDED_ERR,
	  { { "ee_errno", 0, 4 },
	    { "ee_origin", 4, 1 },
	    { "ee_type", 5, 1 },
	    { "ee_code", 6, 1 },
	    { "ee_info", 8, 4 },
	    { "ee_data", 12, 4 } } },
};

static bool struct_bytes(struct pd_run *r, const struct pd_event *e, const struct pd_expr *x,
			 struct strbuf *out)
{
	u8 bytes[64] = { 0 };
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		if (!pd_expr_field(x, layouts[i].key))
			continue;
		for (k = 0; k < ARRAY_SIZE(layouts[i].field) && layouts[i].field[k].name; k++) {
			const struct layout *l = &layouts[i].field[k];

			pd_put_le(bytes + l->at, (u64)field_number(x, l->name, 0), l->size);
		}
		strbuf_add(out, bytes, layouts[i].size);
		return true;
	}
	return pd_fail(r, e, NULL, NULL,
		       "this struct is not understood here: its first field is %s",
		       x->count && x->item[0]->text.p ? x->item[0]->text.p : "missing");
}

bool pd_value_bytes(struct pd_run *r, const struct pd_event *e, const struct pd_expr *x, u32 size,
		    struct strbuf *out)
{
	u8 bytes[8];
	size_t i;

	switch (x->kind) {
	case PD_X_NUMBER:
		pd_put_le(bytes, (u64)x->num, sizeof(bytes));
		strbuf_add(out, bytes, size < 8 ? size : 8);
		return true;
	case PD_X_STRING:
		strbuf_add(out, x->text.p, x->text.len);
		return true;
	case PD_X_STRUCT:
		return struct_bytes(r, e, x, out);
	case PD_X_LIST:
		for (i = 0; i < x->count; i++) {
			if (!pd_value_bytes(r, e, x->item[i],
					    x->count > 1 ? size / (u32)x->count : size, out))
				return false;
		}
		return true;
	case PD_X_NULL:
	case PD_X_ELLIPSIS:
		return true;
	default:
		return pd_fail(r, e, NULL, NULL, "this value is not understood here");
	}
}

/* -- Messages -- */

bool pd_iov_sum(struct pd_run *r, const struct pd_event *e, const struct pd_expr *list, u32 *out,
		u32 *piece)
{
	u64 sum = 0;
	size_t i;

	*piece = 0;
	if (!list || list->kind != PD_X_LIST)
		return pd_fail(r, e, NULL, NULL, "a list of iovecs is missing");
	for (i = 0; i < list->count; i++) {
		const struct pd_expr *v = list->item[i];
		const struct pd_expr *n = v->count ? v->item[v->count - 1] : NULL;

		if (n && n->kind == PD_X_FIELD)
			n = n->item[0];
		if (!n || n->kind != PD_X_NUMBER || n->num < 0 || n->num > PD_MAX_DATA)
			return pd_fail(r, e, NULL, NULL, "iovec %zu has no length", i + 1);
		sum += (u64)n->num;
		*piece = !i || *piece == (u32)n->num ? (u32)n->num : 0;
	}
	if (list->count < 2)
		*piece = 0;
	if (sum > PD_MAX_DATA)
		return pd_fail(r, e, NULL, NULL, "so many bytes are too many");
	*out = (u32)sum;
	return true;
}

bool pd_iov_null(const struct pd_expr *list)
{
	const struct pd_expr *base =
		list && list->count && list->item[0]->count ? list->item[0]->item[0] : NULL;

	if (base && base->kind == PD_X_FIELD)
		base = base->item[0];
	return base && base->kind == PD_X_NULL;
}

/* One control message; its data is a number of 4 bytes or a struct. */
static bool add_cmsg(struct pd_run *r, const struct pd_event *e, const struct pd_expr *x,
		     struct strbuf *out)
{
	const struct pd_expr *data = pd_expr_field(x, "cmsg_data");
	struct strbuf body = { 0 };
	u8 header[CMSG_HEADER] = { 0 };
	static const u8 pad[8];
	bool ok = !data || pd_value_bytes(r, e, data, 4, &body);

	if (ok) {
		pd_put_le(header, CMSG_HEADER + body.len, 8);
		pd_put_le(header + 8, (u64)field_number(x, "cmsg_level", 0), 4);
		pd_put_le(header + 12, (u64)field_number(x, "cmsg_type", 0), 4);
		strbuf_add(out, header, sizeof(header));
		strbuf_add(out, strbuf_text(&body), body.len);
		strbuf_add(out, pad, CMSG_ALIGN((u32)body.len) - (u32)body.len);
	}
	strbuf_free(&body);
	return ok;
}

static bool get_message(struct pd_run *r, const struct pd_event *e, s32 *fd, s64 *flags,
			u32 *data_len, u32 *piece)
{
	const struct pd_expr *msg = pd_arg(e, 1);

	*data_len = 0;
	*piece = 0;
	if (!pd_arg_count(r, e, 3, 3) || !pd_arg_fd(r, e, 0, fd) || !pd_arg_number(r, e, 2, flags))
		return false;
	if (msg->kind != PD_X_STRUCT)
		return pd_fail(r, e, NULL, NULL, "argument 2 is no message");
	return pd_iov_sum(r, e, pd_expr_field(msg, "msg_iov"), data_len, piece);
}

bool pd_call_sendmsg(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	const struct pd_expr *list;
	struct strbuf control = { 0 };
	struct pd_call *c;
	s64 flags;
	u32 len, piece;
	s32 fd;
	size_t i;

	if (!get_message(r, e, &fd, &flags, &len, &piece))
		return false;
	list = pd_expr_field(pd_arg(e, 1), "msg_control");
	for (i = 0; list && list->kind == PD_X_LIST && i < list->count; i++) {
		if (!add_cmsg(r, e, list->item[i], &control)) {
			strbuf_free(&control);
			return false;
		}
	}
	c = pd_call_new(r, e, SYS_SENDMSG, len);
	c->op.fd = fd;
	c->op.arg[0] = (u64)(flags | r->settings->default_send_flags);
	c->op.arg[1] = piece;
	c->control = (u8 *)control.data;
	c->op.control = c->control;
	c->op.control_len = (u32)control.len;
	if (pd_iov_null(pd_expr_field(pd_arg(e, 1), "msg_iov")))
		c->op.data = NULL;
	return pd_call_go(r, c, at_ns);
}

/* A control message that came, against what the script has. */
static bool cmsg_differs(struct pd_run *r, const struct pd_event *e, const struct pd_expr *want,
			 const u8 *got, u32 len)
{
	const struct pd_expr *data = pd_expr_field(want, "cmsg_data");
	struct strbuf bytes = { 0 };
	bool differs;

	if (pd_get_le(got + 8, 4) != (u32)field_number(want, "cmsg_level", -1) ||
	    pd_get_le(got + 12, 4) != (u32)field_number(want, "cmsg_type", -1))
		return true;
	if (!data || data->kind == PD_X_ELLIPSIS)
		return false;
	if (data->kind == PD_X_STRUCT && pd_expr_field(data, "scm_sec")) {
		u64 was = pd_get_le(got + CMSG_HEADER, 8) * 1000000000 +
			  pd_get_le(got + CMSG_HEADER + 8, 8) - r->start_ns;
		u64 wanted = (u64)field_number(data, "scm_sec", 0) * 1000000000 +
			     (u64)field_number(data, "scm_nsec", 0);
		u64 off = was > wanted ? was - wanted : wanted - was;

		return len < CMSG_HEADER + 16 || off > r->settings->tolerance_ns;
	}
	if (!pd_value_bytes(r, e, data, 4, &bytes))
		return true;
	differs = len < CMSG_HEADER + bytes.len ||
		  memcmp(got + CMSG_HEADER, strbuf_text(&bytes), bytes.len) != 0;
	strbuf_free(&bytes);
	return differs;
}

static void show_control(struct strbuf *out, const u8 *control, u32 len)
{
	u32 at = 0;

	strbuf_puts(out, "msg_control=[");
	while (at + CMSG_HEADER <= len) {
		u32 n = (u32)pd_get_le(control + at, 8), i;

		if (n < CMSG_HEADER || n > len - at)
			break;
		strbuf_printf(out, "{cmsg_level=%" PRIu64 ", cmsg_type=%" PRIu64 ", cmsg_data=",
			      pd_get_le(control + at + 8, 4), pd_get_le(control + at + 12, 4));
		for (i = CMSG_HEADER; i < n; i++)
			strbuf_printf(out, "%02x", control[at + i]);
		strbuf_putc(out, '}');
		at += CMSG_ALIGN(n);
	}
	strbuf_putc(out, ']');
}

static bool control_differs(struct pd_run *r, const struct pd_call *c, const struct pd_expr *list)
{
	u32 at = 0, len = c->op.control_len;
	size_t i = 0;

	for (; at + CMSG_HEADER <= len; i++) {
		u32 n = (u32)pd_get_le(c->control + at, 8);

		if (n < CMSG_HEADER || n > len - at || i >= list->count ||
		    cmsg_differs(r, c->event, list->item[i], c->control + at, n))
			return true;
		at += CMSG_ALIGN(n);
	}
	return i != list->count;
}

static bool finish_recvmsg(struct pd_run *r, struct pd_call *c)
{
	const struct pd_event *e = c->event;
	const struct pd_expr *msg = pd_arg(e, 1);
	const struct pd_expr *list = pd_expr_field(msg, "msg_control");
	s64 flags = field_number(msg, "msg_flags", -1);
	struct strbuf got = { 0 };

	if (!pd_call_check(r, c, c->op.ret))
		return false;
	if (c->op.ret < 0 || r->recorder)
		return true;
	if ((flags < 0 || (u32)flags == c->op.msg_flags) &&
	    (!list || list->kind != PD_X_LIST || !control_differs(r, c, list)))
		return true;
	strbuf_printf(&got, "msg_flags=0x%" PRIx32 ", ", c->op.msg_flags);
	show_control(&got, c->control, c->op.control_len);
	pd_fail(r, e, strbuf_text(&got), e->source.p, "recvmsg() gave another message");
	strbuf_free(&got);
	return false;
}

bool pd_call_recvmsg(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	struct pd_call *c;
	s64 flags;
	u32 len, piece;
	s32 fd;

	if (!get_message(r, e, &fd, &flags, &len, &piece))
		return false;
	c = pd_call_new(r, e, SYS_RECVMSG, len);
	c->op.fd = fd;
	c->op.arg[0] = (u64)flags;
	c->control = xrealloc(NULL, CONTROL_ROOM);
	c->op.control = c->control;
	c->op.control_len = CONTROL_ROOM;
	if (pd_iov_null(pd_expr_field(pd_arg(e, 1), "msg_iov")))
		c->op.data = NULL;
	c->finish = finish_recvmsg;
	return pd_call_go(r, c, at_ns);
}

/* -- poll -- */

static bool finish_poll(struct pd_run *r, struct pd_call *c)
{
	const struct pd_event *e = c->event;
	const struct pd_expr *list = pd_arg(e, 0);
	struct strbuf got = { 0 };
	bool differs = false;
	size_t i;

	if (!pd_call_check(r, c, c->op.ret))
		return false;
	strbuf_putc(&got, '[');
	for (i = 0; c->op.ret >= 0 && i < list->count; i++) {
		s64 want = field_number(list->item[i], "revents", -1);
		struct sys_pollfd p;

		memcpy(&p, c->data + i * sizeof(p), sizeof(p));
		differs = differs || (want >= 0 && (u16)want != p.revents);
		strbuf_printf(&got, "%s{fd=%d, events=0x%x, revents=0x%x}", i ? ", " : "",
			      pd_fd_script(r, p.fd), p.events, p.revents);
	}
	strbuf_putc(&got, ']');
	if (c->op.ret >= 0 && pd_record_arguments(r, e, 0, 1, strbuf_text(&got)))
		differs = false;
	if (differs)
		pd_fail(r, e, strbuf_text(&got), e->source.p, "poll() gave other events");
	strbuf_free(&got);
	return !differs;
}

bool pd_call_poll(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	const struct pd_expr *list = pd_arg(e, 0);
	struct pd_call *c;
	s64 count, timeout;
	size_t i;

	if (!pd_arg_count(r, e, 3, 3) || !pd_arg_number(r, e, 1, &count) ||
	    !pd_arg_number(r, e, 2, &timeout))
		return false;
	if (list->kind != PD_X_LIST || (s64)list->count != count)
		return pd_fail(r, e, NULL, NULL, "argument 1 is no list of that many pollfd");
	c = pd_call_new(r, e, SYS_POLL, (u32)(list->count * sizeof(struct sys_pollfd)));
	for (i = 0; i < list->count; i++) {
		const struct sys_pollfd p = {
			.fd = pd_fd_live(r, (int)field_number(list->item[i], "fd", -1)),
			.events = (u16)field_number(list->item[i], "events", 0),
		};

		memcpy(c->data + i * sizeof(p), &p, sizeof(p));
	}
	c->op.timeout_ns = timeout < 0 ? TIME_NEVER : (u64)timeout * 1000000;
	c->finish = finish_poll;
	return pd_call_go(r, c, at_ns);
}

/* -- epoll -- */

/* What the union of an epoll_event holds: the script's own number. */
static s64 epoll_data(const struct pd_expr *x)
{
	static const char *const names[] = { "fd", "ptr", "u32", "u64" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (pd_expr_field(x, names[i]))
			return field_number(x, names[i], 0);
	}
	return 0;
}

bool pd_call_epoll_ctl(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	const struct pd_expr *x = pd_arg(e, 3);
	struct pd_call *c;
	s64 command;
	s32 set, fd;

	if (!pd_arg_count(r, e, 4, 4) || !pd_arg_fd(r, e, 0, &set) ||
	    !pd_arg_number(r, e, 1, &command) || !pd_arg_fd(r, e, 2, &fd))
		return false;
	c = pd_call_new(r, e, SYS_EPOLL_CTL, EPOLL_EVENT);
	c->op.fd = set;
	c->op.arg[0] = (u64)command;
	c->op.arg[1] = (u64)(s64)fd;
	if (x->kind == PD_X_STRUCT) {
		pd_put_le(c->data, (u64)field_number(x, "events", 0), 4);
		pd_put_le(c->data + 4, (u64)epoll_data(x), 8);
	} else {
		c->op.data = NULL;
		c->op.data_len = 0;
	}
	return pd_call_go(r, c, at_ns);
}

/* One event stands by itself, several in a list. True when the run is a recording. */
static bool record_events(struct pd_run *r, const struct pd_call *c, const char *events)
{
	bool one = c->op.ret == 1;
	struct strbuf text = { 0 };
	bool recording;

	strbuf_printf(&text, "%s%s%s", one ? "" : "[", events, one ? "" : "]");
	recording = pd_record_arguments(r, c->event, 1, 1, strbuf_text(&text));
	strbuf_free(&text);
	return recording;
}

static bool finish_epoll_wait(struct pd_run *r, struct pd_call *c)
{
	const struct pd_event *e = c->event;
	const struct pd_expr *x = pd_arg(e, 1);
	const struct pd_expr *first = x->kind == PD_X_LIST && x->count ? x->item[0] : x;
	struct strbuf got = { 0 };
	bool differs = false;
	s64 i;

	if (!pd_call_check(r, c, c->op.ret))
		return false;
	for (i = 0; i < c->op.ret; i++) {
		const struct pd_expr *want = x->kind == PD_X_LIST ? NULL : i ? NULL : first;
		u64 events = pd_get_le(c->data + i * EPOLL_EVENT, 4);
		u64 data = pd_get_le(c->data + i * EPOLL_EVENT + 4, 8);

		if (x->kind == PD_X_LIST && (size_t)i < x->count)
			want = x->item[i];
		if (want && want->kind == PD_X_STRUCT)
			differs = differs || events != (u32)field_number(want, "events", 0) ||
				  data != (u64)epoll_data(want);
		strbuf_printf(&got, "%s{events=0x%" PRIx64 ", fd=%" PRIu64 "}", i ? ", " : "",
			      events, data);
	}
	if (c->op.ret > 0 && record_events(r, c, strbuf_text(&got)))
		differs = false;
	if (differs)
		pd_fail(r, e, strbuf_text(&got), e->source.p, "epoll_wait() gave other events");
	strbuf_free(&got);
	return !differs;
}

bool pd_call_epoll_wait(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	struct pd_call *c;
	s64 count, timeout;
	s32 set;

	if (!pd_arg_count(r, e, 4, 4) || !pd_arg_fd(r, e, 0, &set) ||
	    !pd_arg_number(r, e, 2, &count) || !pd_arg_number(r, e, 3, &timeout))
		return false;
	if (count <= 0 || count > 1024)
		return pd_fail(r, e, NULL, NULL, "so many events are too many");
	c = pd_call_new(r, e, SYS_EPOLL_WAIT, (u32)count * EPOLL_EVENT);
	c->op.fd = set;
	c->op.arg[0] = (u64)count;
	c->op.timeout_ns = timeout < 0 ? TIME_NEVER : (u64)timeout * 1000000;
	c->finish = finish_epoll_wait;
	return pd_call_go(r, c, at_ns);
}

/* -- Socket options -- */

bool pd_call_setsockopt(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	struct strbuf value = { 0 };
	struct pd_call *c;
	s64 level, name, len;
	bool ok;
	s32 fd;

	if (!pd_arg_count(r, e, 5, 5) || !pd_arg_fd(r, e, 0, &fd) ||
	    !pd_arg_number(r, e, 1, &level) || !pd_arg_number(r, e, 2, &name) ||
	    !pd_arg_number(r, e, 4, &len))
		return false;
	if (len < 0 || len > OPTION_ROOM)
		return pd_fail(r, e, NULL, NULL, "an option of so many bytes is too long");
	ok = pd_value_bytes(r, e, pd_arg(e, 3), (u32)len, &value);
	if (ok) {
		c = pd_call_new(r, e, SYS_SETSOCKOPT, (u32)len);
		c->op.fd = fd;
		c->op.arg[0] = (u64)level;
		c->op.arg[1] = (u64)name;
		if (len && value.len)
			memcpy(c->data, value.data,
			       value.len < (size_t)len ? value.len : (size_t)len);
		if (pd_arg_null(e, 3))
			c->op.data = NULL;
		ok = pd_call_go(r, c, at_ns);
	}
	strbuf_free(&value);
	return ok;
}

/* The length that the script gives for room and expects back: "[4]" or "4". */
static s64 length_of(const struct pd_expr *x)
{
	if (x->kind == PD_X_LIST && x->count == 1)
		x = x->item[0];
	return x->kind == PD_X_NUMBER ? x->num : -1;
}

/* What a numeric option is; others stay as the script has them. */
static bool record_option(struct pd_run *r, const struct pd_call *c)
{
	struct strbuf text = { 0 };

	if (c->op.ret == 1 || c->op.ret == 4 || c->op.ret == 8) {
		strbuf_printf(&text, "[%" PRIu64 "], [%" PRIi64 "]",
			      pd_get_le(c->data, (u32)c->op.ret), c->op.ret);
		pd_record_arguments(r, c->event, 3, 2, strbuf_text(&text));
	}
	strbuf_free(&text);
	return true;
}

static bool finish_getsockopt(struct pd_run *r, struct pd_call *c)
{
	const struct pd_event *e = c->event;
	const struct pd_expr *want = pd_arg(e, 3);
	s64 len = length_of(pd_arg(e, 4));
	struct strbuf value = { 0 };
	struct strbuf got = { 0 };
	bool ok;

	if (c->op.ret < 0)
		return pd_call_check(r, c, c->op.ret);
	if (r->recorder)
		return record_option(r, c);
	ok = pd_value_bytes(r, e, want, (u32)c->op.ret, &value);
	if (ok && ((len >= 0 && len != c->op.ret) || value.len > (size_t)c->op.ret ||
		   memcmp(strbuf_text(&value), c->data, value.len) != 0)) {
		if (c->op.ret <= 8)
			strbuf_printf(&got, "[%" PRIu64 "], ", pd_get_le(c->data, (u32)c->op.ret));
		strbuf_printf(&got, "[%" PRIi64 "]", c->op.ret);
		ok = pd_fail(r, e, strbuf_text(&got), e->source.p,
			     "getsockopt() gave another value");
	}
	strbuf_free(&value);
	strbuf_free(&got);
	return ok && pd_call_check(r, c, 0);
}

bool pd_call_getsockopt(struct pd_run *r, const struct pd_event *e, u64 at_ns)
{
	struct pd_call *c;
	s64 level, name, len;
	s32 fd;

	if (!pd_arg_count(r, e, 5, 5) || !pd_arg_fd(r, e, 0, &fd) ||
	    !pd_arg_number(r, e, 1, &level) || !pd_arg_number(r, e, 2, &name))
		return false;
	len = length_of(pd_arg(e, 4));
	if (len > OPTION_ROOM)
		return pd_fail(r, e, NULL, NULL, "an option of so many bytes is too long");
	c = pd_call_new(r, e, SYS_GETSOCKOPT, OPTION_ROOM);
	c->op.fd = fd;
	c->op.arg[0] = (u64)level;
	c->op.arg[1] = (u64)name;
	if (len >= 0)
		c->op.data_len = (u32)len;
	if (pd_arg_null(e, 3))
		c->op.data = NULL;
	c->finish = finish_getsockopt;
	return pd_call_go(r, c, at_ns);
}
