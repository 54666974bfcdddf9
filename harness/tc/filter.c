/* SPDX-License-Identifier: MIT */
/* `tc filter add|change|replace|delete|show` (iproute2: tc/tc_filter.c, f_*.c, m_gact.c,
 * m_mirred.c). */
#include "tc/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ETH_P_ALL 3u

static bool illegal(struct strbuf *error, const char *name)
{
	strbuf_printf(error, "Illegal \"%s\"\n", name);
	return false;
}

static bool bad_action(struct strbuf *error, const char *name)
{
	strbuf_printf(error,
		      "bad action parsing\nparse_action: bad value (%s)!\nIllegal \"action\"\n",
		      name);
	return false;
}

/* ---- actions ---- */

static bool verdict_of(const char *word, s32 *verdict)
{
	static const struct {
		const char *name;
		s32 verdict;
	} words[] = { { "drop", TC_ACT_SHOT },	   { "shot", TC_ACT_SHOT },
		      { "ok", TC_ACT_OK },	   { "pass", TC_ACT_OK },
		      { "pipe", TC_ACT_PIPE },	   { "continue", TC_ACT_UNSPEC },
		      { "stolen", TC_ACT_STOLEN }, { "reclassify", TC_ACT_RECLASSIFY } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i].name) == 0) {
			*verdict = words[i].verdict;
			return true;
		}
	return false;
}

/* egress|ingress redirect|mirror dev DEV */
static bool mirred(struct words *w, struct tc_command *c, struct strbuf *error)
{
	const char *way = tc_next(w), *how = tc_next(w), *dev = tc_next(w), *name = tc_next(w);
	bool in = way && strcmp(way, "ingress") == 0;
	bool mirror = how && strcmp(how, "mirror") == 0;
	u64 part[2] = { 0, 0 };
	size_t i;

	if (!name || (!in && strcmp(way, "egress") != 0) ||
	    (!mirror && strcmp(how, "redirect") != 0) || strcmp(dev, "dev") != 0 ||
	    strlen(name) > 15)
		return bad_action(error, "mirred");
	for (i = 0; name[i]; i++)
		part[i / 8] |= (u64)(u8)name[i] << 8 * (i % 8);
	return tc_append(c, TCF_MIRRED,
			 in ? (mirror ? TCF_INGRESS_MIRROR : TCF_INGRESS_REDIR) :
			      (mirror ? TCF_EGRESS_MIRROR : TCF_EGRESS_REDIR)) &&
	       tc_append(c, TCF_DEV, part[0]) && tc_append(c, TCF_DEV2, part[1]);
}

static bool action(struct words *w, struct tc_command *c, struct strbuf *error)
{
	const char *word = tc_next(w);
	s32 verdict;

	if (!word)
		return bad_action(error, "");
	if (strcmp(word, "mirred") == 0)
		return mirred(w, c, error);
	if (strcmp(word, "gact") == 0)
		word = tc_next(w);
	if (!word || !verdict_of(word, &verdict))
		return bad_action(error, word ? word : "gact");
	return tc_append(c, TCF_GACT, (u64)(u32)verdict);
}

/* ---- kinds ---- */

/* Words that all kinds have. 1: taken, 0: another, -1: wrong. */
static int common_word(const char *word, struct words *w, struct tc_command *c,
		       struct strbuf *error)
{
	u32 id;

	if (strcmp(word, "classid") == 0 || strcmp(word, "flowid") == 0) {
		const char *arg = tc_next(w);

		if (!arg || !tc_handle(arg, &id) || !id) {
			illegal(error, "classid");
			return -1;
		}
		tc_put(c, TCF_CLASSID, id);
		return 1;
	}
	if (strcmp(word, "action") != 0)
		return 0;
	return action(w, c, error) ? 1 : -1;
}

static bool kind_words(struct words *w, struct tc_command *c, struct strbuf *error)
{
	bool u32_kind = strcmp(c->kind, "u32") == 0;
	const char *word;

	if (!u32_kind && strcmp(c->kind, "matchall") != 0 && strcmp(c->kind, "fw") != 0) {
		if (w->at == w->argc)
			return true; /* the kernel knows whether there is such a one */
		strbuf_printf(error, "Unknown filter \"%s\", hence option \"%s\" is unparsable\n",
			      c->kind, w->argv[w->at]);
		return false;
	}
	while ((word = tc_next(w)) != NULL) {
		int taken = common_word(word, w, c, error);

		if (taken < 0)
			return false;
		if (taken)
			continue;
		if (u32_kind && strcmp(word, "match") == 0) {
			if (!tc_u32_match(w, c))
				return illegal(error, "match");
			continue;
		}
		strbuf_printf(error, "What is \"%s\"?\n", word);
		return false;
	}
	return true;
}

/* ---- the command ---- */

