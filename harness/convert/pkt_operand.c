/* SPDX-License-Identifier: MIT */
/*
 * Operands of %{ }% blocks as Lua: numbers, strings, brackets, names (fields of TCP_INFO,
 * constants, variables) and the few functions that there are; and the pieces that expressions are
 * made of.
 */
#include "convert/pkt_code.h"

#include "convert/notation.h"

#include <stdlib.h>
#include <string.h>

void pkt_piece_free(struct pkt_piece *p)
{
	strbuf_free(&p->text);
	strbuf_free(&p->left);
	strbuf_free(&p->right);
	*p = (struct pkt_piece){ 0 };
}

bool pkt_no_lua(struct pkt_reader *r, const char *at, const char *why)
{
	char word[24];
	int line = r->py.first_line;
	size_t n = 0;

	for (const char *p = r->py.begin; p < at; p++)
		line += *p == '\n';
	while (at + n < r->py.end && n < sizeof(word) - 1 && at[n] > ' ')
		n++;
	memcpy(word, at, n);
	word[n] = '\0';
	return pkt_fail(r->w, line, word, why);
}

void pkt_piece_add(struct strbuf *out, const struct pkt_piece *p, bool brackets)
{
	strbuf_puts(out, brackets ? "(" : "");
	strbuf_puts(out, strbuf_text(&p->text));
	strbuf_puts(out, brackets ? ")" : "");
}

/* a OP b into a; b is given back. */
void pkt_piece_join(struct pkt_piece *a, const char *op, int level, struct pkt_piece *b,
		    enum kind kind)
{
	struct strbuf text = { 0 };

	pkt_piece_add(&text, a, a->level < level);
	strbuf_puts(&text, op);
	pkt_piece_add(&text, b, b->level <= level);
	pkt_piece_free(a);
	pkt_piece_free(b);
	*a = (struct pkt_piece){ .text = text, .level = level, .kind = kind };
}

/* A call of a function with this as its argument. */
void pkt_piece_wrap(struct pkt_piece *p, const char *before, const char *after, enum kind kind)
{
	struct strbuf text = { 0 };

	strbuf_puts(&text, before);
	strbuf_puts(&text, strbuf_text(&p->text));
	strbuf_puts(&text, after);
	pkt_piece_free(p);
	*p = (struct pkt_piece){ .text = text, .level = L_ATOM, .kind = kind };
}

/* Where a condition is wanted. */
void pkt_condition(struct pkt_piece *p)
{
	if (p->kind != K_BOOL)
		pkt_piece_wrap(p, "packetdrill.truth(", ")", K_BOOL);
}

/* -- Operands -- */

static bool take_number(struct pkt_reader *r, struct pkt_piece *out)
{
	struct py_run *p = &r->py;
	const char *begin = p->p;
	bool hex = py_starts(p, "0x") || py_starts(p, "0X");

	while (p->p < p->end &&
	       (py_is_digit(*p->p) || py_is_letter(*p->p) || *p->p == '.' ||
		(!hex && p->p > begin && strchr("eE", p->p[-1]) && strchr("+-", *p->p))))
		p->p++;
	strbuf_add(&out->text, begin, (size_t)(p->p - begin));
	out->kind = K_NUMBER;
	return true;
}

static bool take_string(struct pkt_reader *r, struct pkt_piece *out)
{
	struct py_run *p = &r->py;
	struct strbuf bytes = { 0 };
	bool ok = true;

	for (;;) {
		char quote;

		py_skip_space(p);
		if (p->p == p->end || (*p->p != '\'' && *p->p != '"'))
			break;
		quote = *p->p++;
		while (p->p < p->end && *p->p != quote && *p->p != '\n') {
			char c = *p->p++;

			if (c == '\\' && p->p < p->end) {
				c = *p->p++;
				c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
			}
			strbuf_putc(&bytes, c);
		}
		if (p->p == p->end || *p->p != quote) {
			ok = pkt_no_lua(r, p->p, "ends a string that has no end");
			break;
		}
		p->p++;
	}
	notation_line(&out->text, strbuf_text(&bytes));
	strbuf_free(&bytes);
	out->kind = K_STRING;
	return ok;
}

/* "a, b)" with the bracket open: the items with commas. */
bool pkt_items(struct pkt_reader *r, struct pkt_piece *out, size_t *commas)
{
	struct py_run *p = &r->py;

	*commas = 0;
	out->kind = K_TUPLE;
	p->brackets++;
	while (!py_take(p, ")")) {
		struct pkt_piece one = { 0 };

		if (p->p == p->end || !pkt_expression(r, &one)) {
			pkt_piece_free(&one);
			return r->w->error->len ?
				       false :
				       pkt_no_lua(r, p->p, "is where a bracket must end");
		}
		strbuf_puts(&out->text, out->items++ ? ", " : "");
		pkt_piece_add(&out->text, &one, false);
		if (out->items == 1) {
			out->level = one.level;
			out->kind = one.kind;
			out->left = one.left;
			out->right = one.right;
			one.left = one.right = (struct strbuf){ 0 };
		} else {
			out->kind = K_TUPLE;
		}
		pkt_piece_free(&one);
		if (py_take(p, ","))
			(*commas)++;
	}
	p->brackets--;
	return true;
}

