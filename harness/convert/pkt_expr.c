/* SPDX-License-Identifier: MIT */
/*
 * Operators of %{ }% blocks as Lua, from the loosest to the tightest. Chained comparisons are taken
 * apart, "%" of a string is string.format, "and" and "or" have conditions on both sides.
 */
#include "convert/pkt_code.h"

#include <string.h>

/* -- Operators -- */

static bool unary(struct pkt_reader *r, struct pkt_piece *out)
{
	struct py_run *p = &r->py;
	struct pkt_piece right = { 0 };
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
		pkt_piece_add(&text, out, inner);
		pkt_piece_free(out);
		*out = (struct pkt_piece){ .text = text, .level = L_UNARY, .kind = K_NUMBER };
		return true;
	}
	if (!pkt_operand(r, out))
		return false;
	if (!py_take(p, "**"))
		return true;
	if (!unary(r, &right)) {
		pkt_piece_free(&right);
		return false;
	}
	pkt_piece_join(out, " ^ ", L_POWER, &right, K_NUMBER);
	pkt_piece_wrap(out, "packetdrill.int(", ")", K_NUMBER);
	return true;
}

/* From the loosest level to the tightest, as L_BITOR and so on. */
static const struct {
	int level;
	struct pkt_operator op[5];
} levels[] = {
	{ L_BITOR, { { "|", " | " } } },
	{ L_XOR, { { "^", " ~ " } } },
	{ L_BITAND, { { "&", " & " } } },
	{ L_SHIFT, { { "<<", " << " }, { ">>", " >> " } } },
	{ L_ADD, { { "+", " + " }, { "-", " - " } } },
	{ L_MUL, { { "*", " * " }, { "//", " // " }, { "/", " / " }, { "%", " % " } } },
};

static const struct pkt_operator *operator_here(struct pkt_reader *r, size_t level)
{
	struct py_run *p = &r->py;
	const struct pkt_operator *op;

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
static void format(struct pkt_piece *out, struct pkt_piece *right)
{
	struct strbuf text = { 0 };

	pkt_piece_add(&text, out, true);
	strbuf_printf(&text, ":format(%s)", strbuf_text(&right->text));
	pkt_piece_free(out);
	pkt_piece_free(right);
	*out = (struct pkt_piece){ .text = text, .level = L_ATOM, .kind = K_STRING };
}

static bool binary(struct pkt_reader *r, size_t level, struct pkt_piece *out)
{
	const struct pkt_operator *op;

	if (level == ARRAY_SIZE(levels))
		return unary(r, out);
	if (!binary(r, level + 1, out))
		return false;
	while ((op = operator_here(r, level))) {
		const char *at = r->py.p;
		struct pkt_piece right = { 0 };

		r->py.p += strlen(op->text);
		if (!binary(r, level + 1, &right)) {
			pkt_piece_free(&right);
			return false;
		}
		if (*op->text == '%' && out->kind == K_STRING) {
			format(out, &right);
		} else if (*op->text == '+' && out->kind == K_STRING) {
			pkt_piece_join(out, " .. ", L_CONCAT, &right, K_STRING);
		} else if (out->kind == K_TUPLE || right.kind == K_TUPLE || out->kind == K_STRING ||
			   right.kind == K_STRING) {
			pkt_piece_free(&right);
			return pkt_no_lua(r, at,
					  "is an operator between values for which Lua has none");
		} else {
			pkt_piece_join(out, op->lua, levels[level].level, &right, K_NUMBER);
		}
	}
	return true;
}

static const char *comparison_here(struct pkt_reader *r)
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

/* "L == R" of two values, or of what two tables hold. */
static void put_comparison(struct strbuf *out, const struct pkt_piece *left, const char *op,
			   const struct pkt_piece *right, bool tables)
{
	const char *lua = *op == '!' ? "~=" : op;

	if (tables) {
		strbuf_printf(out, "tap.repr(%s) %s tap.repr(%s)", strbuf_text(&left->text), lua,
			      strbuf_text(&right->text));
		return;
	}
	pkt_piece_add(out, left, left->level <= L_COMPARE);
	strbuf_printf(out, " %s ", lua);
	pkt_piece_add(out, right, right->level <= L_COMPARE);
}

/* A side of a comparison: a tuple is a table there. */
static bool side(struct pkt_reader *r, struct pkt_piece *out, bool *table)
{
	bool ok = binary(r, 0, out);

	*table = ok && out->kind == K_TUPLE;
	if (*table)
		pkt_piece_wrap(out, "{ ", " }", K_ANY);
	return ok;
}

/* a < b <= c: all of the neighbours. */
static bool comparison(struct pkt_reader *r, struct pkt_piece *out)
{
	struct pkt_piece left = { 0 }, right = { 0 };
	struct strbuf all = { 0 };
	const char *op;
	size_t count = 0;
	bool left_table, right_table;
	bool ok = binary(r, 0, &left);

	left_table = ok && left.kind == K_TUPLE && comparison_here(r);
	if (left_table)
		pkt_piece_wrap(&left, "{ ", " }", K_ANY);
	while (ok && (op = comparison_here(r))) {
		r->py.p += strlen(op);
		ok = side(r, &right, &right_table);
		if (ok && (left_table || right_table) && *op != '=' && *op != '!')
			ok = pkt_no_lua(r, r->py.p, "is behind an order of tuples");
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
		put_comparison(&all, &left, op, &right, left_table || right_table);
		pkt_piece_free(&left);
		left = right;
		left_table = right_table;
		right = (struct pkt_piece){ 0 };
	}
	if (!count) {
		pkt_piece_free(out);
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
		pkt_piece_free(&left);
	}
	pkt_piece_free(&right);
	return ok;
}

static bool negation(struct pkt_reader *r, struct pkt_piece *out)
{
	if (!py_take_word(&r->py, "not"))
		return comparison(r, out);
	if (!negation(r, out))
		return false;
	pkt_condition(out);
	pkt_piece_wrap(out, "not (", ")", K_BOOL);
	out->level = L_UNARY;
	return true;
}

static bool logic(struct pkt_reader *r, bool is_or, struct pkt_piece *out)
{
	if (!(is_or ? logic(r, false, out) : negation(r, out)))
		return false;
	while (py_take_word(&r->py, is_or ? "or" : "and")) {
		struct pkt_piece right = { 0 };

		if (!(is_or ? logic(r, false, &right) : negation(r, &right))) {
			pkt_piece_free(&right);
			return false;
		}
		/* The value of such an expression is a truth here; Python's is a side's. */
		pkt_condition(out);
		pkt_condition(&right);
		pkt_piece_join(out, is_or ? " or " : " and ", is_or ? L_OR : L_AND, &right, K_BOOL);
	}
	return true;
}

bool pkt_expression(struct pkt_reader *r, struct pkt_piece *out)
{
	if (++r->py.depth > PY_MAX_DEPTH)
		return pkt_no_lua(r, r->py.p, "is nested too deep");
	if (!logic(r, true, out))
		return false;
	if (py_at_word(&r->py, "if"))
		return pkt_no_lua(r, r->py.p, "in an expression has no Lua: make it a statement");
	r->py.depth--;
	return true;
}
