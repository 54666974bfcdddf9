/* SPDX-License-Identifier: MIT */
/*
 * %{ }% blocks as Lua: the same small part of Python that harness/packetdrill/pycode.c runs, read
 * again and written out. An assertion becomes t:is or t:ok; the fields of TCP_INFO are those of the
 * socket under test at that place; variables live on as locals of the test.
 *
 * Where Python and Lua differ: 0, "" and None are false there (packetdrill.truth), "%" formats.
 */
#include "convert/pkt_write.h"

#include "convert/notation.h"
#include "packetdrill/pyrun.h"

#include <stdlib.h>
#include <string.h>

enum {
	L_OR,
	L_AND,
	L_COMPARE,
	L_BITOR,
	L_XOR,
	L_BITAND,
	L_SHIFT,
	L_CONCAT,
	L_ADD,
	L_MUL,
	L_UNARY,
	L_POWER,
	L_ATOM
};

enum kind { K_ANY, K_NUMBER, K_BOOL, K_STRING, K_TUPLE };

/* An expression in Lua. */
struct piece {
	struct strbuf text;
	int level; /* of its loosest operator */
	enum kind kind;
	size_t items; /* K_TUPLE: the text has that many, with commas */
	struct strbuf left, right; /* of a single "==", for t:is */
};

struct reader {
	struct pkt_writer *w;
	struct py_run py; /* for its words only: nothing runs */
	struct strbuf body;
	bool info;
	int indent;
};

static void piece_free(struct piece *p)
{
	strbuf_free(&p->text);
	strbuf_free(&p->left);
	strbuf_free(&p->right);
	*p = (struct piece){ 0 };
}

static bool no_lua(struct reader *r, const char *at, const char *why)
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

static void add(struct strbuf *out, const struct piece *p, bool brackets)
{
	strbuf_puts(out, brackets ? "(" : "");
	strbuf_puts(out, strbuf_text(&p->text));
	strbuf_puts(out, brackets ? ")" : "");
}

/* a OP b into a; b is given back. */
static void join(struct piece *a, const char *op, int level, struct piece *b, enum kind kind)
{
	struct strbuf text = { 0 };

	add(&text, a, a->level < level);
	strbuf_puts(&text, op);
	add(&text, b, b->level <= level);
	piece_free(a);
	piece_free(b);
	*a = (struct piece){ .text = text, .level = level, .kind = kind };
}

/* A call of a function with this as its argument. */
static void wrap(struct piece *p, const char *before, const char *after, enum kind kind)
{
	struct strbuf text = { 0 };

	strbuf_puts(&text, before);
	strbuf_puts(&text, strbuf_text(&p->text));
	strbuf_puts(&text, after);
	piece_free(p);
	*p = (struct piece){ .text = text, .level = L_ATOM, .kind = kind };
}

/* Where a condition is wanted. */
static void make_condition(struct piece *p)
{
	if (p->kind != K_BOOL)
		wrap(p, "packetdrill.truth(", ")", K_BOOL);
}

static bool expression(struct reader *r, struct piece *out);

/* -- Operands -- */

static bool take_number(struct reader *r, struct piece *out)
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

static bool take_string(struct reader *r, struct piece *out)
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
			ok = no_lua(r, p->p, "ends a string that has no end");
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
static bool take_items(struct reader *r, struct piece *out, size_t *commas)
{
	struct py_run *p = &r->py;

	*commas = 0;
	out->kind = K_TUPLE;
	p->brackets++;
	while (!py_take(p, ")")) {
		struct piece one = { 0 };

		if (p->p == p->end || !expression(r, &one)) {
			piece_free(&one);
			return r->w->error->len ? false :
						  no_lua(r, p->p, "is where a bracket must end");
		}
		strbuf_puts(&out->text, out->items++ ? ", " : "");
		add(&out->text, &one, false);
		if (out->items == 1) {
			out->level = one.level;
			out->kind = one.kind;
			out->left = one.left;
			out->right = one.right;
			one.left = one.right = (struct strbuf){ 0 };
		} else {
			out->kind = K_TUPLE;
		}
		piece_free(&one);
		if (py_take(p, ","))
			(*commas)++;
	}
	p->brackets--;
	return true;
}

static bool is_declared(const struct reader *r, const char *name, size_t len)
{
	char word[66];

	if (len > 60)
		return false;
	snprintf(word, sizeof(word), "|%.*s|", (int)len, name);
	return strstr(strbuf_text(&r->w->variables), word);
}

