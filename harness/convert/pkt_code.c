/* SPDX-License-Identifier: MIT */
/*
 * %{ }% blocks as Lua: the same small part of Python that harness/packetdrill/pycode.c runs, read
 * again and written out. An assertion becomes t:is or t:ok; the fields of TCP_INFO are those of the
 * socket under test at that place; variables live on as locals of the test.
 *
 * Where Python and Lua differ: 0, "" and None are false there (packetdrill.truth), "%" formats.
 */
#include "convert/pkt_code.h"

#include "convert/notation.h"

#include <stdlib.h>
#include <string.h>

static void put_indent(struct pkt_reader *r)
{
	int i;

	strbuf_puts(&r->body, r->w->indent);
	for (i = 0; i < r->indent; i++)
		strbuf_puts(&r->body, "  ");
}

static bool put_assert(struct pkt_reader *r)
{
	struct pkt_piece condition = { 0 }, message = { 0 };
	bool ok = pkt_expression(r, &condition);

	if (ok && py_take(&r->py, ","))
		ok = pkt_expression(r, &message);
	if (ok) {
		put_indent(r);
		/* The value itself is told anyway. */
		if (message.text.len && condition.left.len &&
		    strcmp(message.text.data, condition.left.data) == 0)
			strbuf_clear(&message.text);
		if (condition.left.len) {
			strbuf_printf(&r->body, "t:is(%s, %s", condition.left.data,
				      condition.right.data);
		} else {
			pkt_condition(&condition);
			strbuf_printf(&r->body, "t:ok(%s", condition.text.data);
		}
		if (message.text.len && message.kind == K_TUPLE)
			strbuf_printf(&r->body, ", tap.repr { %s }", message.text.data);
		else if (message.text.len)
			strbuf_printf(&r->body, ", %s", message.text.data);
		strbuf_puts(&r->body, ")\n");
	}
	pkt_piece_free(&condition);
	pkt_piece_free(&message);
	return ok;
}

static bool put_print(struct pkt_reader *r)
{
	struct pkt_piece items = { 0 };
	size_t commas;
	bool ok = py_take(&r->py, "(") && pkt_items(r, &items, &commas);

	if (ok) {
		put_indent(r);
		strbuf_printf(&r->body, "print(%s)\n", strbuf_text(&items.text));
	}
	pkt_piece_free(&items);
	return ok || pkt_no_lua(r, r->py.p, "is where print() must have its values");
}

static void declare(struct pkt_reader *r, const char *name, size_t len)
{
	if (pkt_is_declared(r, name, len))
		return;
	strbuf_printf(&r->w->variables, "|%.*s|", (int)len, name);
	strbuf_printf(r->w->out, "%slocal ", r->w->indent);
	pkt_put_variable(r->w->out, name, len);
	strbuf_putc(r->w->out, '\n');
}

/* "name = value", "name += value"; else a value that is thrown away. */
static bool put_assignment(struct pkt_reader *r)
{
	static const struct pkt_operator operators[] = {
		{ "=", "" },	   { "+=", " + " }, { "-=", " - " },   { "*=", " * " },
		{ "//=", " // " }, { "/=", " / " }, { "%=", " % " },   { "|=", " | " },
		{ "&=", " & " },   { "^=", " ~ " }, { "<<=", " << " }, { ">>=", " >> " },
	};
	struct py_run *p = &r->py;
	const char *name = p->p;
	struct pkt_piece value = { 0 };
	struct strbuf variable = { 0 };
	size_t len, i;
	bool ok;

	while (p->p < p->end && (py_is_letter(*p->p) || py_is_digit(*p->p)))
		p->p++;
	len = (size_t)(p->p - name);
	py_skip_space(p);
	for (i = 0; i < ARRAY_SIZE(operators); i++) {
		if (py_starts(p, operators[i].text) && !py_starts(p, "=="))
			break;
	}
	if (!len || len > 60 || i == ARRAY_SIZE(operators)) {
		p->p = name;
		ok = pkt_expression(r, &value); /* has no effect */
		pkt_piece_free(&value);
		return ok;
	}
	p->p += strlen(operators[i].text);
	ok = pkt_expression(r, &value);
	if (ok && value.kind == K_TUPLE)
		ok = pkt_no_lua(r, name, "gets several values at once");
	if (ok) {
		declare(r, name, len);
		pkt_put_variable(&variable, name, len);
		put_indent(r);
		strbuf_printf(&r->body, "%s = ", variable.data);
		if (i)
			strbuf_printf(&r->body, "%s%s(%s)\n", variable.data, operators[i].lua,
				      value.text.data);
		else
			strbuf_printf(&r->body, "%s\n", value.text.data);
	}
	strbuf_free(&variable);
	pkt_piece_free(&value);
	return ok;
}

