/* SPDX-License-Identifier: MIT */
/*
 * `tc qdisc|class|filter ...` as tc(8) reads it: the words of a command become an op (stack/op.def,
 * QDISC, CLASS, FILTER) or the name of a view. Used by scripts (host:tc) and by commands in
 * packetdrill scripts.
 */
#ifndef TAPLINE_TC_TC_H
#define TAPLINE_TC_TC_H

#include "base/strbuf.h"
#include "stack/tc.h"

#define TC_NAME_MAX    32
#define TC_OPTIONS_MAX (TC_OPTION_LEN * 64)

enum tc_object { TC_QDISC, TC_CLASS, TC_FILTER };

struct tc_command {
	enum tc_object object;
	bool show, stats;
	enum tc_verb verb;
	u32 parent, handle; /* parent 0: not said */
	u32 prio, protocol; /* of a filter; 0: not said */
	char dev[TC_NAME_MAX], kind[TC_NAME_MAX]; /* "": not said */
	u8 options[TC_OPTIONS_MAX];
	u32 options_len;
};

/* The words behind `tc`. False: *error has what tc would print. */
bool tc_parse(int argc, const char *const *argv, struct tc_command *c, struct strbuf *error);

struct op;

/* The op that it is; its bytes are those of c. */
void tc_op(const struct tc_command *c, u32 host, struct op *op);
/* The name of the view that it shows. */
void tc_view(const struct tc_command *c, char *path, size_t size);

/* The value of an option; 0: it was not given. */
u64 tc_option(const struct tc_command *c, enum tca id);

/* What tc prints about a request that the kernel refused; extack is the kernel's own word ("": it
 * has none), errno_text that of the errno. */
void tc_refused(struct strbuf *out, const struct tc_command *c, const char *extack,
		const char *errno_text);

/* Numbers as tc reads them; false: it is none. Rates are in bytes a second, times in ns, shares of
 * 2^32 - 1. (numbers.c) */
bool tc_u32(const char *s, u64 *v);
bool tc_size(const char *s, u64 *v);
bool tc_rate(const char *s, u64 *v);
bool tc_time(const char *s, u64 *v);
bool tc_percent(const char *s, u64 *v);

#endif
