/* SPDX-License-Identifier: MIT */
/*
 * %{ }% blocks as Lua, between the files that write them: pkt_operand.c has numbers, names and
 * calls, pkt_expr.c operators, pkt_code.c statements.
 */
#ifndef TAPLINE_CONVERT_PKT_CODE_H
#define TAPLINE_CONVERT_PKT_CODE_H

#include "convert/pkt_write.h"

#include "packetdrill/pyrun.h"

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
struct pkt_piece {
	struct strbuf text;
	int level; /* of its loosest operator */
	enum kind kind;
	size_t items; /* K_TUPLE: the text has that many, with commas */
	struct strbuf left, right; /* of a single "==", for t:is */
};

struct pkt_reader {
	struct pkt_writer *w;
	struct py_run py; /* for its words only: nothing runs */
	struct strbuf body;
	bool info;
	int indent;
};

/* An operator of Python and what it is in Lua. */
struct pkt_operator {
	const char *text, *lua;
};

/* -- pkt_operand.c -- */

void pkt_piece_free(struct pkt_piece *p);
/* There is no Lua for what stands at `at`. False. */
bool pkt_no_lua(struct pkt_reader *r, const char *at, const char *why);
void pkt_piece_add(struct strbuf *out, const struct pkt_piece *p, bool brackets);
/* a OP b into a; b is given back. */
void pkt_piece_join(struct pkt_piece *a, const char *op, int level, struct pkt_piece *b,
		    enum kind kind);
/* A call of a function with this as its argument. */
void pkt_piece_wrap(struct pkt_piece *p, const char *before, const char *after, enum kind kind);
/* Where a condition is wanted. */
void pkt_condition(struct pkt_piece *p);
/* Expressions with commas between, up to ")", which is taken. */
bool pkt_items(struct pkt_reader *r, struct pkt_piece *out, size_t *commas);
bool pkt_operand(struct pkt_reader *r, struct pkt_piece *out);
bool pkt_is_declared(const struct pkt_reader *r, const char *name, size_t len);
/* A variable of the block, under a name that Lua allows. */
void pkt_put_variable(struct strbuf *out, const char *name, size_t len);

/* -- pkt_expr.c -- */

bool pkt_expression(struct pkt_reader *r, struct pkt_piece *out);

#endif
