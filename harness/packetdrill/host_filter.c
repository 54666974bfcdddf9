/* SPDX-License-Identifier: MIT */
/*
 * iptables, ip6tables and conntrack of backtick commands: the words go to the host as they are, an
 * op that does what they say and a view that shows it or says why not.
 */
#include "packetdrill/runner.h"

#include "stack/errno.h"

#include <stdlib.h>
#include <string.h>

/* A word as the stack's own splitting takes it back: quoted where it must be. */
static void add_word(struct strbuf *line, const char *word)
{
	const char *p;
	bool plain = *word != 0;

	for (p = word; *p; p++)
		plain &= !strchr(" \t\n\"'\\", *p);
	if (line->len)
		strbuf_putc(line, ' ');
	if (plain) {
		strbuf_puts(line, word);
		return;
	}
	strbuf_putc(line, '"');
	for (p = word; *p; p++) {
		if (*p == '"' || *p == '\\')
			strbuf_putc(line, '\\');
		strbuf_putc(line, *p);
	}
	strbuf_putc(line, '"');
}

static struct op_bytes bytes_of(const struct strbuf *s)
{
	return (struct op_bytes){ (const u8 *)s->data, (u32)s->len };
}

static void show(struct pd_run *r, const char *path, struct strbuf *out)
{
	u32 cap = 1u << 20;
	char *text = xrealloc(NULL, cap);
	s32 len = r->sut->ops->proc(r->sut, 0, path, text, cap);

	if (len > 0)
		strbuf_add(out, text, (size_t)len < cap ? (size_t)len : cap - 1);
	free(text);
}

static int run_iptables(struct pd_run *r, const struct strbuf *line, bool v6, struct strbuf *out,
			int *status)
{
	struct op op = { .kind = OP_IPTABLES };
	s64 result;

	op.u.iptables.family = v6 ? AF_INET6 : AF_INET;
	op.u.iptables.command = bytes_of(line);
	result = r->sut->ops->apply(r->sut, &op);
	if (result == -EOPNOTSUPP)
		return -EOPNOTSUPP;
	*status = result < 0 ? 1 : 0;
	if (result)
		show(r, strbuf_text(line), out);
	return 0;
}

static int run_conntrack(struct pd_run *r, const struct strbuf *line, int argc, char *const *argv,
			 struct strbuf *out, int *status)
{
	struct op op = { .kind = OP_CONNTRACK_DELETE };
	bool deletes = false;
	s64 result;
	int i;

	for (i = 1; i < argc; i++)
		deletes |= strcmp(argv[i], "-D") == 0 || strcmp(argv[i], "-F") == 0 ||
			   strcmp(argv[i], "--delete") == 0 || strcmp(argv[i], "--flush") == 0;
	if (!deletes) {
		show(r, strbuf_text(line), out);
		/* What is no listing is a complaint. */
		*status = strncmp(strbuf_text(out), "conntrack v", 11) == 0;
		return 0;
	}
	op.u.conntrack_delete.filter = bytes_of(line);
	result = r->sut->ops->apply(r->sut, &op);
	if (result < 0)
		show(r, strbuf_text(line), out);
	/* conntrack -D that finds nothing fails. */
	*status = result < 0 || (result == 0 && strstr(strbuf_text(line), "-D"));
	return 0;
}

int pd_host_netfilter(void *ctx, int argc, char *const *argv, struct strbuf *out, int *status,
		      const char **bad)
{
	struct pd_run *r = ctx;
	const char *base = strrchr(argv[0], '/');
	struct strbuf line = { 0 };
	int i, result = -EOPNOTSUPP;

	base = base ? base + 1 : argv[0];
	*bad = argv[0];
	add_word(&line, base);
	for (i = 1; i < argc; i++)
		add_word(&line, argv[i]);
	if (strcmp(base, "conntrack") == 0)
		result = run_conntrack(r, &line, argc, argv, out, status);
	else if (strncmp(base, "iptables", 8) == 0 || strncmp(base, "ip6tables", 9) == 0)
		result = run_iptables(r, &line, base[2] == '6', out, status);
	strbuf_free(&line);
	return result;
}