/* Names of ours and of Lua's are not for variables. */
static void put_variable(struct strbuf *out, const char *name, size_t len)
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

static bool put_name(struct reader *r, const char *name, size_t len, struct piece *out)
{
	s64 value;

	out->kind = K_NUMBER;
	if (is_declared(r, name, len)) {
		put_variable(&out->text, name, len);
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
		return no_lua(r, name, "is no name that Lua has");
	}
	return true;
}

static bool put_function(struct reader *r, const char *name, size_t len, struct piece *args,
			 struct piece *out)
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
			return no_lua(r, name, "has arguments for which there is no Lua");
		strbuf_printf(&out->text, "%s%s)", functions[i].lua, strbuf_text(&args->text));
		out->kind = functions[i].kind;
		out->level = name[0] == 'f' ? L_ADD : name[0] == 'l' ? L_UNARY : L_ATOM;
		return true;
	}
	return no_lua(r, name, "is no function that Lua has");
}

static bool take_word(struct reader *r, struct piece *out)
{
	struct py_run *p = &r->py;
	const char *name = p->p;
	struct piece args = { 0 };
	size_t len, commas;
	bool ok;

	while (p->p < p->end && (py_is_letter(*p->p) || py_is_digit(*p->p)))
		p->p++;
	len = (size_t)(p->p - name);
	if (!py_take(p, "("))
		return put_name(r, name, len, out);
	ok = take_items(r, &args, &commas) && put_function(r, name, len, &args, out);
	piece_free(&args);
	return ok;
}

