/* SPDX-License-Identifier: MIT */
/* Printing counters; see report.h. Names need no escaping: letters, digits, dots, underscores. */
#include "replay/report.h"

#include <stdio.h>

#include "stack/counters.h"
#include "stack/world.h"

struct printer {
	bool json;
	bool first;
};

static void print_one(void *ctx, const char *name, u64 value)
{
	struct printer *p = ctx;

	if (p->json)
		printf("%s  \"%s\": %llu", p->first ? "{\n" : ",\n", name,
		       (unsigned long long)value);
	else
		printf("%s %llu\n", name, (unsigned long long)value);
	p->first = false;
}

static void print_counts(struct printer *p, const struct replay_counts *c)
{
	const struct {
		const char *name;
		u64 value;
	} list[] = {
		{ "Replay.Frames", c->frames },
		{ "Replay.Injected", c->injected },
		{ "Replay.Refused", c->refused },
		{ "Replay.Shortened", c->shortened },
		{ "Replay.OtherLinks", c->other_links },
		{ "Replay.Own", c->own },
		{ "Replay.Cut", c->cut },
		{ "Replay.Padded", c->padded },
		{ "Replay.LeftOut", c->left_out },
		{ "Replay.Backwards", c->backwards },
		{ "Replay.GapsShortened", c->gaps },
		{ "Replay.HeadersFixed", c->fixed },
		{ "Replay.TagsRenamed", c->renamed },
		{ "Replay.Sent", c->sent },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		print_one(p, list[i].name, list[i].value);
}

int replay_report(const struct world *w, u32 host, const struct replay_counts *counts,
		  const struct replay_options *o)
{
	struct printer p = { .json = o->json, .first = true };

	print_counts(&p, counts);
	counters_walk(w, host, print_one, &p);
	if (o->digest && o->json)
		printf(",\n  \"Digest\": \"%016llx\"", (unsigned long long)world_digest(w));
	else if (o->digest)
		printf("Digest %016llx\n", (unsigned long long)world_digest(w));
	if (o->json)
		printf("\n}\n");
	return fflush(stdout) || ferror(stdout) ? -1 : 0;
}
