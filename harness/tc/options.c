/* SPDX-License-Identifier: MIT */
/*
 * The words of the kinds: most are a name and a number (the tables below); tbf's
 * depend on each other.
 */
#include "tc/option_words.h"

#include <string.h>

static const struct option pfifo_options[] = { { "limit", NUMBER, TCA_LIMIT } };
static const struct option bfifo_options[] = { { "limit", SIZE, TCA_LIMIT } };

static const struct option fq_options[] = {
	{ "limit", NUMBER, TCA_LIMIT },
	{ "flow_limit", NUMBER, TCA_FLOW_LIMIT },
	{ "buckets", NUMBER, TCA_BUCKETS },
	{ "maxrate", RATE, TCA_MAXRATE },
	{ "low_rate_threshold", RATE, TCA_LOW_RATE_THRESHOLD },
	{ "ce_threshold", TIME, TCA_CE_THRESHOLD },
	{ "quantum", SIZE, TCA_QUANTUM },
	{ "initial_quantum", SIZE, TCA_INITIAL_QUANTUM },
	{ "orphan_mask", NUMBER, TCA_ORPHAN_MASK },
	{ "refill_delay", TIME, TCA_REFILL_DELAY },
	{ "pacing", FLAG_ON, TCA_PACING },
	{ "nopacing", FLAG_OFF, TCA_PACING },
	{ "timer_slack", TIME, TCA_TIMER_SLACK },
	{ "horizon", TIME, TCA_HORIZON },
	{ "horizon_drop", FLAG_ON, TCA_HORIZON_DROP },
	{ "horizon_cap", FLAG_OFF, TCA_HORIZON_DROP },
	{ "offload_horizon", TIME, TCA_OFFLOAD_HORIZON },
};

static const struct option fq_codel_options[] = {
	{ "limit", NUMBER, TCA_LIMIT },
	{ "flows", NUMBER, TCA_FLOWS },
	{ "quantum", NUMBER, TCA_QUANTUM },
	{ "target", TIME, TCA_TARGET },
	{ "ce_threshold", TIME, TCA_CE_THRESHOLD },
	{ "memory_limit", SIZE, TCA_MEMORY_LIMIT },
	{ "interval", TIME, TCA_INTERVAL },
	{ "ecn", FLAG_ON, TCA_ECN },
	{ "noecn", FLAG_OFF, TCA_ECN },
	{ "drop_batch", NUMBER, TCA_DROP_BATCH },
};

static const struct option tbf_options[] = {
	{ "limit", SIZE, TCA_LIMIT },	 { "latency", TIME, TCA_LATENCY },
	{ "burst", SIZE, TCA_BURST },	 { "buffer", SIZE, TCA_BURST },
	{ "maxburst", SIZE, TCA_BURST }, { "mtu", SIZE, TCA_MTU },
	{ "minburst", SIZE, TCA_MTU },	 { "peakrate", RATE, TCA_PEAKRATE },
	{ "rate", RATE, TCA_RATE },
};

/* What an unknown word is answered with. */
static const char fq_help[] = "Usage: ... fq	[ limit PACKETS ] [ flow_limit PACKETS ]\n"
			      "		[ quantum BYTES ] [ initial_quantum BYTES ]\n"
			      "		[ maxrate RATE ] [ buckets NUMBER ]\n"
			      "		[ [no]pacing ] [ refill_delay TIME ]\n"
			      "		[ bands 3 priomap P0 P1 ... P14 P15 ]\n"
			      "		[ weights W1 W2 W3 ]\n"
			      "		[ low_rate_threshold RATE ]\n"
			      "		[ orphan_mask MASK]\n"
			      "		[ timer_slack TIME]\n"
			      "		[ ce_threshold TIME ]\n"
			      "		[ horizon TIME ]\n"
			      "		[ horizon_{cap|drop} ]\n"
			      "		[ offload_horizon TIME ]\n";
/* Version 14 of clang-format changes its mind about this one at each run. */
/* clang-format off */
static const char fq_codel_help[] =
	"Usage: ... fq_codel	[ limit PACKETS ] [ flows NUMBER ]\n"
	"			[ memory_limit BYTES ]\n"
	"			[ target TIME ] [ interval TIME ]\n"
	"			[ quantum BYTES ] [ [no]ecn ]\n"
	"			[ ce_threshold TIME ]\n"
	"			[ drop_batch SIZE ]\n";
