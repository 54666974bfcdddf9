/* SPDX-License-Identifier: MIT */
/*
 * The words of the kinds: most are a name and a number (the tables below); netem's take several,
 * and tbf's depend on each other.
 */
#include "tc/options.h"

#include <string.h>

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

static const struct option netem_options[] = {
	{ "limit", SIZE, TCA_LIMIT },
	{ "gap", NUMBER, TCA_GAP },
	{ "ecn", FLAG_ON, TCA_ECN },
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
static const char netem_help[] =
	"Usage: ... netem	[ limit PACKETS ]\n"
	"			[ delay TIME [ JITTER [CORRELATION]]]\n"
	"			[ distribution {uniform|normal} ]\n"
	"			[ corrupt PERCENT [CORRELATION]]\n"
	"			[ duplicate PERCENT [CORRELATION]]\n"
	"			[ loss random PERCENT [CORRELATION]]\n"
	"			[ loss state P13 [P31 [P32 [P23 P14]]]\n"
	"			[ loss gemodel PERCENT [R [1-H [1-K]]]\n"
	"			[ ecn ]\n"
	"			[ reorder PERCENT [CORRELATION] [ gap DISTANCE ]]\n"
	"			[ rate RATE [PACKETOVERHEAD] [CELLSIZE] [CELLOVERHEAD]]\n"
	"			[ seed SEED ]\n";
static const char tbf_help[] =
	"Usage: ... tbf limit BYTES burst BYTES[/BYTES] rate KBPS [ mtu BYTES[/BYTES] ]\n"
	"	[ peakrate KBPS ] [ latency TIME ]\n";
static const char fifo_help[] = "Usage: ... <[p|b]fifo | pfifo_head_drop> [ limit NUMBER ]\n";

/* ---- words ---- */

static const char *next(struct option_words *w)
{
	return w->at < w->argc ? w->argv[w->at++] : NULL;
}

static const char *peek(const struct option_words *w)
{
	return w->at < w->argc ? w->argv[w->at] : "";
}

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

static void put(struct option_words *w, u32 id, u64 value)
{
	tc_put(w->c, id, value);
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

static bool get(const struct option_words *w, u32 id, u64 *value)
{
	return find(w->c, id, value);
}

u64 tc_option(const struct tc_command *c, enum tca id)
{
	u64 value;

	return find(c, id, &value) ? value : 0;
}

static bool illegal(struct option_words *w, const char *name)
{
	strbuf_printf(w->error, "Illegal \"%s\"\n", name);
	return false;
}

static bool what_is(struct option_words *w, const char *word, const char *help)
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

/* 1: taken, 0: none of these, -1: wrong. */
static int simple(struct option_words *w, const char *word, const struct option *o, size_t n)
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
		illegal(w, o->name);
		return -1;
	}
	put(w, o->id, v);
	return 1;
}

static bool all_simple(struct option_words *w, const struct option *o, size_t n, const char *help)
{
	const char *word;

	while ((word = next(w)) != NULL) {
		int taken = simple(w, word, o, n);

		if (taken < 0)
			return false;
		if (!taken)
			return what_is(w, word, help);
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
		return illegal(w, "bands");
	word = next(w);
	if (!word || strcmp(word, "priomap") != 0)
		return what_is(w, word ? word : "", fq_help);
	for (i = 0; i <= TC_PRIO_MAX; i++) {
		word = next(w);
		if (!word || !tc_u32(word, &v) || v > 2)
			return illegal(w, "priomap element");
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
			return illegal(w, "weight");
		put(w, TCA_WEIGHT0 + i, v);
	}
	return true;
}

static bool fq_words(struct option_words *w)
{
	const char *word;

	while ((word = next(w)) != NULL) {
		int taken = simple(w, word, fq_options, ARRAY_SIZE(fq_options));

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
			return what_is(w, word, fq_help);
		}
	}
	return true;
}

/* ---- netem ---- */

static bool is_number(const char *s)
{
	return *s >= '0' && *s <= '9';
}