bool pkt_is_declared(const struct pkt_reader *r, const char *name, size_t len)
{
	char word[66];

	if (len > 60)
		return false;
	snprintf(word, sizeof(word), "|%.*s|", (int)len, name);
	return strstr(strbuf_text(&r->w->variables), word);
}

/* Names of ours and of Lua's are not for variables. */
void pkt_put_variable(struct strbuf *out, const char *name, size_t len)
{
	static const char *const taken[] = { "t",	 "p",	  "C",	  "net",
					     "tap",	 "info",  "end",  "local",
					     "function", "nil",	  "then", "do",
					     "repeat",	 "until", "goto", "packetdrill" };
	bool own = (*name == 's' || *name == 'e') && len > 1 && py_is_digit(name[1]);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(taken); i++)
		own |= strlen(taken[i]) == len && memcmp(taken[i], name, len) == 0;
	strbuf_printf(out, "%s%.*s", own ? "v_" : "", (int)len, name);
}

static bool put_name(struct pkt_reader *r, const char *name, size_t len, struct pkt_piece *out)
{
	s64 value;

	out->kind = K_NUMBER;
	if (pkt_is_declared(r, name, len)) {
		pkt_put_variable(&out->text, name, len);
		out->kind = K_ANY;
	} else if (len == 4 && memcmp(name, "True", 4) == 0) {
		strbuf_puts(&out->text, "true");
		out->kind = K_BOOL;
	} else if (len == 5 && memcmp(name, "False", 5) == 0) {
		strbuf_puts(&out->text, "false");
		out->kind = K_BOOL;
	} else if (len == 4 && memcmp(name, "None", 4) == 0) {
		strbuf_puts(&out->text, "nil");
		out->kind = K_ANY;
	} else if (len > 5 && memcmp(name, "tcpi_", 5) == 0) {
		strbuf_printf(&out->text, "info.%.*s", (int)len, name);
		r->info = true;
	} else if (pd_symbol_find_info(name, len, &value) || pd_symbol_find(name, len, &value)) {
		strbuf_printf(&out->text, "C.%.*s", (int)len, name);
	} else {
		return pkt_no_lua(r, name, "is no name that Lua has");
	}
	return true;
}

static bool put_function(struct pkt_reader *r, const char *name, size_t len, struct pkt_piece *args,
			 struct pkt_piece *out)
{
	static const struct {
		const char *name, *lua;
		size_t most;
		enum kind kind;
	} functions[] = {
		{ "abs", "math.abs(", 1, K_NUMBER },
		{ "min", "math.min(", 32, K_NUMBER },
		{ "max", "math.max(", 32, K_NUMBER },
		{ "int", "packetdrill.int(", 1, K_NUMBER },
		{ "round", "packetdrill.round(", 1, K_NUMBER },
		{ "str", "tostring(", 1, K_STRING },
		{ "float", "0.0 + (", 1, K_NUMBER },
		{ "bool", "packetdrill.truth(", 1, K_BOOL },
		{ "len", "#(", 1, K_NUMBER },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		if (strlen(functions[i].name) != len || memcmp(functions[i].name, name, len) != 0)
			continue;
		if (!args->items || args->items > functions[i].most)
			return pkt_no_lua(r, name, "has arguments for which there is no Lua");
		strbuf_printf(&out->text, "%s%s)", functions[i].lua, strbuf_text(&args->text));
		out->kind = functions[i].kind;
		out->level = name[0] == 'f' ? L_ADD : name[0] == 'l' ? L_UNARY : L_ATOM;
		return true;
	}
	return pkt_no_lua(r, name, "is no function that Lua has");
}

static bool take_word(struct pkt_reader *r, struct pkt_piece *out)
{
	struct py_run *p = &r->py;
	const char *name = p->p;
	struct pkt_piece args = { 0 };
	size_t len, commas;
	bool ok;

	while (p->p < p->end && (py_is_letter(*p->p) || py_is_digit(*p->p)))
		p->p++;
	len = (size_t)(p->p - name);
	if (!py_take(p, "("))
		return put_name(r, name, len, out);
	ok = pkt_items(r, &args, &commas) && put_function(r, name, len, &args, out);
	pkt_piece_free(&args);
	return ok;
}

bool pkt_operand(struct pkt_reader *r, struct pkt_piece *out)
{
	struct py_run *p = &r->py;
	size_t commas;

	*out = (struct pkt_piece){ .level = L_ATOM };
	if (py_take(p, "(")) {
		if (!pkt_items(r, out, &commas))
			return false;
		if (out->items != 1 || commas)
			out->kind = K_TUPLE;
		return true;
	}
	if (p->p < p->end && (*p->p == '\'' || *p->p == '"'))
		return take_string(r, out);
	if (p->p < p->end && (py_is_digit(*p->p) || *p->p == '.'))
		return take_number(r, out);
	if (p->p < p->end && py_is_letter(*p->p))
		return take_word(r, out);
	return pkt_no_lua(r, p->p, "is where a value must be");
}