/* clang-format on */
static const char tbf_help[] =
	"Usage: ... tbf limit BYTES burst BYTES[/BYTES] rate KBPS [ mtu BYTES[/BYTES] ]\n"
	"	[ peakrate KBPS ] [ latency TIME ]\n";
static const char fifo_help[] = "Usage: ... <[p|b]fifo | pfifo_head_drop> [ limit NUMBER ]\n";

/* ---- words ---- */

static void store(u8 *to, u32 id, u64 value)
{
	to[0] = (u8)id;
	for (u32 i = 0; i < 8; i++)
		to[1 + i] = (u8)(value >> 8 * i);
}

void tc_put(struct tc_command *c, u32 id, u64 value)
{
	u32 at = 0;

	while (at < c->options_len && c->options[at] != id)
		at += TC_OPTION_LEN;
	if (at == c->options_len)
		tc_append(c, id, value);
	else
		store(c->options + at, id, value);
}

bool tc_append(struct tc_command *c, u32 id, u64 value)
{
	if (c->options_len + TC_OPTION_LEN > sizeof(c->options))
		return false;
	store(c->options + c->options_len, id, value);
	c->options_len += TC_OPTION_LEN;
	return true;
}

static bool find(const struct tc_command *c, u32 id, u64 *value)
{
	for (u32 at = 0; at < c->options_len; at += TC_OPTION_LEN) {
		if (c->options[at] != id)
			continue;
		*value = 0;
		for (u32 i = 8; i--;)
			*value = *value << 8 | c->options[at + 1 + i];
		return true;
	}
	return false;
}

bool tc_get(const struct option_words *w, u32 id, u64 *value)
{
	return find(w->c, id, value);
}

u64 tc_option(const struct tc_command *c, enum tca id)
{
	u64 value;

	return find(c, id, &value) ? value : 0;
}

bool tc_illegal(struct option_words *w, const char *name)
{
	strbuf_printf(w->error, "Illegal \"%s\"\n", name);
	return false;
}

bool tc_what_is(struct option_words *w, const char *word, const char *help)
{
	strbuf_printf(w->error, "What is \"%s\"?\n%s", word, help);
	return false;
}

static bool read_value(enum reads reads, const char *s, u64 *v)
{
	switch (reads) {
	case SIZE:
		return tc_size(s, v);
	case RATE:
		return tc_rate(s, v);
	case TIME:
		return tc_time(s, v);
	case PERCENT:
		return tc_percent(s, v);
	case NUMBER:
	default:
		return tc_u32(s, v);
	}
}

int tc_simple(struct option_words *w, const char *word, const struct option *o, size_t n)
{
	const char *arg;
	u64 v;

	while (n && strcmp(o->name, word) != 0)
		o++, n--;
	if (!n)
		return 0;
	if (o->reads == FLAG_ON || o->reads == FLAG_OFF) {
		put(w, o->id, o->reads == FLAG_ON);
		return 1;
	}
	arg = next(w);
	if (!arg) {
		strbuf_puts(w->error, "Command line is not complete. Try option \"help\"\n");
		return -1;
	}
	if (!read_value(o->reads, arg, &v)) {
		tc_illegal(w, o->name);
		return -1;
	}
	put(w, o->id, v);
	return 1;
}

static bool all_simple(struct option_words *w, const struct option *o, size_t n, const char *help)
{
	const char *word;

	while ((word = next(w)) != NULL) {
		int taken = tc_simple(w, word, o, n);

		if (taken < 0)
			return false;
		if (!taken)
			return tc_what_is(w, word, help);
	}
	return true;
}

/* ---- fq ---- */

static bool fq_bands(struct option_words *w)
{
	const char *word = next(w);
	u64 v, map = 0;
	u32 i;

	if (!word || !tc_u32(word, &v) || v != 3)
		return tc_illegal(w, "bands");
	word = next(w);
	if (!word || strcmp(word, "priomap") != 0)
		return tc_what_is(w, word ? word : "", fq_help);
	for (i = 0; i <= TC_PRIO_MAX; i++) {
		word = next(w);
		if (!word || !tc_u32(word, &v) || v > 2)
			return tc_illegal(w, "priomap element");
		map |= v << 4 * i;
	}
	put(w, TCA_PRIOMAP, map);
	return true;
}

