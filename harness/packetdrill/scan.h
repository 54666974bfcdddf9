/* SPDX-License-Identifier: MIT */
/*
 * The lexer of packetdrill scripts. What a piece of text means hangs on where it stands ("S." are
 * flags, 3021b9d8 a cookie, +0...1 a time), so there is no stream of tokens: the parser asks for
 * what it expects next. Space and comments in front of it are skipped, and words that -D defines
 * are replaced as they come.
 *
 * The first error wins; after it every scan fails.
 */
#ifndef TAPLINE_PACKETDRILL_SCAN_H
#define TAPLINE_PACKETDRILL_SCAN_H

#include "packetdrill/arena.h"
#include "packetdrill/script.h"

#define PD_SCAN_DEPTH  8 /* of defines in defines */
#define PD_MAX_DEFINED 10000 /* words of one script that defines may replace */
#define PD_NEST_DEPTH  64 /* of brackets in brackets */

struct pd_scan_text {
	const char *p, *end;
};

struct pd_scan {
	const char *path;
	struct pd_arena *arena;
	enum pd_family family;
	const struct pd_define *define;
	size_t defines;
	struct pd_scan_text frame[PD_SCAN_DEPTH]; /* frame[0] is the script */
	size_t top;
	size_t defined; /* words replaced so far */
	const char *begin; /* of the script */
	const char *token_end; /* behind the last thing that was taken from the script */
	const char *space_end; /* where pd_scan_space() stopped last */
	int line; /* of frame[0].p */
	int token_line; /* of token_end */
	bool failed;
	struct pd_error *error;
};

void pd_scan_init(struct pd_scan *s, const char *text, size_t len, const char *path,
		  struct pd_arena *arena, struct pd_error *error);

/* Always false. */
bool pd_scan_fail(struct pd_scan *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool pd_scan_unknown(struct pd_scan *s, const char *what, struct pd_text word);
/* The same, with what the word was likely to be; NULL: nothing is near. */
bool pd_scan_unknown_near(struct pd_scan *s, const char *what, struct pd_text word,
			  const char *near);

/* "expected <what>, got <what stands there>". */
bool pd_scan_expected(struct pd_scan *s, const char *what);

/* Skips space and comments, and enters defines. */
void pd_scan_space(struct pd_scan *s);
bool pd_scan_at_end(struct pd_scan *s);

/* The next byte behind space; 0 at the end. */
char pd_scan_peek(struct pd_scan *s);

/* Does this text stand next (behind space)? */
bool pd_scan_looking_at(struct pd_scan *s, const char *text);

/* Takes this text when it stands next. */
bool pd_scan_take(struct pd_scan *s, const char *text);

/* Takes this word when it stands next as a whole. */
bool pd_scan_take_word(struct pd_scan *s, const char *word);

/* As pd_scan_take(), an error when it does not stand there. */
bool pd_scan_need(struct pd_scan *s, const char *text);

/* A name: a letter or _, then letters, digits and _. */
bool pd_scan_word(struct pd_scan *s, struct pd_text *out);

/* The longest run of bytes that are in the set; empty runs are fine. */
struct pd_text pd_scan_run(struct pd_scan *s, const char *set);

/* 12 or 0x1f, within a range. */
bool pd_scan_number(struct pd_scan *s, u64 max, u64 *out, bool *is_hex);
bool pd_scan_u32(struct pd_scan *s, u32 *out);

/* Seconds with a fraction, as nanoseconds. */
bool pd_scan_seconds(struct pd_scan *s, s64 *out);

/* "text" with escapes resolved. */
bool pd_scan_string(struct pd_scan *s, struct pd_text *out);

/* All up to the closing text, which is taken too; `what` names it in the error. */
bool pd_scan_until(struct pd_scan *s, const char *closing, const char *what, struct pd_text *out);

/* Pairs of hex digits into bytes. False without an error when no hex digit stands there. */
bool pd_scan_hex(struct pd_scan *s, struct pd_text *out);

#endif
