/* SPDX-License-Identifier: MIT */
/* See record.h. A record: kind, four numbers of 8 bytes in this machine's order, length, bytes. */
#include "repro/record.h"

#include <stdlib.h>
#include <string.h>

struct head {
	u64 now, events, a, b;
	u32 kind, len;
};

static void put(FILE *f, struct head h, const u8 *bytes)
{
	fwrite(&h, sizeof(h), 1, f);
	if (bytes)
		fwrite(bytes, 1, h.len, f);
	fflush(f); /* the next thing may be a crash */
}

static void on_op(void *ctx, u64 now, u64 events, const struct op *op)
{
	u32 len = op_encode(events, op, NULL, 0);
	u8 *bytes = xrealloc(NULL, len);

	op_encode(events, op, bytes, len);
	put(ctx, (struct head){ .now = now, .events = events, .kind = RECORD_OP, .len = len },
	    bytes);
	free(bytes);
}

static void on_frame(void *ctx, u64 now, u32 dir, const u8 *bytes, u32 len)
{
	put(ctx, (struct head){ .now = now, .a = dir, .kind = RECORD_FRAME, .len = len }, bytes);
}

static void on_hook(void *ctx, u32 id, u32 verdict)
{
	put(ctx, (struct head){ .a = id, .b = verdict, .kind = RECORD_HOOK }, NULL);
}

static void on_end(void *ctx, u64 now, u64 events, u64 digest)
{
	put(ctx, (struct head){ .now = now, .events = events, .a = digest, .kind = RECORD_END },
	    NULL);
}

struct repro_recorder record_writer(FILE *f)
{
	return (struct repro_recorder){ on_op, on_frame, on_hook, on_end, f };
}

bool record_read(FILE *f, struct strbuf *buffer, struct run_record *r)
{
	u64 events;
	struct head h;

	*r = (struct run_record){ .kind = RECORD_NONE };
	if (fread(&h, sizeof(h), 1, f) != 1)
		return false;
	strbuf_clear(buffer);
	for (u32 i = 0; i < h.len; i++) {
		int c = getc(f);

		if (c == EOF)
			return false;
		strbuf_putc(buffer, (char)c);
	}
	r->kind = (enum record_kind)h.kind;
	r->now = h.now;
	r->events = h.events;
	r->dir = r->id = (u32)h.a;
	r->verdict = (u32)h.b;
	r->digest = h.a;
	r->bytes = (const u8 *)strbuf_text(buffer);
	r->len = h.len;
	return r->kind != RECORD_OP || op_decode(r->bytes, r->len, &events, &r->op) == r->len;
}
