/* SPDX-License-Identifier: MIT */
/* The words of netem (iproute2: tc/q_netem.c). */
#include "tc/option_words.h"

#include <string.h>

static const struct option netem_options[] = {
	{ "limit", SIZE, TCA_LIMIT },
	{ "gap", NUMBER, TCA_GAP },
	{ "ecn", FLAG_ON, TCA_ECN },
};

static const char netem_help[] =
	"Usage: ... netem	[ limit PACKETS ]\n"
	"			[ delay TIME [ JITTER [CORRELATION]]]\n"
	"			[ distribution {uniform|normal|pareto} ]\n"
	"			[ corrupt PERCENT [CORRELATION]]\n"
	"			[ duplicate PERCENT [CORRELATION]]\n"
	"			[ loss random PERCENT [CORRELATION]]\n"
	"			[ loss state P13 [P31 [P32 [P23 P14]]]\n"
	"			[ loss gemodel PERCENT [R [1-H [1-K]]]\n"
	"			[ ecn ]\n"
	"			[ reorder PERCENT [CORRELATION] [ gap DISTANCE ]]\n"
	"			[ rate RATE [PACKETOVERHEAD] [CELLSIZE] [CELLOVERHEAD]]\n"
	"			[ slot MIN_DELAY [MAX_DELAY] [packets MAX_PACKETS] [bytes MAX_BYTES]]\n"
	"			[ slot distribution {uniform|normal|pareto} DELAY JITTER\n"
	"			  [packets MAX_PACKETS] [bytes MAX_BYTES]]\n"
	"			[ seed SEED ]\n";

static bool is_number(const char *s)
{
	return *s >= '0' && *s <= '9';
}

/* PERCENT [CORRELATION] */
static bool netem_share(struct option_words *w, const char *name, u32 share, u32 corr)
{
	u64 v;

	if (!tc_percent(peek(w), &v))
		return tc_illegal(w, name);
	next(w);
	put(w, share, v);
	if (!is_number(peek(w)))
		return true;
	if (!tc_percent(next(w), &v))
		return tc_illegal(w, name);
	put(w, corr, v);
	return true;
}

static bool netem_delay(struct option_words *w)
{
	u64 v;

	if (!tc_time(peek(w), &v))
		return tc_illegal(w, "latency");
	next(w);
	put(w, TCA_LATENCY, v);
	if (!is_number(peek(w)))
		return true;
	if (!tc_time(next(w), &v))
		return tc_illegal(w, "latency");
	put(w, TCA_JITTER, v);
	if (!is_number(peek(w)))
		return true;
	if (!tc_percent(next(w), &v))
		return tc_illegal(w, "latency");
	put(w, TCA_DELAY_CORR, v);
	return true;
}

/* A model with its chances; those not given have what p[] has. */
static bool netem_model(struct option_words *w, u32 model, const char *name, u64 p[5], u32 n)
{
	u32 i;

	for (i = 0; i < n && is_number(peek(w)); i++)
		if (!tc_percent(next(w), &p[i]))
			return tc_illegal(w, name);
	if (!i)
		return tc_illegal(w, name);
	if (i == 1)
		p[1] = UINT32_MAX - p[0];
	put(w, TCA_LOSS_MODEL, model);
	for (i = 0; i < n; i++)
		put(w, TCA_LOSS_P1 + i, p[i]);
	return true;
}

static bool netem_loss(struct option_words *w)
{
	u64 state[5] = { 0, 0, 0, UINT32_MAX, 0 }, ge[5] = { 0, 0, UINT32_MAX, 0, 0 };
	const char *word = peek(w);

	if (strcmp(word, "state") == 0) {
		next(w);
		return netem_model(w, TC_LOSS_STATE, "loss state", state, 5);
	}
	if (strcmp(word, "gemodel") == 0) {
		next(w);
		return netem_model(w, TC_LOSS_GEMODEL, "loss gemodel", ge, 4);
	}
	if (strcmp(word, "random") == 0)
		next(w);
	else if (!is_number(word)) {
		strbuf_printf(w->error, "Unknown loss parameter: %s\n", word);
		return false;
	}
	return netem_share(w, "loss percent", TCA_LOSS, TCA_LOSS_CORR);
}

static bool netem_s32(const char *s, u64 *v)
{
	bool minus = *s == '-';

	if (!tc_u32(s + minus, v) || *v > INT32_MAX)
		return false;
	if (minus)
		*v = (u32)(0 - *v);
	return true;
}

