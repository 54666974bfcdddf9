/* SPDX-License-Identifier: MIT */
/*
 * Reads and runs lists of commands in one pass: what stands in a branch that is not taken is read
 * without being run (`live` is false); the body of a loop is read once per round.
 *
 * Invariant: after an error nothing runs. Steps and depth are bounded, so that every text ends.
 */
#include "packetdrill/shell.h"
#include "packetdrill/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int line_of(const struct pd_reader *r)
{
	int line = r->first_line;
	const char *p;

	for (p = r->begin; p < r->p; p++)
		line += *p == '\n';
	return line;
}

int pd_shell_unknown(struct pd_reader *r, const char *what, const char *word)
{
	if (r->error->kind == PD_ERROR_NONE)
		pd_error_set(r->error, PD_ERROR_UNKNOWN, r->name, line_of(r), word,
			     "unknown %s '%s'", what, word);
	return -1;
}

int pd_shell_broken(struct pd_reader *r, const char *what)
{
	if (r->error->kind == PD_ERROR_NONE)
		pd_error_set(r->error, PD_ERROR_SYNTAX, r->name, line_of(r), NULL, "%s", what);
	return -1;
}

int pd_shell_answer(struct pd_call *c, int result, const char *what, const char *word)
{
	if (result == -EOPNOTSUPP)
		return pd_shell_unknown(c->reader, what, word);
	if (result == 0)
		return 0;
	strbuf_printf(c->err, "%s: %s '%s': %s\n", c->argv[0], what, word, pd_errno_name(-result));
	return 2;
}

static bool starts(const struct pd_reader *r, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(r->end - r->p) >= len && memcmp(r->p, text, len) == 0;
}

static void skip_blanks(struct pd_reader *r)
{
	while (r->p < r->end) {
		if (*r->p == ' ' || *r->p == '\t' || *r->p == '\r')
			r->p++;
		else if (starts(r, "\\\n"))
			r->p += 2;
		else if (*r->p == '#')
			while (r->p < r->end && *r->p != '\n')
				r->p++;
		else
			break;
	}
}

/* Blanks, newlines and ";" between commands. */
static void skip_between(struct pd_reader *r)
{
	for (;;) {
		skip_blanks(r);
		if (r->p == r->end || (*r->p != '\n' && *r->p != ';'))
			return;
		r->p++;
	}
}

/* Does this reserved word stand here as a word of its own? */
static bool at_word(const struct pd_reader *r, const char *word)
{
	const char *behind = r->p + strlen(word);

	return starts(r, word) && (behind == r->end || pd_shell_ends_word(*behind));
}

static bool at_any(const struct pd_reader *r, const char *const *words)
{
	for (; *words; words++) {
		if (at_word(r, *words))
			return true;
	}
	return false;
}

static bool take_word(struct pd_reader *r, const char *word)
{
	skip_between(r);
	if (!at_word(r, word))
		return false;
	r->p += strlen(word);
	return true;
}

static bool need_word(struct pd_reader *r, const char *word)
{
	char text[60];

	if (take_word(r, word))
		return true;
	snprintf(text, sizeof(text), "'%s' is missing", word);
	pd_shell_broken(r, text);
	return false;
}

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

	skip_blanks(r);
	if (!pd_shell_word(r, argv, &count))
		return false;
	if (count != 1 && r->live) {
		pd_shell_broken(r, "a redirection needs one file");
	} else if (count) {
		free(*file);
		*file = xstrdup(argv[0]);
	}
	for (i = 0; i < count; i++)
		free(argv[i]);
	return r->error->kind == PD_ERROR_NONE;
}

