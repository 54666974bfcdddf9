/* SPDX-License-Identifier: MIT */
/* The words behind a kind, as the readers of kinds go through them. */
#ifndef TAPLINE_TC_OPTION_WORDS_H
#define TAPLINE_TC_OPTION_WORDS_H

#include "tc/options.h"

struct option_words {
	struct tc_command *c;
	int argc, at;
	const char *const *argv;
	struct strbuf *error;
};

enum reads { FLAG_ON, FLAG_OFF, NUMBER, SIZE, RATE, TIME, PERCENT };

struct option {
	const char *name;
	enum reads reads;
	u8 id;
};

static inline const char *next(struct option_words *w)
{
	return w->at < w->argc ? w->argv[w->at++] : NULL;
}

static inline const char *peek(const struct option_words *w)
{
	return w->at < w->argc ? w->argv[w->at] : "";
}

static inline void put(struct option_words *w, u32 id, u64 value)
{
	tc_put(w->c, id, value);
}

bool tc_get(const struct option_words *w, u32 id, u64 *value);
/* False, with what tc says. */
bool tc_illegal(struct option_words *w, const char *name);
bool tc_what_is(struct option_words *w, const char *word, const char *help);
/* A word of a table and its value. 1: taken, 0: none of these, -1: wrong. */
int tc_simple(struct option_words *w, const char *word, const struct option *o, size_t n);

/* netem's (netem.c). */
bool tc_netem_words(struct option_words *w);

#endif