static bool put_simple(struct pkt_reader *r)
{
	py_skip_space(&r->py);
	if (py_take_word(&r->py, "assert"))
		return put_assert(r);
	if (py_take_word(&r->py, "print"))
		return put_print(r);
	if (py_take_word(&r->py, "pass"))
		return true;
	return put_assignment(r);
}

/* Simple statements with ";" between, up to the end of the line. */
static bool put_line(struct pkt_reader *r)
{
	struct py_run *p = &r->py;

	for (;;) {
		if (!put_simple(r))
			return false;
		py_skip_space(p);
		if (p->p == p->end || *p->p == '\n')
			return true;
		if (!py_take(p, ";"))
			return pkt_no_lua(r, p->p, "is where a statement must end");
		py_skip_space(p);
		if (p->p == p->end || *p->p == '\n')
			return true;
	}
}

static bool put_block(struct pkt_reader *r, int column);

/* What stands behind the colon of an if. */
static bool put_suite(struct pkt_reader *r, int column)
{
	struct py_run *p = &r->py;
	bool ok;
	int inner;

	if (!py_take(p, ":"))
		return pkt_no_lua(r, p->p, "is where ':' must be");
	r->indent++;
	py_skip_space(p);
	if (p->p < p->end && *p->p != '\n') {
		ok = put_line(r);
	} else {
		inner = py_next_line(p);
		ok = inner > column ? put_block(r, inner) :
				      pkt_no_lua(r, p->p, "is where an indented block must be");
	}
	r->indent--;
	return ok;
}

static bool next_clause(struct pkt_reader *r, int column, const char *word)
{
	const char *here = r->py.p;

	if (py_next_line(&r->py) == column && py_take_word(&r->py, word))
		return true;
	r->py.p = here;
	return false;
}

static bool put_if(struct pkt_reader *r, int column)
{
	const char *word = "if ";

	do {
		struct pkt_piece condition = { 0 };
		bool ok = pkt_expression(r, &condition);

		if (ok) {
			pkt_condition(&condition);
			put_indent(r);
			strbuf_printf(&r->body, "%s%s then\n", word, condition.text.data);
		}
		pkt_piece_free(&condition);
		if (!ok || !put_suite(r, column))
			return false;
		word = "elseif ";
	} while (next_clause(r, column, "elif"));
	if (next_clause(r, column, "else")) {
		put_indent(r);
		strbuf_puts(&r->body, "else\n");
		if (!put_suite(r, column))
			return false;
	}
	put_indent(r);
	strbuf_puts(&r->body, "end\n");
	return true;
}

static bool put_block(struct pkt_reader *r, int column)
{
	for (;;) {
		const char *here;

		if (py_take_word(&r->py, "if") ? !put_if(r, column) : !put_line(r))
			return false;
		here = r->py.p;
		if (py_next_line(&r->py) < column) {
			r->py.p = here;
			return true;
		}
	}
}

bool pkt_code(struct pkt_writer *w)
{
	const struct pd_event *e = w->event;
	struct pkt_reader r = { .w = w,
				.py = { .begin = e->code.p,
					.p = e->code.p,
					.end = e->code.p + e->code.len,
					.first_line = e->body_line } };
	bool ok = true;

	while (ok) {
		int column = py_next_line(&r.py);

		if (column < 0)
			break;
		ok = put_block(&r, column);
	}
	if (ok && r.info) {
		strbuf_printf(w->out, "%sdo\n%s  local info = p:info(", w->indent, w->indent);
		pkt_socket_name(w, w->here->info_fd, w->out);
		strbuf_puts(w->out, ")\n");
	}
	if (ok) {
		const char *p = strbuf_text(&r.body);

		for (; *p; p += strcspn(p, "\n"), p += *p == '\n')
			strbuf_printf(w->out, "%s%.*s\n", r.info ? "  " : "", (int)strcspn(p, "\n"),
				      p);
	}
	if (ok && r.info)
		strbuf_printf(w->out, "%send\n", w->indent);
	strbuf_free(&r.body);
	return ok;
}