static bool fq_weights(struct option_words *w)
{
	u32 i;
	u64 v;

	for (i = 0; i < 3; i++) {
		const char *word = next(w);

		if (!word || !tc_u32(word, &v))
			return tc_illegal(w, "weight");
		put(w, TCA_WEIGHT0 + i, v);
	}
	return true;
}

static bool fq_words(struct option_words *w)
{
	const char *word;

	while ((word = next(w)) != NULL) {
		int taken = tc_simple(w, word, fq_options, ARRAY_SIZE(fq_options));

		if (taken < 0)
			return false;
		if (taken)
			continue;
		if (strcmp(word, "bands") == 0) {
			if (!fq_bands(w))
				return false;
		} else if (strcmp(word, "weights") == 0) {
			if (!fq_weights(w))
				return false;
		} else {
			return tc_what_is(w, word, fq_help);
		}
	}
	return true;
}

/* ---- tbf ---- */

/* Bytes that a rate makes in a time. */
static u64 rate_bytes(u64 rate, u64 ns)
{
	return rate / 1000000 * ns / 1000 + rate % 1000000 * (ns / 1000) / 1000000;
}

static bool tbf_words(struct option_words *w)
{
	u64 rate, burst, latency = 0, limit, peakrate, mtu = 0;
	bool has_limit, has_latency;

	if (!all_simple(w, tbf_options, ARRAY_SIZE(tbf_options), tbf_help))
		return false;
	has_limit = tc_get(w, TCA_LIMIT, &limit);
	has_latency = tc_get(w, TCA_LATENCY, &latency);
	if (!tc_get(w, TCA_RATE, &rate) || !rate || !tc_get(w, TCA_BURST, &burst) || !burst) {
		strbuf_puts(w->error, "Both \"rate\" and \"burst\" are required.\n");
		return false;
	}
	if (tc_get(w, TCA_PEAKRATE, &peakrate) && !tc_get(w, TCA_MTU, &mtu)) {
		strbuf_puts(w->error, "\"mtu\" is required, if \"peakrate\" is requested.\n");
		return false;
	}
	if (!has_limit && !has_latency) {
		strbuf_puts(w->error, "Either \"limit\" or \"latency\" is required.\n");
		return false;
	}
	if (has_limit && has_latency) {
		strbuf_puts(w->error,
			    "Parameters \"limit\" and \"latency\" can not be given together.\n");
		return false;
	}
	if (!has_limit) {
		limit = rate_bytes(rate, latency) + burst;
		if (tc_get(w, TCA_PEAKRATE, &peakrate) &&
		    rate_bytes(peakrate, latency) + mtu < limit)
			limit = rate_bytes(peakrate, latency) + mtu;
		put(w, TCA_LIMIT, limit);
	}
	return true;
}

/* ---- kinds ---- */

bool tc_read_options(struct tc_command *c, int argc, const char *const *argv, struct strbuf *error)
{
	struct option_words w = { .c = c, .argc = argc, .argv = argv, .error = error };
	struct words plain = { argc, 0, argv };

	if (strcmp(c->kind, "pfifo") == 0)
		return all_simple(&w, pfifo_options, ARRAY_SIZE(pfifo_options), fifo_help);
	if (strcmp(c->kind, "bfifo") == 0)
		return all_simple(&w, bfifo_options, ARRAY_SIZE(bfifo_options), fifo_help);
	if (strcmp(c->kind, "fq") == 0)
		return fq_words(&w);
	if (strcmp(c->kind, "fq_codel") == 0)
		return all_simple(&w, fq_codel_options, ARRAY_SIZE(fq_codel_options),
				  fq_codel_help);
	if (strcmp(c->kind, "netem") == 0)
		return tc_netem_words(&w);
	if (strcmp(c->kind, "tbf") == 0)
		return tbf_words(&w);
	if (strcmp(c->kind, "prio") == 0)
		return tc_prio_words(c, &plain, error);
	if (strcmp(c->kind, "htb") == 0)
		return tc_htb_words(c, &plain, error);
	/* The kernel knows whether there is such a one. */
	if (!argc)
		return true;
	strbuf_printf(error, "Unknown qdisc \"%s\", hence option \"%s\" is unparsable\n", c->kind,
		      argv[0]);
	return false;
}
