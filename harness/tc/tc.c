/* SPDX-License-Identifier: MIT */
/*
 * `tc qdisc add|change|replace|link|delete|show` (iproute2's tc_qdisc.c): verb, device, place,
 * kind; the words of the kinds are in options.c.
 */
#include "tc/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct words {
	int argc, at;
	const char *const *argv;
};

static const char *next(struct words *w)
{
	return w->at < w->argc ? w->argv[w->at++] : NULL;
}

/* matches(): a word may be cut short. */
static bool matches(const char *word, const char *full)
{
	return *word && strncmp(word, full, strlen(word)) == 0;
}

static bool copy_name(char *to, const char *from)
{
	if (strlen(from) >= TC_NAME_MAX)
		return false;
	snprintf(to, TC_NAME_MAX, "%s", from);
	return true;
}

/* get_qdisc_handle(), get_tc_classid(): "1:", "1:2", ":2"; hexadecimal. */
static bool read_handle(const char *s, u32 *h)
{
	char *end;
	unsigned long major = 0, minor = 0;

	if (*s != ':') {
		major = strtoul(s, &end, 16);
		if (end == s || major > 0xffff)
			return false;
		s = end;
	}
	if (*s == ':') {
		s++;
		if (*s) {
			minor = strtoul(s, &end, 16);
			if (end == s || minor > 0xffff)
				return false;
			s = end;
		}
	}
	*h = (u32)(major << 16 | minor);
	return *s == 0;
}

static bool wrong(struct strbuf *error, const char *word, const char *what)
{
	strbuf_printf(error, "Error: argument \"%s\" is wrong: %s\n", word, what);
	return false;
}

static bool incomplete(struct strbuf *error)
{
	strbuf_puts(error, "Command line is not complete. Try option \"help\"\n");
	return false;
}

/* Where it hangs. 1: taken, 0: not such a word, -1: wrong. */
static int place_word(struct words *w, const char *word, struct tc_command *c, struct strbuf *error)
{
	const char *arg;

	if (strcmp(word, "root") == 0) {
		if (c->parent) {
			strbuf_puts(error, "Error: \"root\" is duplicate parent ID\n");
			return -1;
		}
		c->parent = TC_H_ROOT;
		return 1;
	}
	if (strcmp(word, "parent") != 0 && strcmp(word, "handle") != 0)
		return 0;
	arg = next(w);
	if (!arg)
		return incomplete(error) ? 0 : -1;
	if (*word == 'h') {
		if (read_handle(arg, &c->handle) && c->handle && !TC_H_MIN(c->handle))
			return 1;
		wrong(error, arg, "invalid qdisc ID");
		return -1;
	}
	if (c->parent) {
		wrong(error, arg, "parent is duplicate");
		return -1;
	}
	if (read_handle(arg, &c->parent) && c->parent)
		return 1;
	wrong(error, arg, "invalid parent ID");
	return -1;
}

static bool read_request(struct words *w, struct tc_command *c, struct strbuf *error)
{
	const char *word;

	while ((word = next(w)) != NULL) {
		int place;

		if (strcmp(word, "dev") == 0) {
			word = next(w);
			if (!word)
				return incomplete(error);
			if (c->dev[0]) {
				strbuf_printf(
					error,
					"Error: duplicate \"dev\": \"%s\" is the second value.\n",
					word);
				return false;
			}
			if (!copy_name(c->dev, word))
				return wrong(error, word, "not a valid ifname");
			continue;
		}
		place = place_word(w, word, c, error);
		if (place < 0)
			return false;
		if (place)
			continue;
		if (!copy_name(c->kind, word))
			return wrong(error, word, "not a kind of qdisc");
		if (!tc_read_options(c, w->argc - w->at, w->argv + w->at, error))
			return false;
		break;
	}
	if (c->dev[0])
		return true;
	strbuf_puts(error, "Command line is not complete. Try option \"help\"\n");
	return false;
}

static bool read_show(struct words *w, struct tc_command *c, struct strbuf *error)
{
	const char *word;

	c->show = true;
	while ((word = next(w)) != NULL) {
		if (strcmp(word, "dev") != 0) {
			strbuf_printf(error, "What is \"%s\"? Try \"tc qdisc help\".\n", word);
			return false;
		}
		word = next(w);
		if (!word)
			return incomplete(error);
		if (!copy_name(c->dev, word))
			return wrong(error, word, "not a valid ifname");
	}
	return true;
}

static bool read_verb(const char *verb, enum tc_verb *v)
{
	static const struct {
		const char *name;
		enum tc_verb verb;
	} verbs[] = { { "add", TC_ADD },
		      { "change", TC_CHANGE },
		      { "replace", TC_REPLACE },
		      { "link", TC_LINK },
		      { "delete", TC_DELETE } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!matches(verb, verbs[i].name))
			continue;
		*v = verbs[i].verb;
		return true;
	}
	return false;
}

bool tc_parse(int argc, const char *const *argv, struct tc_command *c, struct strbuf *error)
{
	struct words w = { .argc = argc, .argv = argv };
	const char *word;

	memset(c, 0, sizeof(*c));
	while ((word = next(&w)) != NULL && *word == '-') {
		if (matches(word, "-statistics") || matches(word, "-stats")) {
			c->stats = true;
		} else if (!matches(word, "-details")) {
			strbuf_printf(error, "Option \"%s\" is unknown, try \"tc -help\".\n", word);
			return false;
		}
	}
	if (!word || !matches(word, "qdisc")) {
		strbuf_printf(error, "Object \"%s\" is unknown, try \"tc help\".\n",
			      word ? word : "");
		return false;
	}
	word = next(&w);
	if (!word || matches(word, "show") || matches(word, "list") || strcmp(word, "lst") == 0 ||
	    strcmp(word, "ls") == 0)
		return read_show(&w, c, error);
	if (!read_verb(word, &c->verb)) {
		strbuf_printf(error, "Command \"%s\" is unknown, try \"tc qdisc help\".\n", word);
		return false;
	}
	return read_request(&w, c, error);
}

void tc_refused(struct strbuf *out, const char *extack, const char *errno_text)
{
	if (*extack)
		strbuf_printf(out, "Error: %s\n", extack);
	else
		strbuf_printf(out, "RTNETLINK answers: %s\n", errno_text);
}
