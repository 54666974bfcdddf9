/* SPDX-License-Identifier: MIT */
/*
 * Commands that work on text: grep, cat, wc, head, echo, test; and those that do next to nothing.
 */
#include "packetdrill/shell.h"

#include "base/suggest.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	const char *name;
	pd_command *command;
};

static const struct entry commands[] = {
	{ "sysctl", pd_cmd_sysctl },
	{ "ip", pd_cmd_ip },
	{ "tc", pd_cmd_tc },
	{ "ethtool", pd_cmd_ethtool },
	{ "nstat", pd_cmd_nstat },
	{ "ss", pd_cmd_ss },
	{ "iptables", pd_cmd_netfilter },
	{ "ip6tables", pd_cmd_netfilter },
	{ "nft", pd_cmd_netfilter },
	{ "conntrack", pd_cmd_netfilter },
	{ "modprobe", pd_cmd_modprobe },
	{ "grep", pd_cmd_grep },
	{ "egrep", pd_cmd_grep },
	{ "fgrep", pd_cmd_grep },
	{ "cat", pd_cmd_cat },
	{ "wc", pd_cmd_wc },
	{ "echo", pd_cmd_echo },
	{ "test", pd_cmd_test },
	{ "[", pd_cmd_test },
	{ "dd", pd_cmd_dd },
	{ "head", pd_cmd_head },
	{ "rm", pd_cmd_rm },
	{ "truncate", pd_cmd_truncate },
	{ "tail", pd_cmd_head },
	{ "sleep", pd_cmd_sleep },
	{ "true", pd_cmd_true },
	{ ":", pd_cmd_true },
	{ "false", pd_cmd_false },
};

pd_command *pd_command_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].command;
	}
	return NULL;
}

const char *pd_command_near(const char *name)
{
	return suggest_entry(name, commands, ARRAY_SIZE(commands), sizeof(commands[0]));
}

int pd_cmd_true(struct pd_invocation *c)
{
	(void)c;
	return 0;
}

int pd_cmd_false(struct pd_invocation *c)
{
	(void)c;
	return 1;
}

int pd_cmd_sleep(struct pd_invocation *c)
{
	char *rest = NULL;
	double seconds = c->argc == 2 ? strtod(c->argv[1], &rest) : -1;

	if (!(seconds >= 0 && seconds < 1e9) || *rest)
		return pd_shell_unknown(c->reader, "time", c->argc > 1 ? c->argv[1] : "");
	if (!c->shell->ops->sleep)
		return pd_shell_unknown(c->reader, "command", "sleep");
	return pd_shell_answer(c, c->shell->ops->sleep(c->shell->ctx, (u64)(seconds * 1e9 + .5)),
			       "time", c->argv[1]);
}

int pd_cmd_echo(struct pd_invocation *c)
{
	bool newline = true;
	int i = 1;

	if (c->argc > 1 && strcmp(c->argv[1], "-n") == 0) {
		newline = false;
		i++;
	} else if (c->argc > 1 && strcmp(c->argv[1], "-e") == 0) {
		return pd_shell_unknown(c->reader, "option of echo", "-e");
	}
	for (; i < c->argc; i++)
		strbuf_printf(c->out, "%s%s", c->argv[i], i + 1 < c->argc ? " " : "");
	strbuf_puts(c->out, newline ? "\n" : "");
	return 0;
}

/* The files from argv[first] on, one after the other; standard input when there are none. */
static int gather(struct pd_invocation *c, int first, struct strbuf *text)
{
	if (first == c->argc && c->in)
		strbuf_add(text, c->in->data ? c->in->data : "", c->in->len);
	for (; first < c->argc; first++) {
		if (pd_shell_file_read(c->shell, c->argv[first], text))
			return pd_shell_unknown(c->reader, "file", c->argv[first]);
		if (text->len > PD_SHELL_MAX_TEXT)
			return pd_shell_broken(c->reader, "too much output");
	}
	return 0;
}

int pd_cmd_cat(struct pd_invocation *c)
{
	if (c->argc > 1 && c->argv[1][0] == '-')
		return pd_shell_unknown(c->reader, "option of cat", c->argv[1]);
	return gather(c, 1, c->out);
}

