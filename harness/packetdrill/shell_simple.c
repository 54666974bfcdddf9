/* SPDX-License-Identifier: MIT */
/*
 * Simple commands of the shell: words and redirections, which command a name stands for, and its
 * run with its input and outputs in their places.
 */
#include "packetdrill/shell.h"
#include "packetdrill/symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Redirections ---- */

struct redirections {
	char *in, *out, *err;
	bool out_append, err_append;
	bool out_to_err, err_to_out;
};

static void redirections_free(struct redirections *d)
{
	free(d->in);
	free(d->out);
	free(d->err);
}

/* The file behind a redirection. */
static bool take_file(struct pd_reader *r, char **file)
{
	char *argv[PD_SHELL_MAX_ARGS];
	int count = 0, i;
	bool ok;

	pd_shell_skip_blanks(r);
	/* Words that came before what is wrong are there all the same. */
	ok = pd_shell_word(r, argv, &count);
	if (!ok) {
		/* told already */
	} else if (count != 1 && r->live) {
		pd_shell_broken(r, "a redirection needs one file");
	} else if (count) {
		free(*file);
		*file = xstrdup(argv[0]);
	}
	for (i = 0; i < count; i++)
		free(argv[i]);
	return ok && r->error->kind == PD_ERROR_NONE;
}

/* Takes one redirection; *found says whether one stood here. */
static bool take_redirection(struct pd_reader *r, struct redirections *d, bool *found)
{
	bool is_err = pd_shell_starts(r, "2>"), append;

	*found = true;
	if (pd_shell_starts(r, "2>&1")) {
		r->p += 4;
		/* The order counts: "2>&1 >f" leaves errors on the old output. */
		d->err_to_out = true;
		free(d->err);
		d->err = d->out ? xstrdup(d->out) : NULL;
		d->err_append = true;
		return true;
	}
	if (pd_shell_starts(r, ">&2") || pd_shell_starts(r, "1>&2")) {
		r->p += *r->p == '1' ? 4 : 3;
		d->out_to_err = true;
		return true;
	}
	if (pd_shell_starts(r, "&>")) {
		r->p += 2;
		if (!take_file(r, &d->out))
			return false;
		free(d->err);
		d->err = d->out ? xstrdup(d->out) : NULL;
		d->err_append = true;
		return true;
	}
	if (pd_shell_starts(r, "<<")) {
		pd_shell_unknown(r, "shell construct", "<<");
		return false;
	}
	if (r->p < r->end && *r->p == '<') {
		r->p++;
		return take_file(r, &d->in);
	}
	if (is_err || pd_shell_starts(r, "1>"))
		r->p++;
	if (r->p == r->end || *r->p != '>') {
		*found = false;
		return true;
	}
	append = pd_shell_starts(r, ">>");
	r->p += append ? 2 : 1;
	if (is_err) {
		d->err_append = append;
		d->err_to_out = false;
		return take_file(r, &d->err);
	}
	d->out_append = append;
	return take_file(r, &d->out);
}

static bool put_file(struct pd_reader *r, const char *path, const struct strbuf *text, bool append)
{
	int result = pd_shell_file_write(r->shell, path, text, append);

	if (result == -EOPNOTSUPP || result == -ENOENT) {
		pd_shell_unknown(r, "file", path);
		return false;
	}
	if (result) {
		strbuf_printf(r->err, "%s: %s\n", path, pd_errno_name(-result));
		r->status = 1;
	}
	return true;
}

/* Runs a command with its redirections; `in` and `out` are the pipeline's. */
static bool run_redirected(struct pd_reader *r, struct redirections *d, pd_command *command,
			   struct pd_invocation *call)
{
	struct strbuf in = { 0 }, out = { 0 }, err = { 0 };
	bool ok = true;
	int result;

	if (d->in) {
		result = pd_shell_file_read(r->shell, d->in, &in);
		if (result) {
			pd_shell_unknown(r, "file", d->in);
			return false;
		}
	}
	call->in = d->in ? &in : call->in;
	{
		struct strbuf *to_out = call->out, *to_err = call->err;

		call->out = d->out ? &out : d->out_to_err ? call->err : call->out;
		call->err = d->err ? &err : d->err_to_out ? to_out : to_err;
		r->status = command(call);
	}
	if (r->status < 0 || r->error->kind != PD_ERROR_NONE)
		ok = false;
	if (ok && d->out)
		ok = put_file(r, d->out, &out, d->out_append);
	if (ok && d->err && err.len)
		ok = put_file(r, d->err, &err, d->err_append);
	strbuf_free(&in);
	strbuf_free(&out);
	strbuf_free(&err);
	return ok;
}

/* ---- Simple commands ---- */

/* "NAME=value" in front of a command; false when the word is none. */
static bool is_assignment(const char *p, const char *end)
{
	const char *begin = p;

	while (p < end && ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_' ||
			   (p > begin && *p >= '0' && *p <= '9')))
		p++;
	return p > begin && p < end && *p == '=';
}

