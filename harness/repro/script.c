/* SPDX-License-Identifier: MIT */
/* See script.h. Fields that are 0 or empty are left out, as the library takes them for that. */
#include "repro/script.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "convert/notation.h"
#include "packet/packet.h"
#include "stack/rtnetlink.h"
#include "stack/sys.h"

static void put_number(struct strbuf *out, const char *name, u64 value)
{
	if (!value)
		return;
	/* `end` is a word of Lua. */
	strbuf_printf(out, strcmp(name, "end") ? " %s = %" PRId64 "," : " [\"%s\"] = %" PRId64 ",",
		      name, (s64)value);
}

static void put_bytes(struct strbuf *out, const char *name, struct op_bytes b)
{
	if (!b.len)
		return;
	strbuf_printf(out, " %s = ", name);
	notation_string(out, b.p, b.len);
	strbuf_putc(out, ',');
}

#define U(x) put_number(out, #x, o->x);
#define B(x) put_bytes(out, #x, o->x);
#define OP(KIND, name, fields)                                                \
	static void put_##name(struct strbuf *out, const struct op_##name *o) \
	{                                                                     \
		fields                                                        \
	}
#include "stack/op.def"
#undef OP
#undef U
#undef B

static void put_fields(struct strbuf *out, const struct op *op)
{
	switch (op->kind) {
#define OP(KIND, name, fields)                \
	case OP_##KIND:                       \
		put_##name(out, &op->u.name); \
		break;
#include "stack/op.def"
#undef OP
	}
}

/* For the reader: which packet, which call. */
static void put_remark(struct strbuf *out, const struct op *op)
{
	static const char *const calls[SYS_NR_COUNT] = {
		"socket",     "bind",	    "connect", "listen",      "accept",	     "sendmsg",
		"recvmsg",    "shutdown",   "close",   "getsockname", "getpeername", "setsockopt",
		"getsockopt", "poll",	    "fcntl",   "ioctl",	      "dup",	     "epoll_create",
		"epoll_ctl",  "epoll_wait", "pipe",    "splice",      "sendfile",    "memfd",
	};
	int link = PACKET_LINK_ETHERNET;
	struct packet *p;
	char *line, *c;

	if (op->kind == OP_SYSCALL && op->u.syscall.nr < SYS_NR_COUNT)
		strbuf_printf(out, "  -- %s\n", calls[op->u.syscall.nr]);
	if (op->kind != OP_FRAME)
		return;
	if (op->u.frame.bytes.len &&
	    (op->u.frame.bytes.p[0] >> 4 == 4 || op->u.frame.bytes.p[0] >> 4 == 6))
		link = PACKET_LINK_RAW; /* of a tun device: our MAC addresses begin with 0 */
	p = packet_parse(link, op->u.frame.bytes.p, op->u.frame.bytes.len, op->u.frame.bytes.len);
	line = packet_line(p);
	for (c = line; *c; c++)
		*c = (u8)*c < 0x20 || (u8)*c > 0x7e ? '?' : *c;
	strbuf_printf(out, "  -- %s\n", line);
	free(line);
	packet_free(p);
}

static void put_place(struct strbuf *out, struct run_record *last, const struct run_record *r)
{
	if (r->now != last->now || r->events != last->events)
		strbuf_printf(out, "  log:at(%" PRIu64 ", %" PRIu64 ")\n", r->now, r->events);
	*last = *r;
}

static void put_op(struct strbuf *out, const struct run_record *r)
{
	put_remark(out, &r->op);
	strbuf_printf(out, "  log:op(\"%s\", {", op_name(r->op.kind));
	put_fields(out, &r->op);
	if (out->data[out->len - 1] == ',')
		out->data[out->len - 1] = ' ';
	strbuf_puts(out, "})\n");
}

/* What the hooks of one id decided, packet by packet: { "accept", 3, "drop", 1 }. */
static void put_hook(struct strbuf *out, FILE *record, u32 id)
{
	struct strbuf buffer = { 0 };
	struct run_record r;
	u32 verdict = 0, count = 0;

	strbuf_printf(out, "  log:hook(%u, {", id);
	rewind(record);
	while (record_read(record, &buffer, &r)) {
		if (r.kind != RECORD_HOOK || r.id != id)
			continue;
		if (count && r.verdict != verdict) {
			strbuf_printf(out, " \"%s\", %u,", verdict == NF_ACCEPT ? "accept" : "drop",
				      count);
			count = 0;
		}
		verdict = r.verdict;
		count++;
	}
	strbuf_printf(out, " \"%s\", %u })\n", verdict == NF_ACCEPT ? "accept" : "drop", count);
	strbuf_free(&buffer);
}

static void put_hooks(struct strbuf *out, FILE *record)
{
	struct strbuf buffer = { 0 };
	struct run_record r;
	u64 seen = 0;

	rewind(record);
	while (record_read(record, &buffer, &r)) {
		if (r.kind == RECORD_HOOK && r.id < 64)
			seen |= 1ull << r.id;
	}
	for (u32 id = 0; id < 64; id++) {
		if (seen >> id & 1)
			put_hook(out, record, id);
	}
	strbuf_free(&buffer);
}

void repro_script(struct strbuf *out, FILE *record, const char *command, const char *target,
		  const char *input, u64 seed)
{
	struct strbuf buffer = { 0 };
	struct run_record r, last = { .kind = RECORD_NONE };

	strbuf_printf(out,
		      "-- Made by: tapline %s\n"
		      "local tap = require \"tap\"\n"
		      "local net = require \"net\"\n\n"
		      "tap.test(\"%s %s\", function(t)\n"
		      "  local log = net.oplog { seed = %" PRId64 " }\n",
		      command, target, input, (s64)seed);
	put_hooks(out, record);
	rewind(record);
	while (record_read(record, &buffer, &r)) {
		if (r.kind == RECORD_OP || r.kind == RECORD_END)
			put_place(out, &last, &r);
		if (r.kind == RECORD_OP)
			put_op(out, &r);
		if (r.kind == RECORD_END)
			strbuf_printf(out, "  t:is(log:digest(), \"%016" PRIx64 "\")\n", r.digest);
	}
	strbuf_puts(out, "end)\n");
	strbuf_free(&buffer);
}
