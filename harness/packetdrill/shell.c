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
	return pd_shell_unknown_near(r, what, word, NULL);
}

int pd_shell_unknown_near(struct pd_reader *r, const char *what, const char *word, const char *near)
{
	if (r->error->kind == PD_ERROR_NONE)
		pd_error_set(r->error, PD_ERROR_UNKNOWN, r->name, line_of(r), word,
			     "unknown %s '%s'%s%s%s", what, word, near ? "; did you mean '" : "",
			     near ? near : "", near ? "'?" : "");
	return -1;
}

int pd_shell_broken(struct pd_reader *r, const char *what)
{
	if (r->error->kind == PD_ERROR_NONE)
		pd_error_set(r->error, PD_ERROR_SYNTAX, r->name, line_of(r), NULL, "%s", what);
	return -1;
}

int pd_shell_answer(struct pd_invocation *c, int result, const char *what, const char *word)
{
	if (result == -EOPNOTSUPP)
		return pd_shell_unknown(c->reader, what, word);
	if (result == 0)
		return 0;
	strbuf_printf(c->err, "%s: %s '%s': %s\n", c->argv[0], what, word, pd_errno_name(-result));
	return 2;
}

bool pd_shell_starts(const struct pd_reader *r, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(r->end - r->p) >= len && memcmp(r->p, text, len) == 0;
}

void pd_shell_skip_blanks(struct pd_reader *r)
{
	while (r->p < r->end) {
		if (*r->p == ' ' || *r->p == '\t' || *r->p == '\r')
			r->p++;
		else if (pd_shell_starts(r, "\\\n"))
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
		pd_shell_skip_blanks(r);
		if (r->p == r->end || (*r->p != '\n' && *r->p != ';'))
			return;
		r->p++;
	}
}

/* Does this reserved word stand here as a word of its own? */
static bool at_word(const struct pd_reader *r, const char *word)
{
	const char *behind = r->p + strlen(word);

	return pd_shell_starts(r, word) && (behind == r->end || pd_shell_ends_word(*behind));
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

	pd_shell_skip_blanks(r);
	ok = pd_shell_word(r, name, &names);
	if (ok && names != 1 && live) {
		pd_shell_broken(r, "'for' needs a name");
		ok = false;
	}
	pd_shell_skip_blanks(r);
	ok = ok && need_word(r, "in");
	while (ok) {
		pd_shell_skip_blanks(r);
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

	pd_shell_skip_blanks(r);
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
		ok = pd_shell_simple(r, in, out);
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

	pd_shell_skip_blanks(r);
	invert = at_word(r, "!");
	if (invert)
		r->p++;
	do {
		struct strbuf *mine = &pipe[turn];

		strbuf_clear(mine);
		ok = run_command(r, in, mine);
		pd_shell_skip_blanks(r);
		more = ok && r->p < r->end && *r->p == '|' && !pd_shell_starts(r, "||");
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
		pd_shell_skip_blanks(r);
		if (!pd_shell_starts(r, "&&") && !pd_shell_starts(r, "||"))
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
		pd_shell_skip_blanks(r);
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

int pd_shell_source(struct pd_invocation *c, const char *path, int argc, char *const *argv)
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