static void assign(struct pd_shell *s, const char *pair)
{
	const char *equals = strchr(pair, '=');
	char *name = xstrdup(pair);

	name[equals - pair] = '\0';
	pd_shell_set(s, name, equals + 1);
	free(name);
}

static int run_export(struct pd_invocation *c)
{
	int i;

	for (i = 1; i < c->argc; i++) {
		if (strchr(c->argv[i], '='))
			assign(c->shell, c->argv[i]);
	}
	return 0;
}

static int run_exit(struct pd_invocation *c)
{
	c->reader->exiting = true;
	return c->argc > 1 ? (int)strtol(c->argv[1], NULL, 10) & 255 : c->reader->status;
}

static int run_set(struct pd_invocation *c)
{
	if (c->argc == 2 && (strcmp(c->argv[1], "-e") == 0 || strcmp(c->argv[1], "+e") == 0)) {
		c->reader->errexit = c->argv[1][0] == '-';
		return 0;
	}
	return pd_shell_unknown(c->reader, "option of set", c->argc > 1 ? c->argv[1] : "");
}

/* A file: by its path, or as the first argument of ".", source, sh or bash. */
static int run_file(struct pd_invocation *c)
{
	static const char *const readers[] = { ".", "source", "sh", "bash" };
	size_t i;

	for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (strcmp(c->argv[0], readers[i]) != 0)
			continue;
		if (c->argc < 2 || c->argv[1][0] == '-')
			return pd_shell_unknown(c->reader, "command",
						c->argc < 2 ? c->argv[0] : c->argv[1]);
		return pd_shell_source(c, c->argv[1], c->argc - 1, c->argv + 1);
	}
	return pd_shell_source(c, c->argv[0], c->argc, c->argv);
}

static pd_command *find_command(const char *name)
{
	const char *base = strrchr(name, '/');
	size_t len = strlen(name);

	base = base ? base + 1 : name;
	if (strcmp(base, "set_sysctls.py") == 0)
		return pd_cmd_set_sysctls;
	if (strcmp(name, "export") == 0)
		return run_export;
	if (strcmp(name, "exit") == 0)
		return run_exit;
	if (strcmp(name, "set") == 0)
		return run_set;
	if (strcmp(name, ".") == 0 || strcmp(name, "source") == 0 || strcmp(name, "sh") == 0 ||
	    strcmp(name, "bash") == 0 ||
	    (base != name && len > 3 && strcmp(name + len - 3, ".sh") == 0))
		return run_file;
	/* "/sbin/sysctl" is sysctl. */
	if (base == name || strncmp(name, "/usr/", 5) == 0 || strncmp(name, "/bin/", 5) == 0 ||
	    strncmp(name, "/sbin/", 6) == 0)
		return pd_command_find(base);
	return NULL;
}

static bool run_argv(struct pd_reader *r, struct pd_invocation *call, struct redirections *d)
{
	pd_command *command = call->argc ? find_command(call->argv[0]) : pd_cmd_true;

	if (++r->shell->steps > PD_SHELL_MAX_STEPS) {
		pd_shell_broken(r, "too many commands: does this loop end?");
		return false;
	}
	if (!command) {
		pd_shell_unknown_near(r, "command", call->argv[0], pd_command_near(call->argv[0]));
		return false;
	}
	return run_redirected(r, d, command, call);
}

/* Words and redirections up to the end of a command; nothing runs here. */
static bool read_words(struct pd_reader *r, char **argv, int *argc, struct redirections *d)
{
	bool found;

	for (;;) {
		pd_shell_skip_blanks(r);
		if (r->p == r->end)
			return true;
		if (!take_redirection(r, d, &found))
			return false;
		if (found)
			continue;
		if (pd_shell_ends_word(*r->p))
			return true;
		if (*argc == 0 && is_assignment(r->p, r->end)) {
			char *pair[PD_SHELL_MAX_ARGS];
			int count = 0, i;
			bool ok = pd_shell_word(r, pair, &count);

			if (ok && count && r->live)
				assign(r->shell, pair[0]);
			for (i = 0; i < count; i++)
				free(pair[i]);
			if (!ok)
				return false;
			continue;
		}
		if (!pd_shell_word(r, argv, argc))
			return false;
	}
}

bool pd_shell_simple(struct pd_reader *r, const struct strbuf *in, struct strbuf *out)
{
	struct redirections d = { 0 };
	char *argv[PD_SHELL_MAX_ARGS + 1];
	int argc = 0, i;
	bool ok = read_words(r, argv, &argc, &d);

	if (ok && r->live && (argc || d.in || d.out)) {
		struct pd_invocation call = { .reader = r,
					      .shell = r->shell,
					      .argc = argc,
					      .argv = argv,
					      .in = in,
					      .out = out,
					      .err = r->err };

		argv[argc] = NULL;
		ok = run_argv(r, &call, &d);
	} else if (ok && r->live) {
		r->status = 0;
	}
	for (i = 0; i < argc; i++)
		free(argv[i]);
	redirections_free(&d);
	return ok;
}
