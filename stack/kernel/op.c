/* SPDX-License-Identifier: MIT */
/* The op stream: names, log records written and read (stack/op.h), all generated from stack/op.def.
 */
#include "kernel/op_log.h"

#include "kernel/trace.h"
#include "kernel/world.h"
#include "lib/bytes.h"
#include "stack/socket.h"

static const char *const names[] = {
#define OP(KIND, name, fields) #name,
#include "stack/op.def"
#undef OP
};

const char *op_name(u32 kind)
{
	return kind < OP_KIND_COUNT ? names[kind] : NULL;
}

/* A record under construction; len goes on counting when it is full. */
struct writer {
	u8 *out;
	u32 cap, len;
};

static void write_byte(struct writer *wr, u8 b)
{
	if (wr->len < wr->cap)
		wr->out[wr->len] = b;
	wr->len++;
}

static void write_number(struct writer *wr, u64 v)
{
	while (v >= 0x80) {
		write_byte(wr, (u8)(v | 0x80));
		v >>= 7;
	}
	write_byte(wr, (u8)v);
}

static void write_run(struct writer *wr, struct op_bytes b)
{
	write_number(wr, b.len);
	if (wr->len <= wr->cap && wr->cap - wr->len >= b.len && b.len)
		memcpy(wr->out + wr->len, b.p, b.len);
	wr->len += b.len;
}

#define U(x) write_number(wr, o->x);
#define B(x) write_run(wr, o->x);
#define OP(KIND, name, fields)                                                 \
	static void write_##name(struct writer *wr, const struct op_##name *o) \
	{                                                                      \
		fields                                                         \
	}
#include "stack/op.def"
#undef OP
#undef U
#undef B

u32 op_encode(u64 event_count, const struct op *op, u8 *out, u32 cap)
{
	struct writer wr = { .out = out, .cap = cap };

	write_number(&wr, event_count);
	write_number(&wr, op->kind);
	switch (op->kind) {
#define OP(KIND, name, fields)                  \
	case OP_##KIND:                         \
		write_##name(&wr, &op->u.name); \
		break;
#include "stack/op.def"
#undef OP
	}
	return wr.len;
}

struct reader {
	const u8 *in;
	u32 len, at;
	bool bad;
};

static u64 read_number(struct reader *r)
{
	u64 v = 0;

	for (u32 shift = 0; shift < 64; shift += 7) {
		u8 b;

		if (r->at >= r->len)
			break;
		b = r->in[r->at++];
		v |= (u64)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			/* One number has one spelling: the tenth byte holds one bit, and the last
			 * is not zero. */
			if ((shift == 63 && b > 1) || (shift && !b))
				break;
			return v;
		}
	}
	r->bad = true;
	return 0;
}

static struct op_bytes read_run(struct reader *r)
{
	u64 n = read_number(r);
	struct op_bytes b = { .p = r->in + r->at, .len = 0 };

	if (r->bad || n > r->len - r->at) {
		r->bad = true;
		return b;
	}
	b.len = (u32)n;
	r->at += b.len;
	return b;
}

#define U(x) o->x = read_number(r);
#define B(x) o->x = read_run(r);
#define OP(KIND, name, fields)                                         \
	static void read_##name(struct reader *r, struct op_##name *o) \
	{                                                              \
		fields                                                 \
	}
#include "stack/op.def"
#undef OP
#undef U
#undef B

u32 op_decode(const u8 *in, u32 len, u64 *event_count, struct op *op)
{
	struct reader r = { .in = in, .len = len };
	u64 kind;

	*event_count = read_number(&r);
	kind = read_number(&r);
	if (r.bad || kind >= OP_KIND_COUNT)
		return 0;
	op->kind = (u32)kind;
	switch (op->kind) {
#define OP(KIND, name, fields)                \
	case OP_##KIND:                       \
		read_##name(&r, &op->u.name); \
		break;
#include "stack/op.def"
#undef OP
	}
	return r.bad ? 0 : r.at;
}

#define U(x) digest_word(w, o->x);
#define B(x) digest_bytes(w, o->x.p, o->x.len);
#define OP(KIND, name, fields)                                                \
	static void digest_##name(struct world *w, const struct op_##name *o) \
	{                                                                     \
		fields                                                        \
	}
#include "stack/op.def"
#undef OP
#undef U
#undef B

static void digest_op(struct world *w, const struct op *op)
{
	digest_word(w, op->kind);
	switch (op->kind) {
#define OP(KIND, name, fields)                 \
	case OP_##KIND:                        \
		digest_##name(w, &op->u.name); \
		break;
#include "stack/op.def"
#undef OP
	}
}

void op_log(struct world *w, const struct op *op)
{
	if (w->digest_on)
		digest_op(w, op);
	if (w->ops && w->ops->op_log)
		w->ops->op_log(w->ops_ctx, w->events_run, op);
}

/* A sock_addr in a log: family, port, scope, 16 address bytes. */
static void addr_bytes(const struct sock_addr *a, u8 out[24])
{
	put_le16(out, a->family);
	put_le16(out + 2, a->port);
	put_le32(out + 4, a->scope_id);
	memcpy(out + 8, a->addr, 16);
}

static bool call_takes_data(u32 nr)
{
	return nr == SYS_SENDMSG || nr == SYS_SETSOCKOPT || nr == SYS_POLL || nr == SYS_EPOLL_CTL ||
	       nr == SYS_MEMFD;
}

/* The entries of a poll are structs of this machine: by their values, that all machines agree. */
static void digest_call(struct world *w, struct op op, const struct sys_op *call)
{
	if (call->nr != SYS_POLL) {
		digest_op(w, &op);
		return;
	}
	op.u.syscall.data = (struct op_bytes){ NULL, 0 };
	digest_op(w, &op);
	for (u32 i = 0; call->data && i < call->data_len / sizeof(struct sys_pollfd); i++) {
		struct sys_pollfd p;

		memcpy(&p, call->data + i * sizeof(p), sizeof(p));
		digest_word(w, (u64)(u32)p.fd << 32 | (u32)p.events << 16 | p.revents);
	}
}

void op_log_syscall(struct world *w, const struct sys_op *call)
{
	struct op op = { .kind = OP_SYSCALL };
	struct op_syscall *o = &op.u.syscall;
	u8 addr[24];

	if (!w->digest_on && (!w->ops || !w->ops->op_log))
		return;
	o->id = call->id;
	o->host = call->host;
	o->nr = call->nr;
	o->fd = (u64)(s64)call->fd;
	o->arg0 = call->arg[0];
	o->arg1 = call->arg[1];
	o->arg2 = call->arg[2];
	o->arg3 = call->arg[3];
	o->timeout_ns = call->timeout_ns;
	if (call->has_addr) {
		addr_bytes(&call->addr, addr);
		o->addr = (struct op_bytes){ addr, sizeof(addr) };
	}
	if (call_takes_data(call->nr)) {
		if (call->data)
			o->data = (struct op_bytes){ call->data, call->data_len };
		else
			o->capacity =
				call->data_len; /* a pointer that faults: a length without bytes */
		if (call->nr == SYS_SENDMSG && call->control)
			o->control = (struct op_bytes){ call->control, call->control_len };
	} else {
		o->capacity = call->data_len;
		o->control_capacity = call->control_len;
	}
	if (w->digest_on)
		digest_call(w, op, call);
	if (w->ops && w->ops->op_log)
		w->ops->op_log(w->ops_ctx, w->events_run, &op);
}