static bool operand(struct reader *r, struct piece *out)
{
	struct py_run *p = &r->py;
	size_t commas;

	*out = (struct piece){ .level = L_ATOM };
	if (py_take(p, "(")) {
		if (!take_items(r, out, &commas))
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
	return no_lua(r, p->p, "is where a value must be");
}

/* -- Operators -- */

static bool unary(struct reader *r, struct piece *out)
{
	struct py_run *p = &r->py;
	struct piece right = { 0 };
	char c;

	py_skip_space(p);
	c = p->p < p->end ? *p->p : '\0';
	if (c == '-' || c == '+' || c == '~') {
		struct strbuf text = { 0 };
		bool inner;

		p->p++;
		if (!unary(r, out))
			return false;
		if (c == '+')
			return true;
		inner = out->level < L_UNARY || out->text.data[0] == '-';
		strbuf_putc(&text, c);
		add(&text, out, inner);
		piece_free(out);
		*out = (struct piece){ .text = text, .level = L_UNARY, .kind = K_NUMBER };
		return true;
	}
	if (!operand(r, out))
		return false;
	if (!py_take(p, "**"))
		return true;
	if (!unary(r, &right)) {
		piece_free(&right);
		return false;
	}
	join(out, " ^ ", L_POWER, &right, K_NUMBER);
	wrap(out, "packetdrill.int(", ")", K_NUMBER);
	return true;
}

struct operator
{
	const char *text, *lua;
};

/* From the loosest level to the tightest, as L_BITOR and so on. */
static const struct {
	int level;
	struct operator op[5];
} levels[] = {
	{ L_BITOR, { { "|", " | " } } },
	{ L_XOR, { { "^", " ~ " } } },
	{ L_BITAND, { { "&", " & " } } },
	{ L_SHIFT, { { "<<", " << " }, { ">>", " >> " } } },
	{ L_ADD, { { "+", " + " }, { "-", " - " } } },
	{ L_MUL, { { "*", " * " }, { "//", " // " }, { "/", " / " }, { "%", " % " } } },
};

static const struct operator* operator_here(struct reader *r, size_t level)
{
	struct py_run *p = &r->py;
	const struct operator* op;

	py_skip_space(p);
	for (op = levels[level].op; op < levels[level].op + 5 && op->text; op++) {
		size_t len = strlen(op->text);

		if (py_starts(p, op->text) && !py_starts(p, "**") &&
		    !(p->p + len < p->end && p->p[len] == '='))
			return op;
	}
	return NULL;
}

/* 'cwnd=%d' % x */
static void format(struct piece *out, struct piece *right)
{
	struct strbuf text = { 0 };

	add(&text, out, true);
	strbuf_printf(&text, ":format(%s)", strbuf_text(&right->text));
	piece_free(out);
	piece_free(right);
	*out = (struct piece){ .text = text, .level = L_ATOM, .kind = K_STRING };
}

static bool binary(struct reader *r, size_t level, struct piece *out)
{
	const struct operator* op;

	if (level == ARRAY_SIZE(levels))
		return unary(r, out);
	if (!binary(r, level + 1, out))
		return false;
	while ((op = operator_here(r, level))) {
		const char *at = r->py.p;
		struct piece right = { 0 };

		r->py.p += strlen(op->text);
		if (!binary(r, level + 1, &right)) {
			piece_free(&right);
			return false;
		}
		if (*op->text == '%' && out->kind == K_STRING) {
			format(out, &right);
		} else if (*op->text == '+' && out->kind == K_STRING) {
			join(out, " .. ", L_CONCAT, &right, K_STRING);
		} else if (out->kind == K_TUPLE || right.kind == K_TUPLE || out->kind == K_STRING ||
			   right.kind == K_STRING) {
			piece_free(&right);
			return no_lua(r, at,
				      "is an operator between values for which Lua has none");
		} else {
			join(out, op->lua, levels[level].level, &right, K_NUMBER);
		}
	}
	return true;
}

static const char *comparison_here(struct reader *r)
{
	static const char *const operators[] = { "==", "!=", "<=", ">=", "<", ">" };
	size_t i;

	py_skip_space(&r->py);
	for (i = 0; i < ARRAY_SIZE(operators); i++) {
		if (py_starts(&r->py, operators[i]))
			return operators[i];
	}
	return NULL;
}

/* a < b <= c: all of the neighbours. */
static bool comparison(struct reader *r, struct piece *out)
{
	struct piece left = { 0 }, right = { 0 };
	struct strbuf all = { 0 };
	const char *op;
	size_t count = 0;
	bool ok = binary(r, 0, &left);

	while (ok && (op = comparison_here(r))) {
		r->py.p += strlen(op);
		ok = binary(r, 0, &right);
		if (!ok)
			break;
		if (count++)
			strbuf_puts(&all, " and ");
		strbuf_clear(&out->left);
		strbuf_clear(&out->right);
		if (*op == '=') {
			strbuf_puts(&out->left, strbuf_text(&left.text));
			strbuf_puts(&out->right, strbuf_text(&right.text));
		}
		add(&all, &left, left.level <= L_COMPARE);
		strbuf_printf(&all, " %s ", *op == '!' ? "~=" : op);
		add(&all, &right, right.level <= L_COMPARE);
		piece_free(&left);
		left = right;
		right = (struct piece){ 0 };
	}
	if (!count) {
		piece_free(out);
		*out = left;
		strbuf_free(&all);
	} else {
		if (count > 1) {
			strbuf_free(&out->left);
			strbuf_free(&out->right);
		}
		strbuf_free(&out->text);
		out->text = all;
		out->level = count > 1 ? L_AND : L_COMPARE;
		out->kind = K_BOOL;
		piece_free(&left);
	}
	piece_free(&right);
	return ok;
}

static bool negation(struct reader *r, struct piece *out)
{
	if (!py_take_word(&r->py, "not"))
		return comparison(r, out);
	if (!negation(r, out))
		return false;
	make_condition(out);
	wrap(out, "not (", ")", K_BOOL);
	out->level = L_UNARY;
	return true;
}

static bool logic(struct reader *r, bool is_or, struct piece *out)
{
	if (!(is_or ? logic(r, false, out) : negation(r, out)))
		return false;
	while (py_take_word(&r->py, is_or ? "or" : "and")) {
		struct piece right = { 0 };

		if (!(is_or ? logic(r, false, &right) : negation(r, &right))) {
			piece_free(&right);
			return false;
		}
		/* The value of such an expression is a truth here; Python's is a side's. */
		make_condition(out);
		make_condition(&right);
		join(out, is_or ? " or " : " and ", is_or ? L_OR : L_AND, &right, K_BOOL);
	}
	return true;
}

static bool expression(struct reader *r, struct piece *out)
{
	if (++r->py.depth > PY_MAX_DEPTH)
		return no_lua(r, r->py.p, "is nested too deep");
	if (!logic(r, true, out))
		return false;
	if (py_at_word(&r->py, "if"))
		return no_lua(r, r->py.p, "in an expression has no Lua: make it a statement");
	r->py.depth--;
	return true;
}

/* -- Statements -- */

static void put_indent(struct reader *r)
{
	int i;

	strbuf_puts(&r->body, r->w->indent);
	for (i = 0; i < r->indent; i++)
		strbuf_puts(&r->body, "  ");
}

static bool put_assert(struct reader *r)
{
	struct piece condition = { 0 }, message = { 0 };
	bool ok = expression(r, &condition);

	if (ok && py_take(&r->py, ","))
		ok = expression(r, &message);
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
			make_condition(&condition);
			strbuf_printf(&r->body, "t:ok(%s", condition.text.data);
		}
		if (message.text.len && message.kind == K_TUPLE)
			strbuf_printf(&r->body, ", tap.repr { %s }", message.text.data);
		else if (message.text.len)
			strbuf_printf(&r->body, ", %s", message.text.data);
		strbuf_puts(&r->body, ")\n");
	}
	piece_free(&condition);
	piece_free(&message);
	return ok;
}

