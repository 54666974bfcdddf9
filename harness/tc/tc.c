/* SPDX-License-Identifier: MIT */
/*
 * `tc qdisc add|change|replace|link|delete|show` (iproute2's tc_qdisc.c): verb, device, place,
 * kind; the words of the kinds are in options.c.
 */
#include "tc/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* get_tc_classid() */
bool tc_handle(const char *s, u32 *h)
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
	arg = tc_next(w);
	if (!arg)
		return incomplete(error) ? 0 : -1;
	if (*word == 'h') {
		if (tc_handle(arg, &c->handle) && c->handle && !TC_H_MIN(c->handle))
			return 1;
		wrong(error, arg, "invalid qdisc ID");
		return -1;
	}
	if (c->parent) {
		wrong(error, arg, "parent is duplicate");
		return -1;
	}
	if (tc_handle(arg, &c->parent) && c->parent)
		return 1;
	wrong(error, arg, "invalid parent ID");
	return -1;
}

/* `ingress` and `clsact` have a place of their own, and no other. */
static bool clsact_place(struct tc_command *c, struct strbuf *error)
{
	if (c->parent) {
		strbuf_printf(error,
			      "Error: "
			      "\"%s\" is a duplicate parent ID\n",
			      c->kind);
		return false;
	}
	c->parent = TC_H_CLSACT;
	c->handle = TC_H_INGRESS_QDISC;
	return true;
}

static bool read_request(struct words *w, struct tc_command *c, struct strbuf *error)
{
	const char *word;

	while ((word = tc_next(w)) != NULL) {
		int place;

		if (strcmp(word, "dev") == 0) {
			word = tc_next(w);
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
		if ((strcmp(word, "ingress") == 0 || strcmp(word, "clsact") == 0) &&
		    !clsact_place(c, error))
			return false;
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

	while ((word = tc_next(w)) != NULL) {
		if (strcmp(word, "dev") != 0) {
			strbuf_printf(error, "What is \"%s\"? Try \"tc qdisc help\".\n", word);
			return false;
		}
		word = tc_next(w);
		if (!word)
			return incomplete(error);
		if (!copy_name(c->dev, word))
			return wrong(error, word, "not a valid ifname");
	}
	return true;
}

/* `tc class VERB`: where, which, and the words of its kind. */
static bool read_class(struct words *w, struct tc_command *c, struct strbuf *error)
{
	const char *word, *arg;

	while ((word = tc_next(w)) != NULL) {
		bool classid = strcmp(word, "classid") == 0;

		if (strcmp(word, "root") == 0)
			continue;
		if (strcmp(word, "dev") != 0 && strcmp(word, "parent") != 0 && !classid)
			break;
		arg = tc_next(w);
		if (!arg)
			return incomplete(error);
		if (*word == 'd' ? !copy_name(c->dev, arg) :
				   !tc_handle(arg, classid ? &c->handle : &c->parent))
			return wrong(error, arg,
				     classid ? "invalid class ID" : "invalid parent ID");
	}
	if (!c->dev[0]) {
		strbuf_puts(error, "\"dev\" is required.\n");
		return false;
	}
	if (!word)
		return true;
	if (!copy_name(c->kind, word))
		return wrong(error, word, "not a kind of qdisc");
	if (strcmp(word, "htb") == 0)
		return tc_htb_class_words(c, w, error);
	if (w->at == w->argc)
		return true;
	strbuf_printf(error, "Error: Qdisc \"%s\" is classless.\n", word);
	return false;
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

static bool read_object(const char *word, enum tc_object *object)
{
	static const char *const names[] = { "qdisc", "class", "filter" };
	u32 i;

	for (i = 0; word && i < ARRAY_SIZE(names); i++)
		if (matches(word, names[i])) {
			*object = (enum tc_object)i;
			return true;
		}
	return false;
}

bool tc_parse(int argc, const char *const *argv, struct tc_command *c, struct strbuf *error)
{
	struct words w = { .argc = argc, .argv = argv };
	const char *word;

	memset(c, 0, sizeof(*c));
	while ((word = tc_next(&w)) != NULL && *word == '-') {
		if (matches(word, "-statistics") || matches(word, "-stats")) {
			c->stats = true;
		} else if (!matches(word, "-details")) {
			strbuf_printf(error, "Option \"%s\" is unknown, try \"tc -help\".\n", word);
			return false;
		}
	}
	if (!read_object(word, &c->object)) {
		strbuf_printf(error, "Object \"%s\" is unknown, try \"tc help\".\n",
			      word ? word : "");
		return false;
	}
	word = tc_next(&w);
	if (!word || matches(word, "show") || matches(word, "list") || strcmp(word, "lst") == 0 ||
	    strcmp(word, "ls") == 0) {
		c->show = true;
		return c->object == TC_FILTER ? tc_read_filter(&w, c, error) :
						read_show(&w, c, error);
	}
	if (!read_verb(word, &c->verb)) {
		strbuf_printf(error, "Command \"%s\" is unknown, try \"tc qdisc help\".\n", word);
		return false;
	}
	if (c->object == TC_FILTER)
		return tc_read_filter(&w, c, error);
	return c->object == TC_CLASS ? read_class(&w, c, error) : read_request(&w, c, error);
}

void tc_refused(struct strbuf *out, const struct tc_command *c, const char *extack,
		const char *errno_text)
{
	if (*extack)
		strbuf_printf(out, "Error: %s\n%s", extack,
			      c->object == TC_FILTER ? "We have an error talking to the kernel\n" :
						       "");
	else
		strbuf_printf(out, "RTNETLINK answers: %s\n", errno_text);
}