/* Takes one redirection; *found says whether one stood here. */
static bool take_redirection(struct pd_reader *r, struct redirections *d, bool *found)
{
	bool is_err = starts(r, "2>"), append;

	*found = true;
	if (starts(r, "2>&1")) {
		r->p += 4;
		/* The order counts: "2>&1 >f" leaves errors on the old output. */
		d->err_to_out = true;
		free(d->err);
		d->err = d->out ? xstrdup(d->out) : NULL;
		d->err_append = true;
		return true;
	}
	if (starts(r, ">&2") || starts(r, "1>&2")) {
		r->p += *r->p == '1' ? 4 : 3;
		d->out_to_err = true;
		return true;
	}
	if (starts(r, "&>")) {
		r->p += 2;
		if (!take_file(r, &d->out))
			return false;
		free(d->err);
		d->err = d->out ? xstrdup(d->out) : NULL;
		d->err_append = true;
		return true;
	}
	if (starts(r, "<<")) {
		pd_shell_unknown(r, "shell construct", "<<");
		return false;
	}
	if (r->p < r->end && *r->p == '<') {
		r->p++;
		return take_file(r, &d->in);
	}
	if (is_err || starts(r, "1>"))
		r->p++;
	if (r->p == r->end || *r->p != '>') {
		*found = false;
		return true;
	}
	append = starts(r, ">>");
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
			   struct pd_call *call)
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

static int run_export(struct pd_call *c)
{
	int i;

	for (i = 1; i < c->argc; i++) {
		if (strchr(c->argv[i], '='))
			assign(c->shell, c->argv[i]);
	}
	return 0;
}

static int run_exit(struct pd_call *c)
{
	c->reader->exiting = true;
	return c->argc > 1 ? (int)strtol(c->argv[1], NULL, 10) & 255 : c->reader->status;
}

static int run_set(struct pd_call *c)
{
	if (c->argc == 2 && (strcmp(c->argv[1], "-e") == 0 || strcmp(c->argv[1], "+e") == 0)) {
		c->reader->errexit = c->argv[1][0] == '-';
		return 0;
	}
	return pd_shell_unknown(c->reader, "option of set", c->argc > 1 ? c->argv[1] : "");
}

/* A file: by its path, or as the first argument of ".", source, sh or bash. */
static int run_file(struct pd_call *c)
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

static bool run_argv(struct pd_reader *r, struct pd_call *call, struct redirections *d)
{
	pd_command *command = call->argc ? find_command(call->argv[0]) : pd_cmd_true;

	if (++r->shell->steps > PD_SHELL_MAX_STEPS) {
		pd_shell_broken(r, "too many commands: does this loop end?");
		return false;
	}
	if (!command) {
		pd_shell_unknown(r, "command", call->argv[0]);
		return false;
	}
	return run_redirected(r, d, command, call);
}

/* Words and redirections up to the end of a command; nothing runs here. */
static bool read_words(struct pd_reader *r, char **argv, int *argc, struct redirections *d)
{
	bool found;

	for (;;) {
		skip_blanks(r);
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

			if (!pd_shell_word(r, pair, &count))
				return false;
			if (count && r->live)
				assign(r->shell, pair[0]);
			for (i = 0; i < count; i++)
				free(pair[i]);
			continue;
		}
		if (!pd_shell_word(r, argv, argc))
			return false;
	}
}

