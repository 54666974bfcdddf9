/* SPDX-License-Identifier: MIT */
/*
 * --audit: the same run twice. The second time the child has what a deterministic run must not see:
 * other heap and stack addresses, junk where fresh memory would be zero, another arena. Everything
 * that a test gave is compared: verdict, text, ids, digest.
 */
#include "run/audit.h"

#include "sut/sut.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>

#define HOLES	    64
#define STACK_SHIFT 12336 /* no multiple of a page */

void audit_keep(struct plan_test *t, const struct script_result *result)
{
	struct script_result *copy = xrealloc(NULL, sizeof(*copy));

	*copy = (struct script_result){ .verdict = result->verdict,
					.invariant = result->invariant };
	strbuf_add(&copy->directive, strbuf_text(&result->directive), result->directive.len);
	strbuf_add(&copy->diagnosis, strbuf_text(&result->diagnosis), result->diagnosis.len);
	strbuf_add(&copy->comments, strbuf_text(&result->comments), result->comments.len);
	strbuf_add(&copy->printed, strbuf_text(&result->printed), result->printed.len);
	strbuf_add(&copy->shown, strbuf_text(&result->shown), result->shown.len);
	strbuf_add(&copy->digest, strbuf_text(&result->digest), result->digest.len);
	t->first = copy;
}

void audit_forget(struct plan_test *t)
{
	if (t->first)
		script_result_free(t->first);
	free(t->first);
	t->first = NULL;
}

/* Adds "WHAT: line" with the first line in which they differ to both texts; false: they do not. */
static bool differ(const char *what, const struct strbuf *a, const struct strbuf *b,
		   struct strbuf *first, struct strbuf *second)
{
	const char *p = strbuf_text(a);
	const char *q = strbuf_text(b);

	if (a->len == b->len && memcmp(p, q, a->len) == 0)
		return false;
	while (*p && *q) {
		size_t n = strcspn(p, "\n");

		if (n != strcspn(q, "\n") || strncmp(p, q, n) != 0 || p[n] != q[n])
			break;
		p += n + (p[n] == '\n');
		q += n + (q[n] == '\n');
	}
	strbuf_printf(first, "%s: %.*s", what, (int)strcspn(p, "\n"), p);
	strbuf_printf(second, "%s: %.*s", what, (int)strcspn(q, "\n"), q);
	return true;
}

bool audit_differ(const struct script_result *a, const struct script_result *b,
		  struct strbuf *first, struct strbuf *second)
{
	static const char *const verdicts[] = { "ok", "not ok", "skip" };

	if (a->verdict != b->verdict || a->invariant != b->invariant) {
		strbuf_printf(first, "verdict: %s", verdicts[a->verdict]);
		strbuf_printf(second, "verdict: %s", verdicts[b->verdict]);
		if (a->invariant != b->invariant) {
			strbuf_puts(first, a->invariant ? ", invariant broken" : "");
			strbuf_puts(second, b->invariant ? ", invariant broken" : "");
		}
		return true;
	}
	return differ("digest", &a->digest, &b->digest, first, second) ||
	       differ("diagnosis", &a->diagnosis, &b->diagnosis, first, second) ||
	       differ("comment", &a->comments, &b->comments, first, second) ||
	       differ("skipped", &a->directive, &b->directive, first, second) ||
	       differ("printed", &a->printed, &b->printed, first, second) ||
	       differ("shown", &a->shown, &b->shown, first, second);
}

void audit_compare(const struct plan_file *f, size_t i, struct script_result *result)
{
	const struct run_options *o = &f->options;
	struct plan_test *t = &f->tests[i];
	struct strbuf first = { 0 };
	struct strbuf second = { 0 };
	struct strbuf once = { 0 };
	struct strbuf rerun = { 0 };
	struct tap_diagnosis d = { .message = "two runs of this test differed",
				   .file = f->path,
				   .seed = o->seed };

	if (t->first && audit_differ(t->first, result, &first, &second)) {
		run_options_rerun(o, f->path, t->name, &once);
		strbuf_printf(&rerun, "tapline run --audit%s",
			      strbuf_text(&once) + strlen("tapline run"));
		d.expect = strbuf_text(&first);
		d.got = strbuf_text(&second);
		d.rerun = strbuf_text(&rerun);
		strbuf_clear(&result->diagnosis);
		strbuf_clear(&result->directive);
		tap_yaml(&result->diagnosis, &d);
		result->verdict = TAP_NOT_OK;
		result->invariant = true;
	}
	audit_forget(t);
	strbuf_free(&first);
	strbuf_free(&second);
	strbuf_free(&once);
	strbuf_free(&rerun);
}

/* -- The second time -- */

/* Reachable for ever, or a leak checker would complain. */
static void *block[HOLES];

/* Blocks of many sizes, every other one given back: the heap is another one from here on. */
static void shift_heap(void)
{
	size_t i;

#ifdef __GLIBC__
	mallopt(M_PERTURB, 0x5a);
	mallopt(M_TOP_PAD, 3 << 16);
#endif
	for (i = 0; i < HOLES; i++) {
		size_t size = 24 + i * i * 17;

		block[i] = xrealloc(NULL, size);
		memset(block[i], 0xa5, size);
	}
	for (i = 0; i < HOLES; i += 2) {
		free(block[i]);
		block[i] = NULL;
	}
}

__attribute__((noinline)) void audit_call(void (*work)(const struct plan_file *, int),
					  const struct plan_file *f, int fd)
{
	/* What is called from here lies elsewhere on a stack that is not fresh. */
	volatile u8 junk[STACK_SHIFT];

	memset((void *)(uintptr_t)junk, 0xa5, sizeof(junk));
	shift_heap();
	sut_tapline_perturb();
	work(f, fd);
	junk[0] = 0;
}