/* PERCENT [CORRELATION] */
static bool netem_share(struct option_words *w, const char *name, u32 share, u32 corr)
{
	u64 v;

	if (!tc_percent(peek(w), &v))
		return illegal(w, name);
	next(w);
	put(w, share, v);
	if (!is_number(peek(w)))
		return true;
	if (!tc_percent(next(w), &v))
		return illegal(w, name);
	put(w, corr, v);
	return true;
}

static bool netem_delay(struct option_words *w)
{
	u64 v;

	if (!tc_time(peek(w), &v))
		return illegal(w, "latency");
	next(w);
	put(w, TCA_LATENCY, v);
	if (!is_number(peek(w)))
		return true;
	if (!tc_time(next(w), &v))
		return illegal(w, "latency");
	put(w, TCA_JITTER, v);
	if (!is_number(peek(w)))
		return true;
	if (!tc_percent(next(w), &v))
		return illegal(w, "latency");
	put(w, TCA_DELAY_CORR, v);
	return true;
}

/* A model with its chances; those not given have what p[] has. */
static bool netem_model(struct option_words *w, u32 model, const char *name, u64 p[5], u32 n)
{
	u32 i;

	for (i = 0; i < n && is_number(peek(w)); i++)
		if (!tc_percent(next(w), &p[i]))
			return illegal(w, name);
	if (!i)
		return illegal(w, name);
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
		return illegal(w, "rate");
	next(w);
	put(w, TCA_RATE, v);
	if (!netem_s32(peek(w), &v))
		return true;
	next(w);
	put(w, TCA_PACKET_OVERHEAD, v);
	if (!is_number(peek(w)))
		return true;
	if (!tc_u32(next(w), &v))
		return illegal(w, "cell size");
	put(w, TCA_CELL_SIZE, v);
	if (!netem_s32(peek(w), &v))
		return true;
	next(w);
	put(w, TCA_CELL_OVERHEAD, v);
	return true;
}

static bool netem_distribution(struct option_words *w)
{
	const char *word = next(w);

	if (word && strcmp(word, "uniform") == 0)
		put(w, TCA_DISTRIBUTION, TC_DIST_UNIFORM);
	else if (word && strcmp(word, "normal") == 0)
		put(w, TCA_DISTRIBUTION, TC_DIST_NORMAL);
	else {
		strbuf_printf(w->error, "No distribution data for %s\n", word ? word : "");
		return false;
	}
	return true;
}

static bool netem_seed(struct option_words *w)
{
	u64 v;

	if (!tc_u32(peek(w), &v))
		return illegal(w, "seed");
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
	if (strcmp(word, "seed") == 0)
		return netem_seed(w);
	return what_is(w, word, netem_help);
}

static bool netem_words(struct option_words *w)
{
	const char *word;
	u64 v, latency;

	while ((word = next(w)) != NULL) {
		int taken = simple(w, word, netem_options, ARRAY_SIZE(netem_options));

		if (taken < 0 || (!taken && !netem_word(w, word)))
			return false;
	}
	if (get(w, TCA_REORDER, &v) && !(get(w, TCA_LATENCY, &latency) && latency)) {
		strbuf_printf(w->error, "reordering not possible without specifying some delay\n%s",
			      netem_help);
		return false;
	}
	if (get(w, TCA_DISTRIBUTION, &v) && !(get(w, TCA_JITTER, &latency) && latency)) {
		strbuf_printf(w->error,
			      "distribution specified but no latency and jitter values\n%s",
			      netem_help);
		return false;
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
	has_limit = get(w, TCA_LIMIT, &limit);
	has_latency = get(w, TCA_LATENCY, &latency);
	if (!get(w, TCA_RATE, &rate) || !rate || !get(w, TCA_BURST, &burst) || !burst) {
		strbuf_puts(w->error, "Both \"rate\" and \"burst\" are required.\n");
		return false;
	}
	if (get(w, TCA_PEAKRATE, &peakrate) && !get(w, TCA_MTU, &mtu)) {
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
		if (get(w, TCA_PEAKRATE, &peakrate) && rate_bytes(peakrate, latency) + mtu < limit)
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
		return netem_words(&w);
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