int pd_cmd_wc(struct pd_invocation *c)
{
	struct strbuf text = { 0 };
	u64 lines = 0;
	size_t i;

	if (c->argc != 2 || (strcmp(c->argv[1], "-l") != 0 && strcmp(c->argv[1], "-c") != 0))
		return pd_shell_unknown(c->reader, "use of wc", c->argc > 1 ? c->argv[1] : "");
	if (gather(c, 2, &text) < 0) {
		strbuf_free(&text);
		return -1;
	}
	for (i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	strbuf_printf(c->out, "%llu\n",
		      (unsigned long long)(c->argv[1][1] == 'l' ? lines : text.len));
	strbuf_free(&text);
	return 0;
}

/* head and tail: -n N, -N. */
int pd_cmd_head(struct pd_invocation *c)
{
	bool tail = strcmp(c->argv[0], "tail") == 0;
	struct strbuf text = { 0 };
	size_t lines = 10, total = 0, i, at = 0;
	int first = 1;

	if (c->argc > 2 && strcmp(c->argv[1], "-n") == 0) {
		lines = (size_t)strtoul(c->argv[2], NULL, 10);
		first = 3;
	} else if (c->argc > 1 && c->argv[1][0] == '-') {
		if (c->argv[1][1] < '0' || c->argv[1][1] > '9')
			return pd_shell_unknown(c->reader, "option", c->argv[1]);
		lines = (size_t)strtoul(c->argv[1] + 1, NULL, 10);
		first = 2;
	}
	if (gather(c, first, &text) < 0) {
		strbuf_free(&text);
		return -1;
	}
	for (i = 0; i < text.len; i++)
		total += text.data[i] == '\n' || i + 1 == text.len;
	for (i = 0; i < text.len; i++) {
		if (tail ? at + lines >= total : at < lines)
			strbuf_putc(c->out, text.data[i]);
		at += text.data[i] == '\n';
	}
	strbuf_free(&text);
	return 0;
}

/* ---- grep ---- */

#define MAX_PATTERNS 8

struct grep {
	bool quiet, invert, whole_line, count, fixed, word, only, number, extended, ignore_case;
	const char *pattern[MAX_PATTERNS];
	int patterns;
	regex_t regex[MAX_PATTERNS];
};

static bool take_flag(struct grep *g, char c)
{
	switch (c) {
	case 'q':
		g->quiet = true;
		return true;
	case 'v':
		g->invert = true;
		return true;
	case 'x':
		g->whole_line = true;
		return true;
	case 'c':
		g->count = true;
		return true;
	case 'F':
		g->fixed = true;
		return true;
	case 'E':
		g->extended = true;
		return true;
	case 'i':
		g->ignore_case = true;
		return true;
	case 'w':
		g->word = true;
		return true;
	case 'o':
		g->only = true;
		return true;
	case 'n':
		g->number = true;
		return true;
	case 's':
	case 'a':
	case 'h':
		return true;
	default:
		return false;
	}
}

/* Options and patterns; gives the index of the first file, -1 when something is not known. */
static int grep_options(struct pd_invocation *c, struct grep *g)
{
	int i;

	g->extended = c->argv[0][0] == 'e';
	g->fixed = c->argv[0][0] == 'f';
	for (i = 1; i < c->argc && c->argv[i][0] == '-' && c->argv[i][1]; i++) {
		const char *p;

		if (strcmp(c->argv[i], "--") == 0) {
			i++;
			break;
		}
		if (strcmp(c->argv[i], "-e") == 0 && i + 1 < c->argc &&
		    g->patterns < MAX_PATTERNS) {
			g->pattern[g->patterns++] = c->argv[++i];
			continue;
		}
		for (p = c->argv[i] + 1; *p; p++) {
			if (!take_flag(g, *p))
				return pd_shell_unknown(c->reader, "option of grep", c->argv[i]);
		}
	}
	if (g->patterns == 0) {
		if (i == c->argc)
			return pd_shell_unknown(c->reader, "use of grep", "without a pattern");
		g->pattern[g->patterns++] = c->argv[i++];
	}
	return i;
}

/* A pattern of fixed text as a regular expression that means the same. */
static void escape(const char *pattern, struct strbuf *out)
{
	for (; *pattern; pattern++) {
		if (strchr("\\.[]*^$", *pattern))
			strbuf_putc(out, '\\');
		strbuf_putc(out, *pattern);
	}
}

static bool compile(struct grep *g, int i)
{
	int flags = (g->extended ? REG_EXTENDED : 0) | (g->ignore_case ? REG_ICASE : 0);
	struct strbuf text = { 0 };
	const char *p;
	bool ok;

	/* Repeat counts and references back can take for ever. */
	for (p = g->pattern[i]; !g->fixed && *p; p++) {
		if ((*p == '\\' && ((p[1] >= '1' && p[1] <= '9') || p[1] == '{')) ||
		    (*p == '{' && g->extended))
			return false;
	}
	if (p - g->pattern[i] > 256)
		return false;
	if (g->whole_line)
		strbuf_puts(&text, g->extended ? "^(" : "^\\(");
	else if (g->word)
		strbuf_puts(&text, g->extended ? "\\<(" : "\\<\\(");
	if (g->fixed)
		escape(g->pattern[i], &text);
	else
		strbuf_puts(&text, g->pattern[i]);
	if (g->whole_line)
		strbuf_puts(&text, g->extended ? ")$" : "\\)$");
	else if (g->word)
		strbuf_puts(&text, g->extended ? ")\\>" : "\\)\\>");
	ok = regcomp(&g->regex[i], strbuf_text(&text), flags) == 0;
	strbuf_free(&text);
	return ok;
}

static bool matches(const struct grep *g, const char *line, regmatch_t *where)
{
	int i;

	for (i = 0; i < g->patterns; i++) {
		if (regexec(&g->regex[i], line, 1, where, 0) == 0)
			return true;
	}
	return false;
}

/* Prints the lines of one text that match; gives their number. */
static u64 grep_text(struct pd_invocation *c, const struct grep *g, const char *name,
		     const struct strbuf *text)
{
	const char *p = strbuf_text(text), *end = p + text->len;
	struct strbuf line = { 0 };
	u64 found = 0, number = 0;
	regmatch_t where;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = newline ? (size_t)(newline - p) : (size_t)(end - p);

		strbuf_clear(&line);
		strbuf_add(&line, p, len);
		p += len + (newline != NULL);
		number++;
		if (matches(g, strbuf_text(&line), &where) == g->invert)
			continue;
		found++;
		if (g->quiet || g->count)
			continue;
		if (name)
			strbuf_printf(c->out, "%s:", name);
		if (g->number)
			strbuf_printf(c->out, "%llu:", (unsigned long long)number);
		if (g->only && !g->invert)
			strbuf_add(c->out, line.data + where.rm_so,
				   (size_t)(where.rm_eo - where.rm_so));
		else
			strbuf_puts(c->out, strbuf_text(&line));
		strbuf_putc(c->out, '\n');
	}
	if (g->count && !g->quiet)
		strbuf_printf(c->out, "%s%s%llu\n", name ? name : "", name ? ":" : "",
			      (unsigned long long)found);
	strbuf_free(&line);
	return found;
}