static bool netem_rate(struct option_words *w)
{
	u64 v;

	if (!tc_rate(peek(w), &v) || !v)
		return tc_illegal(w, "rate");
	next(w);
	put(w, TCA_RATE, v);
	if (!netem_s32(peek(w), &v))
		return true;
	next(w);
	put(w, TCA_PACKET_OVERHEAD, v);
	if (!is_number(peek(w)))
		return true;
	if (!tc_u32(next(w), &v))
		return tc_illegal(w, "cell size");
	put(w, TCA_CELL_SIZE, v);
	if (!netem_s32(peek(w), &v))
		return true;
	next(w);
	put(w, TCA_CELL_OVERHEAD, v);
	return true;
}

static bool distribution_of(struct option_words *w, u64 *v)
{
	static const char *const names[TC_DIST_COUNT] = { "", "uniform", "normal", "pareto" };
	const char *word = next(w);

	for (*v = TC_DIST_UNIFORM; word && *v < TC_DIST_COUNT; ++*v)
		if (strcmp(word, names[*v]) == 0)
			return true;
	strbuf_printf(w->error, "No distribution data for %s\n", word ? word : "");
	return false;
}

/* slot MIN [MAX] | slot distribution NAME MEAN JITTER, [packets N] [bytes N] */
static bool netem_slot(struct option_words *w)
{
	bool dist = strcmp(peek(w), "distribution") == 0;
	u64 v;

	if (dist) {
		next(w);
		if (!distribution_of(w, &v))
			return false;
		put(w, TCA_SLOT_DIST, v);
	}
	if (!tc_time(peek(w), &v))
		return tc_illegal(w, dist ? "slot delay" : "slot");
	next(w);
	put(w, TCA_SLOT_MIN, v);
	if (dist && !tc_time(peek(w), &v))
		return tc_illegal(w, "slot jitter");
	if (dist || is_number(peek(w))) {
		if (!tc_time(next(w), &v))
			return tc_illegal(w, "slot");
		put(w, TCA_SLOT_MAX, v);
	}
	while (strcmp(peek(w), "packets") == 0 || strcmp(peek(w), "bytes") == 0) {
		bool packets = *next(w) == 'p';

		if (!(packets ? tc_u32 : tc_size)(peek(w), &v))
			return tc_illegal(w, packets ? "slot packets" : "slot bytes");
		next(w);
		put(w, packets ? TCA_SLOT_PACKETS : TCA_SLOT_BYTES, v);
	}
	return true;
}

static bool netem_distribution(struct option_words *w)
{
	u64 v;

	if (!distribution_of(w, &v))
		return false;
	put(w, TCA_DISTRIBUTION, v);
	return true;
}

static bool netem_seed(struct option_words *w)
{
	u64 v;

	if (!tc_u32(peek(w), &v))
		return tc_illegal(w, "seed");
	next(w);
	put(w, TCA_SEED, v);
	return true;
}

static bool netem_word(struct option_words *w, const char *word)
{
	if (strcmp(word, "delay") == 0 || strcmp(word, "latency") == 0)
		return netem_delay(w);
	if (strcmp(word, "loss") == 0 || strcmp(word, "drop") == 0)
		return netem_loss(w);
	if (strcmp(word, "duplicate") == 0)
		return netem_share(w, "duplicate", TCA_DUPLICATE, TCA_DUPLICATE_CORR);
	if (strcmp(word, "reorder") == 0)
		return netem_share(w, "reorder", TCA_REORDER, TCA_REORDER_CORR);
	if (strcmp(word, "corrupt") == 0)
		return netem_share(w, "corrupt", TCA_CORRUPT, TCA_CORRUPT_CORR);
	if (strcmp(word, "rate") == 0)
		return netem_rate(w);
	if (strcmp(word, "distribution") == 0)
		return netem_distribution(w);
	if (strcmp(word, "slot") == 0)
		return netem_slot(w);
	if (strcmp(word, "seed") == 0)
		return netem_seed(w);
	return tc_what_is(w, word, netem_help);
}

bool tc_netem_words(struct option_words *w)
{
	const char *word;
	u64 v, latency;

	while ((word = next(w)) != NULL) {
		int taken = tc_simple(w, word, netem_options, ARRAY_SIZE(netem_options));

		if (taken < 0 || (!taken && !netem_word(w, word)))
			return false;
	}
	if (tc_get(w, TCA_REORDER, &v) && !(tc_get(w, TCA_LATENCY, &latency) && latency)) {
		strbuf_printf(w->error, "reordering not possible without specifying some delay\n%s",
			      netem_help);
		return false;
	}
	if (tc_get(w, TCA_DISTRIBUTION, &v) && !(tc_get(w, TCA_JITTER, &latency) && latency)) {
		strbuf_printf(w->error,
			      "distribution specified but no latency and jitter values\n%s",
			      netem_help);
		return false;
	}
	return true;
}
