/* SPDX-License-Identifier: MIT */
/* What the readers of a command share: xt_parse.c (the command), xt_parse_match.c,
 * xt_parse_target.c, xt_values.c, and xt_command.c, which refuses in the same words. */
#ifndef TAPLINE_NF_XT_WORDS_H
#define TAPLINE_NF_XT_WORDS_H

#include "nf/xt.h"

/* A command as it is read, word by word. */
struct xt_words {
	struct xt_command *c;
	char **word;
	u32 count, at;
	bool invert; /* a "!" stood in front */
};
bool xt_error(struct xt_words *w, s32 status, const char *const *parts);
#define XT_ERROR(w, status, ...) xt_error(w, status, (const char *const[]){ __VA_ARGS__, NULL })
#define XT_WRONG(w, ...)	 (XT_ERROR(w, 2, __VA_ARGS__), -1)
/* The next word, which `what` needs; NULL with the error set. */
const char *xt_next(struct xt_words *w, const char *what);
/* -m NAME. */
bool xt_parse_match(struct xt_words *w, const char *name);
/* -j NAME. */
bool xt_parse_target(struct xt_words *w, const char *name);
/* An option that belongs to a match or the target. 1: it was one, 0: nobody knows it, -1: wrong. */
int xt_parse_option(struct xt_words *w, const char *option);
/* The same for the target alone. */
int xt_target_option(struct xt_words *w, const char *option);
/* Was all said that the target needs? */
bool xt_target_complete(struct xt_words *w);

/* ---- xt_values.c: false with the error set ---- */

bool xt_number(const char *s, u64 max, u64 *out); /* says nothing */
/* "80", "80:90", ":90", "80:". Says nothing. */
bool xt_parse_range(const char *text, u64 max, u64 out[2]);
bool xt_parse_ports(struct xt_words *w, const char *text, u16 port[2]);
/* "5/second" */
bool xt_parse_rate(struct xt_words *w, struct xt_match *m, const char *text);
/* "0.25" */
bool xt_parse_probability(struct xt_words *w, struct xt_match *m, const char *text);
bool xt_parse_u32(struct xt_words *w, const char *option, const char *text, u64 min, u32 *out);
/* "0x1/0xff" */
bool xt_parse_mark(struct xt_words *w, const char *option, const char *text, u32 *mark, u32 *mask);

/* ---- xt_names.c ---- */

const struct xt_name *xt_name_find(const struct xt_name *names, const char *text, size_t len);
/* "NEW,ESTABLISHED": the values or-ed together. */
bool xt_parse_names(const struct xt_name *names, const char *text, u32 *out);

#endif