static bool put_print(struct reader *r)
{
	struct piece items = { 0 };
	size_t commas;
	bool ok = py_take(&r->py, "(") && take_items(r, &items, &commas);

	if (ok) {
		put_indent(r);
		strbuf_printf(&r->body, "print(%s)\n", strbuf_text(&items.text));
	}
	piece_free(&items);
	return ok || no_lua(r, r->py.p, "is where print() must have its values");
}

static void declare(struct reader *r, const char *name, size_t len)
{
	if (is_declared(r, name, len))
		return;
	strbuf_printf(&r->w->variables, "|%.*s|", (int)len, name);
	strbuf_printf(r->w->out, "%slocal ", r->w->indent);
	put_variable(r->w->out, name, len);
	strbuf_putc(r->w->out, '\n');
}

/* "name = value", "name += value"; else a value that is thrown away. */
static bool put_assignment(struct reader *r)
{
	static const struct operator operators[] = {
		{ "=", "" },	   { "+=", " + " }, { "-=", " - " },   { "*=", " * " },
		{ "//=", " // " }, { "/=", " / " }, { "%=", " % " },   { "|=", " | " },
		{ "&=", " & " },   { "^=", " ~ " }, { "<<=", " << " }, { ">>=", " >> " },
	};
	struct py_run *p = &r->py;
	const char *name = p->p;
	struct piece value = { 0 };
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
		ok = expression(r, &value); /* has no effect */
		piece_free(&value);
		return ok;
	}
	p->p += strlen(operators[i].text);
	ok = expression(r, &value);
	if (ok && value.kind == K_TUPLE)
		ok = no_lua(r, name, "gets several values at once");
	if (ok) {
		declare(r, name, len);
		put_variable(&variable, name, len);
		put_indent(r);
		strbuf_printf(&r->body, "%s = ", variable.data);
		if (i)
			strbuf_printf(&r->body, "%s%s(%s)\n", variable.data, operators[i].lua,
				      value.text.data);
		else
			strbuf_printf(&r->body, "%s\n", value.text.data);
	}
	strbuf_free(&variable);
	piece_free(&value);
	return ok;
}

static bool put_simple(struct reader *r)
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
static bool put_line(struct reader *r)
{
	struct py_run *p = &r->py;

	for (;;) {
		if (!put_simple(r))
			return false;
		py_skip_space(p);
		if (p->p == p->end || *p->p == '\n')
			return true;
		if (!py_take(p, ";"))
			return no_lua(r, p->p, "is where a statement must end");
		py_skip_space(p);
		if (p->p == p->end || *p->p == '\n')
			return true;
	}
}

static bool put_block(struct reader *r, int column);

/* What stands behind the colon of an if. */
static bool put_suite(struct reader *r, int column)
{
	struct py_run *p = &r->py;
	bool ok;
	int inner;

	if (!py_take(p, ":"))
		return no_lua(r, p->p, "is where ':' must be");
	r->indent++;
	py_skip_space(p);
	if (p->p < p->end && *p->p != '\n') {
		ok = put_line(r);
	} else {
		inner = py_next_line(p);
		ok = inner > column ? put_block(r, inner) :
				      no_lua(r, p->p, "is where an indented block must be");
	}
	r->indent--;
	return ok;
}

static bool next_clause(struct reader *r, int column, const char *word)
{
	const char *here = r->py.p;

	if (py_next_line(&r->py) == column && py_take_word(&r->py, word))
		return true;
	r->py.p = here;
	return false;
}

static bool put_if(struct reader *r, int column)
{
	const char *word = "if ";

	do {
		struct piece condition = { 0 };
		bool ok = expression(r, &condition);

		if (ok) {
			make_condition(&condition);
			put_indent(r);
			strbuf_printf(&r->body, "%s%s then\n", word, condition.text.data);
		}
		piece_free(&condition);
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

static bool put_block(struct reader *r, int column)
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
	struct reader r = { .w = w,
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
