/* SPDX-License-Identifier: MIT */
/* What looks at the host's network: nstat, ss, and the front of the packet filter's commands. */
#include "packetdrill/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int pd_cmd_modprobe(struct pd_invocation *c)
{
	/* All there is is built in; what a module would bring is asked for by other commands. */
	(void)c;
	return 0;
}

int pd_cmd_netfilter(struct pd_invocation *c)
{
	const struct pd_command_ops *ops = c->shell->ops;
	const char *bad = c->argv[0];
	int status = 0, result = -EOPNOTSUPP;

	if (ops->netfilter)
		result = ops->netfilter(c->shell->ctx, c->argc, c->argv, c->out, &status, &bad);
	if (result == -EOPNOTSUPP)
		return pd_shell_unknown(c->reader, "word in packet filter command", bad);
	if (result)
		return pd_shell_answer(c, result, "command", c->argv[0]);
	return status;
}

/* ---- nstat ---- */

struct nstat {
	struct pd_invocation *call;
	bool absolute, zeros, silent, update;
	int first; /* of the patterns */
};

/* "*" in a pattern stands for anything. */
static bool glob(const char *pattern, const char *text)
{
	for (; *pattern; pattern++, text++) {
		if (*pattern == '*') {
			if (!pattern[1])
				return true;
			for (; *text; text++) {
				if (glob(pattern + 1, text))
					return true;
			}
			return false;
		}
		if (*pattern != *text)
			return false;
	}
	return !*text;
}

static struct pd_shell_count *history(struct pd_shell *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->counts; i++) {
		if (strcmp(s->history[i].name, name) == 0)
			return &s->history[i];
	}
	s->history = xrealloc(s->history, (i + 1) * sizeof(*s->history));
	s->history[i] = (struct pd_shell_count){ xstrdup(name), 0 };
	s->counts++;
	return &s->history[i];
}

static void print_counter(void *arg, const char *name, u64 value)
{
	const struct nstat *n = arg;
	const struct pd_invocation *c = n->call;
	struct pd_shell_count *old = history(c->shell, name);
	u64 shown = n->absolute ? value : value - old->value;
	bool wanted = n->first == c->argc;
	int i;

	for (i = n->first; i < c->argc; i++)
		wanted |= glob(c->argv[i], name);
	if (n->update)
		old->value = value;
	if (wanted && !n->silent && (shown || n->zeros))
		strbuf_printf(c->out, "%-32s%-16llu%.1f\n", name, (unsigned long long)shown, 0.0);
}

int pd_cmd_nstat(struct pd_invocation *c)
{
	struct nstat n = { .call = c, .update = true, .first = 1 };
	const struct pd_command_ops *ops = c->shell->ops;

	for (; n.first < c->argc && c->argv[n.first][0] == '-'; n.first++) {
		const char *p;

		for (p = c->argv[n.first] + 1; *p; p++) {
			if (!strchr("azns", *p))
				return pd_shell_unknown(c->reader, "option of nstat",
							c->argv[n.first]);
			n.absolute |= *p == 'a';
			n.zeros |= *p == 'z';
			n.silent |= *p == 'n';
			n.update &= *p != 's';
		}
	}
	if (!n.silent)
		strbuf_puts(c->out, "#kernel\n");
	return pd_shell_answer(
		c, ops->counters ? ops->counters(c->shell->ctx, print_counter, &n) : -EOPNOTSUPP,
		"command", "nstat");
}

/* ---- ss ---- */

static const struct {
	const char *name, *shown;
} states[] = {
	{ "established", "ESTAB" },	{ "syn-sent", "SYN-SENT" },
	{ "syn-recv", "SYN-RECV" },	{ "fin-wait-1", "FIN-WAIT-1" },
	{ "fin-wait-2", "FIN-WAIT-2" }, { "time-wait", "TIME-WAIT" },
	{ "close-wait", "CLOSE-WAIT" }, { "last-ack", "LAST-ACK" },
	{ "listening", "LISTEN" },	{ "closing", "CLOSING" },
	{ "closed", "UNCONN" },		{ "listen", "LISTEN" },
};

struct ss {
	bool header, all, listening;
	const char *state; /* as shown; NULL: by the options */
};

static int ss_words(struct pd_invocation *c, struct ss *ss)
{
	size_t k;
	int i;

	ss->header = true;
	for (i = 1; i < c->argc; i++) {
		const char *p = c->argv[i];

		if (*p == '-') {
			while (*++p) {
				/* t and n are what it prints anyway. */
				if (!strchr("Htanl", *p))
					return pd_shell_unknown(c->reader, "option of ss",
								c->argv[i]);
				ss->header &= *p != 'H';
				ss->all |= *p == 'a';
				ss->listening |= *p == 'l';
			}
			continue;
		}
		if (strcmp(p, "state") != 0 || i + 1 == c->argc)
			return pd_shell_unknown(c->reader, "filter of ss", p);
		i++;
		for (k = 0; k < sizeof(states) / sizeof(states[0]); k++) {
			if (strcmp(states[k].name, c->argv[i]) == 0)
				ss->state = states[k].shown;
		}
		if (!ss->state)
			return pd_shell_unknown(c->reader, "state of ss", c->argv[i]);
	}
	return 0;
}

static bool ss_wants(const struct ss *ss, const char *line, size_t word)
{
	bool listens = word == 6 && memcmp(line, "LISTEN", 6) == 0;

	if (ss->state)
		return strlen(ss->state) == word && memcmp(ss->state, line, word) == 0;
	if (ss->all)
		return true;
	if (ss->listening)
		return listens;
	/* Without options ss shows neither those that listen nor those that nobody is behind. */
	return !listens && !(word == 9 && memcmp(line, "TIME-WAIT", 9) == 0);
}

int pd_cmd_ss(struct pd_invocation *c)
{
	const struct pd_command_ops *ops = c->shell->ops;
	struct strbuf text = { 0 };
	const char *p, *end;
	struct ss ss = { 0 };
	int status;

	if (ss_words(c, &ss) < 0)
		return -1;
	status = pd_shell_answer(c, ops->ss ? ops->ss(c->shell->ctx, &text) : -EOPNOTSUPP,
				 "command", "ss");
	if (status == 0 && ss.header)
		strbuf_printf(c->out, "%sRecv-Q Send-Q Local Address:Port Peer Address:Port\n",
			      ss.state ? "" : "State ");
	for (p = strbuf_text(&text), end = p + text.len; status == 0 && p < end;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = newline ? (size_t)(newline - p) : (size_t)(end - p);
		size_t word = strcspn(p, " \t\n");

		if (ss_wants(&ss, p, word)) {
			/* One state asked for: its column is left out. */
			size_t skip = ss.state ? word + strspn(p + word, " \t") : 0;

			strbuf_add(c->out, p + skip, len > skip ? len - skip : 0);
			strbuf_putc(c->out, '\n');
		}
		p += len + (newline != NULL);
	}
	strbuf_free(&text);
	return status;
}