static bool run_simple(struct pd_reader *r, const struct strbuf *in, struct strbuf *out)
{
	struct redirections d = { 0 };
	char *argv[PD_SHELL_MAX_ARGS + 1];
	int argc = 0, i;
	bool ok = read_words(r, argv, &argc, &d);

	if (ok && r->live && (argc || d.in || d.out)) {
		struct pd_call call = { .reader = r,
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

/* ---- Compound commands ---- */

static bool run_list(struct pd_reader *r, const char *const *ends);

static bool run_branch(struct pd_reader *r, bool live, const char *const *ends)
{
	bool outer = r->live, ok;

	r->live = outer && live;
	ok = run_list(r, ends);
	r->live = outer;
	return ok;
}

static bool run_if(struct pd_reader *r)
{
	static const char *const then[] = { "then", NULL };
	static const char *const rest[] = { "elif", "else", "fi", NULL };
	static const char *const fi[] = { "fi", NULL };
	bool done = false, errexit = r->errexit, taken;

	do {
		r->errexit = false;
		if (!run_branch(r, !done, then) || !need_word(r, "then"))
			return false;
		r->errexit = errexit;
		taken = !done && r->status == 0;
		if (!run_branch(r, taken, rest))
			return false;
		done = done || taken;
	} while (take_word(r, "elif"));
	if (take_word(r, "else")) {
		if (!run_branch(r, !done, fi))
			return false;
	} else if (!done && r->live) {
		r->status = 0;
	}
	return need_word(r, "fi");
}

static bool run_for(struct pd_reader *r)
{
	static const char *const done[] = { "done", NULL };
	char *name[PD_SHELL_MAX_ARGS], *value[PD_SHELL_MAX_ARGS];
	int names = 0, values = 0, i;
	bool ok, live = r->live;
	const char *body;

	skip_blanks(r);
	ok = pd_shell_word(r, name, &names);
	if (ok && names != 1 && live) {
		pd_shell_broken(r, "'for' needs a name");
		ok = false;
	}
	skip_blanks(r);
	ok = ok && need_word(r, "in");
	while (ok) {
		skip_blanks(r);
		if (r->p == r->end || pd_shell_ends_word(*r->p))
			break;
		ok = pd_shell_word(r, value, &values);
	}
	ok = ok && need_word(r, "do");
	body = r->p;
	/* Without a round the body is only read. */
	if (ok && (!live || values == 0))
		ok = run_branch(r, false, done);
	for (i = 0; ok && live && i < values; i++) {
		r->p = body;
		pd_shell_set(r->shell, name[0], value[i]);
		ok = run_branch(r, true, done);
	}
	ok = ok && need_word(r, "done");
	while (values > 0)
		free(value[--values]);
	while (names > 0)
		free(name[--names]);
	return ok;
}

static bool run_group(struct pd_reader *r, const char *closing)
{
	const char *ends[] = { closing, NULL };

	return run_list(r, ends) && need_word(r, closing);
}

static bool run_command(struct pd_reader *r, const struct strbuf *in, struct strbuf *out)
{
	static const char *const others[] = {
		"while", "until", "case", "function", "select", NULL
	};
	const char *const *word;
	struct strbuf *outer = r->out;
	bool ok;

	skip_blanks(r);
	for (word = others; *word; word++) {
		if (at_word(r, *word)) {
			pd_shell_unknown(r, "shell construct", *word);
			return false;
		}
	}
	if (++r->shell->depth > PD_SHELL_MAX_DEPTH) {
		pd_shell_broken(r, "commands are nested too deep");
		return false;
	}
	/* Commands inside write where the compound one does. */
	r->out = out;
	if (at_word(r, "if")) {
		r->p += 2;
		ok = run_if(r);
	} else if (at_word(r, "for")) {
		r->p += 3;
		ok = run_for(r);
	} else if (at_word(r, "{")) {
		r->p++;
		ok = run_group(r, "}");
	} else if (r->p < r->end && *r->p == '(') {
		r->p++;
		ok = run_group(r, ")");
	} else {
		ok = run_simple(r, in, out);
	}
	r->out = outer;
	r->shell->depth--;
	return ok;
}

/* a | b | c: the output of each is the input of the next. */
static bool run_pipeline(struct pd_reader *r)
{
	struct strbuf pipe[2] = { { 0 }, { 0 } };
	const struct strbuf *in = r->in;
	bool invert, ok, more;
	int turn = 0;

	skip_blanks(r);
	invert = at_word(r, "!");
	if (invert)
		r->p++;
	do {
		struct strbuf *mine = &pipe[turn];

		strbuf_clear(mine);
		ok = run_command(r, in, mine);
		skip_blanks(r);
		more = ok && r->p < r->end && *r->p == '|' && !starts(r, "||");
		if (more) {
			r->p++;
			while (r->p < r->end && *r->p == '\n')
				r->p++;
			in = mine;
			turn = !turn;
		} else {
			strbuf_add(r->out, mine->data ? mine->data : "", mine->len);
			if (ok && r->out->len > PD_SHELL_MAX_TEXT) {
				pd_shell_broken(r, "too much output");
				ok = false;
			}
		}
	} while (more && !r->exiting);
	strbuf_free(&pipe[0]);
	strbuf_free(&pipe[1]);
	if (invert && r->live)
		r->status = !r->status;
	return ok;
}

static bool run_and_or(struct pd_reader *r)
{
	bool live = r->live, decided = false;

	for (;;) {
		bool is_or;

		if (!run_pipeline(r))
			return false;
		skip_blanks(r);
		if (!starts(r, "&&") && !starts(r, "||"))
			break;
		is_or = *r->p == '|';
		r->p += 2;
		while (r->p < r->end && (*r->p == '\n' || *r->p == ' ' || *r->p == '\t'))
			r->p++;
		r->live = live && (is_or ? r->status != 0 : r->status == 0);
		decided = true;
	}
	r->live = live;
	/* set -e passes by what && and || decide on. */
	if (live && r->errexit && r->status != 0 && !decided)
		r->exiting = true;
	return true;
}

/* Commands up to one of the words, or to the end. */
static bool run_list(struct pd_reader *r, const char *const *ends)
{
	for (;;) {
		skip_between(r);
		if (r->exiting)
			r->live = false;
		if (r->p == r->end || at_any(r, ends))
			return true;
		if (!run_and_or(r))
			return false;
		skip_blanks(r);
		if (r->p == r->end || at_any(r, ends))
			return true;
		if (*r->p != '\n' && *r->p != ';') {
			char text[30];

			snprintf(text, sizeof(text), "'%c' is not understood here", *r->p);
			pd_shell_broken(r, text);
			return false;
		}
	}
}

bool pd_shell_read(struct pd_reader *r)
{
	static const char *const none[] = { NULL };
	bool ok;

	if (++r->shell->depth > PD_SHELL_MAX_DEPTH) {
		pd_shell_broken(r, "files or $( ) are nested too deep");
		return false;
	}
	ok = run_list(r, none);
	r->shell->depth--;
	return ok;
}

int pd_shell_source(struct pd_call *c, const char *path, int argc, char *const *argv)
{
	struct strbuf text = { 0 };
	struct pd_reader r = { .shell = c->shell,
			       .name = path,
			       .first_line = 1,
			       .live = true,
			       .arg = argv,
			       .args = argc,
			       .out = c->out,
			       .err = c->err,
			       .in = c->in,
			       .error = c->reader->error };
	int result = pd_shell_file_read(c->shell, path, &text);

	if (result) {
		strbuf_free(&text);
		return pd_shell_unknown(c->reader, "file", path);
	}
	r.begin = r.p = strbuf_text(&text);
	r.end = r.begin + text.len;
	if (!pd_shell_read(&r))
		r.status = -1;
	strbuf_free(&text);
	return r.status;
}

struct pd_shell *pd_shell_new(const struct pd_command_ops *ops, void *ctx, const char *script_path)
{
	struct pd_shell *s = xrealloc(NULL, sizeof(*s));

	*s = (struct pd_shell){ .ops = ops, .ctx = ctx, .script_path = script_path };
	/* Always the same: a number of the machine's would show in the run. */
	pd_shell_set(s, "PPID", "1000");
	return s;
}

static void free_pairs(struct pd_shell_pair *pair, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(pair[i].name);
		free(pair[i].value);
	}
	free(pair);
}

void pd_shell_free(struct pd_shell *s)
{
	size_t i;

	if (!s)
		return;
	free_pairs(s->variable, s->variables);
	free_pairs(s->file, s->files);
	for (i = 0; i < s->counts; i++)
		free(s->history[i].name);
	free(s->history);
	free(s);
}

void pd_shell_set(struct pd_shell *s, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < s->variables && strcmp(s->variable[i].name, name) != 0; i++)
		;
	if (i == s->variables) {
		s->variable = xrealloc(s->variable, (i + 1) * sizeof(*s->variable));
		s->variable[i].name = xstrdup(name);
		s->variable[i].value = NULL;
		s->variables++;
	}
	free(s->variable[i].value);
	s->variable[i].value = xstrdup(value);
}

const char *pd_shell_get(const struct pd_shell *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->variables; i++) {
		if (strcmp(s->variable[i].name, name) == 0)
			return s->variable[i].value;
	}
	return NULL;
}

bool pd_shell_run(struct pd_shell *s, struct pd_text command, int line, int *status,
		  struct strbuf *out, struct pd_error *error)
{
	static const struct strbuf nothing = { 0 };
	struct pd_reader r = { .shell = s,
			       .name = s->script_path,
			       .begin = command.p,
			       .p = command.p,
			       .end = command.p + command.len,
			       .first_line = line,
			       .live = true,
			       .out = out,
			       .err = out,
			       .in = &nothing,
			       .error = error };
	bool ok;

	*error = (struct pd_error){ .kind = PD_ERROR_NONE };
	s->steps = 0;
	s->depth = 0;
	ok = pd_shell_read(&r);
	*status = r.status;
	return ok;
}