/* Looks through the files; a file that is not there is no match, as with grep -s. */
static u64 grep_files(struct pd_invocation *c, const struct grep *g, int first)
{
	struct strbuf text = { 0 };
	u64 found = 0;
	int i;

	if (first == c->argc)
		return c->in ? grep_text(c, g, NULL, c->in) : 0;
	for (i = first; i < c->argc; i++) {
		int result;

		strbuf_clear(&text);
		result = pd_shell_file_read(c->shell, c->argv[i], &text);
		if (result == -EOPNOTSUPP)
			pd_shell_unknown(c->reader, "file", c->argv[i]);
		else if (result)
			strbuf_printf(c->err, "grep: %s: No such file or directory\n", c->argv[i]);
		else
			found += grep_text(c, g, c->argc - first > 1 ? c->argv[i] : NULL, &text);
	}
	strbuf_free(&text);
	return found;
}

int pd_cmd_grep(struct pd_invocation *c)
{
	struct grep g = { 0 };
	int first = grep_options(c, &g), compiled = 0, status = -1;

	if (first < 0)
		return -1;
	while (compiled < g.patterns && compile(&g, compiled))
		compiled++;
	if (compiled < g.patterns)
		pd_shell_unknown(c->reader, "pattern", g.pattern[compiled]);
	else
		status = grep_files(c, &g, first) ? 0 : 1;
	while (compiled > 0)
		regfree(&g.regex[--compiled]);
	return c->reader->error->kind == PD_ERROR_NONE ? status : -1;
}

/* ---- test ---- */

static int compare(struct pd_invocation *c, const char *a, const char *op, const char *b)
{
	static const char *const ops[] = { "-eq", "-ne", "-lt", "-le", "-gt", "-ge" };
	long long x = strtoll(a, NULL, 10), y = strtoll(b, NULL, 10);
	const bool holds[] = { x == y, x != y, x<y, x <= y, x> y, x >= y };
	size_t i;

	if (strcmp(op, "=") == 0 || strcmp(op, "==") == 0)
		return strcmp(a, b) != 0;
	if (strcmp(op, "!=") == 0)
		return strcmp(a, b) == 0;
	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strcmp(op, ops[i]) == 0)
			return !holds[i];
	}
	return pd_shell_unknown(c->reader, "operator of test", op);
}

static int file_exists(struct pd_invocation *c, const char *path)
{
	struct strbuf text = { 0 };
	int result = pd_shell_file_read(c->shell, path, &text);

	strbuf_free(&text);
	return result != 0;
}

int pd_cmd_test(struct pd_invocation *c)
{
	bool bracket = strcmp(c->argv[0], "[") == 0, invert = false;
	int argc = c->argc - 1 - bracket, status;
	char **argv = c->argv + 1;

	if (bracket && (argc < 0 || strcmp(argv[argc], "]") != 0))
		return pd_shell_broken(c->reader, "']' is missing");
	while (argc > 1 && strcmp(argv[0], "!") == 0) {
		invert = !invert;
		argv++;
		argc--;
	}
	if (argc == 3)
		status = compare(c, argv[0], argv[1], argv[2]);
	else if (argc == 2 && strcmp(argv[0], "-z") == 0)
		status = argv[1][0] != '\0';
	else if (argc == 2 && strcmp(argv[0], "-n") == 0)
		status = argv[1][0] == '\0';
	else if (argc == 2 && strlen(argv[0]) == 2 && argv[0][0] == '-' &&
		 strchr("efrwxs", argv[0][1]))
		status = file_exists(c, argv[1]);
	else if (argc == 1)
		status = argv[0][0] == '\0';
	else if (argc == 0)
		status = 1;
	else
		status = pd_shell_unknown(c->reader, "operator of test", argv[0]);
	return status < 0 ? status : invert ? !status : status;
}
