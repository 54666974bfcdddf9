/* SPDX-License-Identifier: MIT */
/* The words of prio and htb, and of htb's classes (iproute2: tc/q_prio.c, q_htb.c). */
#include "tc/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTB_MTU 1600u

static const char prio_help[] = "Usage: ... prio bands NUMBER priomap P1 P2...[multiqueue]\n";
static const char htb_help[] =
	"Usage: ... qdisc add ... htb [default N] [r2q N]\n"
	"                      [direct_qlen P] [offload]\n"
	"... class add ... htb rate R1 [burst B1] [prio P] [ceil R2] [cburst B2] [quantum Q]\n";

static bool illegal(struct strbuf *error, const char *name)
{
	strbuf_printf(error, "Illegal \"%s\"\n", name);
	return false;
}

bool tc_prio_words(struct tc_command *c, struct words *w, struct strbuf *error)
{
	const char *word;
	u64 v, map = 0;
	u32 i;

	while ((word = tc_next(w)) != NULL) {
		if (strcmp(word, "bands") == 0) {
			word = tc_next(w);
			if (!word || !tc_u32(word, &v))
				return illegal(error, "bands");
			tc_put(c, TCA_BANDS, v);
		} else if (strcmp(word, "priomap") == 0) {
			for (i = 0; i <= TC_PRIO_MAX; i++) {
				word = tc_next(w);
				if (!word || !tc_u32(word, &v) || v > TC_PRIO_MAX)
					return illegal(error, "priomap element");
				map |= v << 4 * i;
			}
			tc_put(c, TCA_PRIOMAP, map);
		} else {
			strbuf_printf(error, "What is \"%s\"?\n%s", word, prio_help);
			return false;
		}
	}
	return true;
}

bool tc_htb_words(struct tc_command *c, struct words *w, struct strbuf *error)
{
	const char *word, *arg;
	char *end;
	u64 v;

	while ((word = tc_next(w)) != NULL) {
		bool def = strcmp(word, "default") == 0;
		u32 id = def				  ? TCA_DEFCLS :
			 strcmp(word, "r2q") == 0	  ? TCA_R2Q :
			 strcmp(word, "direct_qlen") == 0 ? TCA_FLOW_LIMIT :
							    0;

		if (!id) {
			strbuf_printf(error, "What is \"%s\"?\n%s", word, htb_help);
			return false;
		}
		arg = tc_next(w);
		if (!arg)
			return illegal(error, word);
		/* The minor number of a class: hexadecimal. */
		v = def ? strtoul(arg, &end, 16) : 0;
		if (def ? end == arg || *end || v > 0xffff : !tc_u32(arg, &v))
			return illegal(error, word);
		tc_put(c, id, v);
	}
	return true;
}

/* tc_calc_xmittime(): whole microseconds, in ticks of 64 ns. */
static u64 burst_ns(u64 rate, u64 size)
{
	u64 us = size * 1000000 / rate;

	return us * 1000 / 64 * 64;
}

bool tc_htb_class_words(struct tc_command *c, struct words *w, struct strbuf *error)
{
	static const struct {
		const char *name;
		bool (*read)(const char *s, u64 *v);
		u32 id;
	} options[] = { { "rate", tc_rate, TCA_RATE },	 { "ceil", tc_rate, TCA_PEAKRATE },
			{ "burst", tc_size, TCA_BURST }, { "buffer", tc_size, TCA_BURST },
			{ "cburst", tc_size, TCA_MTU },	 { "cbuffer", tc_size, TCA_MTU },
			{ "prio", tc_u32, TCA_PRIO },	 { "quantum", tc_u32, TCA_QUANTUM } };
	const char *word, *arg;
	u64 rate, ceil, v;
	size_t i;

	while ((word = tc_next(w)) != NULL) {
		for (i = 0; i < ARRAY_SIZE(options); i++)
			if (strcmp(word, options[i].name) == 0)
				break;
		if (i == ARRAY_SIZE(options)) {
			strbuf_printf(error, "What is \"%s\"?\n%s", word, htb_help);
			return false;
		}
		arg = tc_next(w);
		if (!arg || !options[i].read(arg, &v))
			return illegal(error, options[i].name);
		tc_put(c, options[i].id, v);
	}
	rate = tc_option(c, TCA_RATE);
	if (!rate) {
		strbuf_puts(error, "\"rate\" is required.\n");
		return false;
	}
	ceil = tc_option(c, TCA_PEAKRATE);
	if (!ceil)
		ceil = rate;
	tc_put(c, TCA_PEAKRATE, ceil);
	/* What a tick of the clock (1 ns) lets through, and a packet. */
	v = tc_option(c, TCA_BURST);
	tc_put(c, TCA_BURST, burst_ns(rate, v ? v : rate / 1000000000 + HTB_MTU));
	v = tc_option(c, TCA_MTU);
	tc_put(c, TCA_MTU, burst_ns(ceil, v ? v : ceil / 1000000000 + HTB_MTU));
	return true;
}