static bool protocol_of(const char *word, u32 *protocol)
{
	static const struct {
		const char *name;
		u32 protocol;
	} words[] = { { "all", ETH_P_ALL }, { "ip", 0x0800 },	  { "ipv4", 0x0800 },
		      { "ipv6", 0x86dd },   { "arp", 0x0806 },	  { "802.1q", 0x8100 },
		      { "802.1Q", 0x8100 }, { "802.1ad", 0x88a8 } };
	char *end;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i].name) == 0) {
			*protocol = words[i].protocol;
			return true;
		}
	*protocol = (u32)strtoul(word, &end, 0);
	return end != word && !*end && *protocol && *protocol <= 0xffff;
}

/* u32: HT:BUCKET:NODE, fw: MARK[/MASK], matchall: a number. */
static bool handle_of(const char *word, struct tc_command *c)
{
	unsigned int table, node;
	char rest;
	u64 v, mask;

	if (sscanf(word, "%x::%x%c", &table, &node, &rest) == 2 && table <= 0xfff &&
	    node <= 0xfff) {
		c->handle = table << 20 | node;
		return true;
	}
	if (strchr(word, '/')) {
		char mark[32];

		snprintf(mark, sizeof(mark), "%.*s", (int)(strchr(word, '/') - word), word);
		if (!tc_number(strchr(word, '/') + 1, &mask))
			return false;
		tc_put(c, TCF_MASK, mask);
		word = mark;
		if (!tc_number(word, &v))
			return false;
	} else if (!tc_number(word, &v)) {
		return false;
	}
	c->handle = (u32)v;
	return true;
}

static bool duplicate_parent(struct strbuf *error, const char *word)
{
	strbuf_printf(error, "Error: \"%s\" is duplicate parent ID\n", word);
	return false;
}

/* Words of one meaning each. 1: taken, 0: another, -1: wrong. */
static int place_word(const char *word, struct words *w, struct tc_command *c, struct strbuf *error)
{
	u32 place = strcmp(word, "root") == 0	 ? TC_H_ROOT :
		    strcmp(word, "ingress") == 0 ? TC_H_INGRESS_QDISC | TC_H_MIN_INGRESS :
		    strcmp(word, "egress") == 0	 ? TC_H_INGRESS_QDISC | TC_H_MIN_EGRESS :
						   0;
	const char *arg;

	if (!place && strcmp(word, "parent") != 0)
		return 0;
	if (c->parent)
		return duplicate_parent(error, word) ? 1 : -1;
	if (!place) {
		arg = tc_next(w);
		if (!arg || !tc_handle(arg, &place) || !place) {
			strbuf_puts(error, "Invalid parent ID\n");
			return -1;
		}
	}
	c->parent = place;
	return 1;
}

static bool value_word(const char *word, const char *arg, struct tc_command *c,
		       struct strbuf *error)
{
	u64 v;

	if (strcmp(word, "dev") == 0) {
		if (strlen(arg) >= sizeof(c->dev))
			return illegal(error, "dev");
		snprintf(c->dev, sizeof(c->dev), "%s", arg);
		return true;
	}
	if (*word == 'p' && word[2] == 'o') { /* protocol */
		if (protocol_of(arg, &c->protocol))
			return true;
		strbuf_printf(error, "Error: argument \"%s\" is wrong: invalid protocol\n", arg);
		return false;
	}
	if (strcmp(word, "chain") == 0) {
		if (strcmp(arg, "0") == 0)
			return true;
		strbuf_puts(error, "Error: there is no chain but 0 here\n");
		return false;
	}
	if (strcmp(word, "handle") == 0)
		return handle_of(arg, c) || illegal(error, "handle");
	if (!tc_number(arg, &v) || v > 0xffff) {
		strbuf_printf(error, "Error: argument \"%s\" is wrong: invalid priority value\n",
			      arg);
		return false;
	}
	c->prio = (u32)v;
	return true;
}

bool tc_read_filter(struct words *w, struct tc_command *c, struct strbuf *error)
{
	static const char *const with_value[] = { "dev",	"protocol", "prio",  "pref",
						  "preference", "priority", "chain", "handle" };
	const char *word;

	while ((word = tc_next(w)) != NULL) {
		int taken = place_word(word, w, c, error);
		const char *arg;
		size_t i = 0;

		if (taken < 0)
			return false;
		if (taken)
			continue;
		while (i < ARRAY_SIZE(with_value) && strcmp(word, with_value[i]) != 0)
			i++;
		if (i < ARRAY_SIZE(with_value)) {
			arg = tc_next(w);
			if (!arg) {
				strbuf_puts(error, "Command line is not complete. Try option "
						   "\"help\"\n");
				return false;
			}
			if (!value_word(word, arg, c, error))
				return false;
			continue;
		}
		if (strlen(word) >= sizeof(c->kind))
			return illegal(error, "kind");
		snprintf(c->kind, sizeof(c->kind), "%s", word);
		if (!kind_words(w, c, error))
			return false;
	}
	if (!c->dev[0] && !c->show) {
		strbuf_puts(error, "RTNETLINK answers: No such device\n"
				   "We have an error talking to the kernel\n");
		return false;
	}
	if (!c->show && c->verb != TC_DELETE && c->kind[0] && !c->protocol)
		c->protocol = ETH_P_ALL;
	return true;
}
