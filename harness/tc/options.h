/* SPDX-License-Identifier: MIT */
/* The words of the kinds of disciplines, classes and filters (tc/q_*.c, f_*.c of iproute2). */
#ifndef TAPLINE_TC_OPTIONS_H
#define TAPLINE_TC_OPTIONS_H

#include "tc/tc.h"

struct words {
	int argc, at;
	const char *const *argv;
};

static inline const char *tc_next(struct words *w)
{
	return w->at < w->argc ? w->argv[w->at++] : NULL;
}

/* "1:", "1:2", ":2", "1"; hexadecimal (get_qdisc_handle(), get_tc_classid()). */
bool tc_handle(const char *s, u32 *h);
/* One option: in the place of the same one before it; behind the others, though it is there. False:
 * there are too many. */
void tc_put(struct tc_command *c, u32 id, u64 value);
bool tc_append(struct tc_command *c, u32 id, u64 value);

/* The words behind a kind become c->options. False: *error has what tc would print. */
bool tc_read_options(struct tc_command *c, int argc, const char *const *argv, struct strbuf *error);
/* Of the kinds that have classes. (classful.c) */
bool tc_prio_words(struct tc_command *c, struct words *w, struct strbuf *error);
bool tc_htb_words(struct tc_command *c, struct words *w, struct strbuf *error);
bool tc_htb_class_words(struct tc_command *c, struct words *w, struct strbuf *error);
/* `tc filter VERB` behind the verb. (filter.c) */
bool tc_read_filter(struct words *w, struct tc_command *c, struct strbuf *error);
/* The keys of u32's `match`. (u32.c) False: it is none. */
bool tc_u32_match(struct words *w, struct tc_command *c);
/* Ends it: keys that lie at the same place are one. False: there are too many. */
bool tc_number(const char *s, u64 *v);

#endif
