/* SPDX-License-Identifier: MIT */
/* What a command is to the stack: an op, or the name of a view. */
#include "tc/tc.h"

#include "stack/op.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct op_bytes text_bytes(const char *s)
{
	return (struct op_bytes){ (const u8 *)s, (u32)strlen(s) };
}

void tc_op(const struct tc_command *c, u32 host, struct op *op)
{
	const struct op_bytes dev = text_bytes(c->dev), kind = text_bytes(c->kind);
	const struct op_bytes options = { c->options, c->options_len };

	memset(op, 0, sizeof(*op));
	switch (c->object) {
	case TC_CLASS:
		op->kind = OP_CLASS;
		op->u.class = (struct op_class){ .host = host,
						 .dev = dev,
						 .verb = c->verb,
						 .parent = c->parent,
						 .classid = c->handle,
						 .kind = kind,
						 .options = options };
		break;
	case TC_FILTER:
		op->kind = OP_FILTER;
		op->u.filter = (struct op_filter){ .host = host,
						   .dev = dev,
						   .verb = c->verb,
						   .parent = c->parent,
						   .prio = c->prio,
						   .protocol = c->protocol,
						   .handle = c->handle,
						   .kind = kind,
						   .options = options };
		break;
	case TC_QDISC:
	default:
		op->kind = OP_QDISC;
		op->u.qdisc = (struct op_qdisc){ .host = host,
						 .dev = dev,
						 .verb = c->verb,
						 .parent = c->parent,
						 .handle = c->handle,
						 .kind = kind,
						 .options = options };
	}
}

void tc_view(const struct tc_command *c, char *path, size_t size)
{
	static const char *const objects[] = { "qdisc", "class", "filter" };
	int n = snprintf(path, size, "tc/%s%s%s%s", objects[c->object], c->stats ? "/stats" : "",
			 c->dev[0] ? "/" : "", c->dev);

	if (c->object == TC_FILTER && n > 0 && (size_t)n < size)
		snprintf(path + n, size - (size_t)n, "/%" PRIx32, c->parent);
}
