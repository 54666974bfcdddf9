/* SPDX-License-Identifier: MIT */
/*
 * System calls with their arguments and results. Constants become numbers here; a name that is
 * none ends the script as unknown.
 */
#include "packetdrill/parse.h"
#include "packetdrill/symbols.h"

#include "base/suggest.h"

#include <limits.h>
#include <string.h>

static const char *const calls[] = { "htons",	  "htonl",     "ntohs",	 "ntohl",
				     "inet_addr", "inet_pton", "in6addr" };

static const char *const fields[] = {
	"sa_family",   "family",	 "sin_family",	  "sin_port",	"sin_addr",
	"sin6_family", "sin6_port",	 "sin6_flowinfo", "sin6_addr",	"sin6_scope_id",
	"msg_name",    "msg_namelen",	 "msg_iov",	  "msg_iovlen", "msg_control",
	"msg_flags",   "msg_controllen", "cmsg_len",	  "cmsg_level", "cmsg_type",
	"cmsg_data",   "ee_errno",	 "ee_origin",	  "ee_type",	"ee_code",
	"ee_info",     "ee_data",	 "scm_sec",	  "scm_nsec",	"fd",
	"events",      "revents",	 "ptr",		  "u32",	"u64",
	"onoff",       "linger",	 "l_onoff",	  "l_linger",	"tv_sec",
	"tv_usec",     "iov_base",	 "iov_len",	  "ipi_addr",	"ipi_spec_dst",
	"ipi_ifindex",
};

static bool among(const char *const *list, size_t count, struct pd_text word)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(list[i], word.p) == 0)
			return true;
	}
	return false;
}

static struct pd_expr *new_expr(struct pd_scan *s, enum pd_expr_kind kind)
{
	struct pd_expr *x = pd_arena_alloc(s->arena, sizeof(*x));

	x->kind = kind;
	x->line = s->line;
	return x;
}

static void add_item(struct pd_scan *s, struct pd_expr *x, struct pd_expr *item)
{
	x->item = pd_arena_grow(s->arena, x->item, x->count, sizeof(struct pd_expr *));
	x->item[x->count++] = item;
}

static bool parse_number(struct pd_scan *s, struct pd_expr **out)
{
	struct pd_expr *x = new_expr(s, PD_X_NUMBER);
	u64 value;

	/* ssthresh, lowat and the like are written as unsigned 32 bits, cookies in 64. */
	if (!pd_scan_number(s, ULLONG_MAX, &value, &x->is_hex))
		return false;
	x->num = (s64)value;
	*out = x;
	return true;
}

/* Items up to the closing bracket; the opening one has been taken. */
static bool parse_items(struct pd_scan *s, int depth, const char *closing, struct pd_expr *x)
{
	struct pd_expr *item;

	if (pd_scan_take(s, closing))
		return true;
	do {
		if (!pd_parse_expr(s, depth + 1, &item))
			return false;
		add_item(s, x, item);
	} while (pd_scan_take(s, ","));
	return pd_scan_need(s, closing);
}

static bool at_assign(struct pd_scan *s)
{
	return pd_scan_looking_at(s, "=") && !pd_scan_looking_at(s, "==");
}

/* "name=value" or "name(arg)=value": the name and arg have been read. */
static bool parse_field(struct pd_scan *s, int depth, struct pd_text name, struct pd_expr *arg,
			struct pd_expr **out)
{
	struct pd_expr *x = new_expr(s, PD_X_FIELD), *value;

	x->text = name;
	if (!among(fields, sizeof(fields) / sizeof(fields[0]), name))
		return pd_scan_unknown_near(s, "field", name,
					    suggest(name.p, fields, ARRAY_SIZE(fields)));
	if (!pd_scan_need(s, "=") || !pd_parse_expr(s, depth + 1, &value))
		return false;
	add_item(s, x, value);
	if (arg)
		add_item(s, x, arg);
	*out = x;
	return true;
}

/* A constant, NULL, a call, or a field of a struct. */
static bool parse_name(struct pd_scan *s, int depth, struct pd_expr **out)
{
	struct pd_expr *x = new_expr(s, PD_X_NUMBER);
	struct pd_text name;

	if (!pd_scan_word(s, &name))
		return false;
	x->text = name;
	if (at_assign(s))
		return parse_field(s, depth, name, NULL, out);
	if (pd_scan_take(s, "(")) {
		x->kind = PD_X_CALL;
		if (!parse_items(s, depth, ")", x))
			return false;
		if (at_assign(s)) {
			if (x->count != 1)
				return pd_scan_fail(s, "'%.40s(...)=' takes one number", name.p);
			return parse_field(s, depth, name, x->item[0], out);
		}
		if (!among(calls, sizeof(calls) / sizeof(calls[0]), name))
			return pd_scan_unknown_near(s, "function", name,
						    suggest(name.p, calls, ARRAY_SIZE(calls)));
	} else if (strcmp(name.p, "NULL") == 0) {
		x->kind = PD_X_NULL;
	} else if (!pd_symbol_find(name.p, name.len, &x->num)) {
		x->num = pd_errno_by_name(name.p, name.len);
		if (x->num == 0)
			return pd_scan_unknown_near(s, "constant", name, pd_symbol_near(name.p));
	}
	*out = x;
	return true;
}

static bool parse_bracketed(struct pd_scan *s, int depth, enum pd_expr_kind kind,
			    const char *closing, struct pd_expr **out)
{
	*out = new_expr(s, kind);
	return parse_items(s, depth, closing, *out);
}

static bool parse_operand(struct pd_scan *s, int depth, struct pd_expr **out)
{
	struct pd_expr *x;
	bool invert;
	char c;

	if (depth > PD_NEST_DEPTH)
		return pd_scan_fail(s, "brackets are nested too deep");
	if (pd_scan_take(s, "...")) {
		*out = new_expr(s, PD_X_ELLIPSIS);
		return true;
	}
	if (pd_scan_take(s, "["))
		return parse_bracketed(s, depth, PD_X_LIST, "]", out);
	if (pd_scan_take(s, "{"))
		return parse_bracketed(s, depth, PD_X_STRUCT, "}", out);
	if (pd_scan_take(s, "("))
		return pd_parse_expr(s, depth + 1, out) && pd_scan_need(s, ")");
	c = pd_scan_peek(s);
	/* "&sin6_addr": where inet_pton() puts what it reads. */
	if (pd_scan_take(s, "&")) {
		*out = x = new_expr(s, PD_X_ELLIPSIS);
		return pd_scan_word(s, &x->text);
	}
	if (c == '"') {
		*out = x = new_expr(s, PD_X_STRING);
		if (!pd_scan_string(s, &x->text))
			return false;
		/* "abc"...: how a buffer begins; bytes are not compared. */
		if (pd_scan_take(s, "..."))
			x->kind = PD_X_ELLIPSIS;
		return true;
	}
	if (c >= '0' && c <= '9')
		return parse_number(s, out);
	if (c != '-' && c != '~')
		return (c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) ?
			       parse_name(s, depth, out) :
			       pd_scan_expected(s, "a value");
	invert = c == '~';
	pd_scan_take(s, invert ? "~" : "-");
	if (!parse_operand(s, depth + 1, &x))
		return false;
	if (x->kind != PD_X_NUMBER)
		return pd_scan_fail(s, "'%c' needs a number", c);
	x->num = invert ? ~x->num : (s64)(0 - (u64)x->num);
	*out = x;
	return true;
}

/*
 * Binary operators, from the loosest to the tightest. There is no + - *: these begin the time of
 * the next event.
 */
static const struct {
	const char *text;
	int level;
} operators[] = {
	{ "|", 0 }, { "^", 1 }, { "&", 2 }, { "<<", 3 }, { ">>", 3 },
};

#define OPERATORS ((int)(sizeof(operators) / sizeof(operators[0])))
#define TIGHTEST  3

static s64 compute(const char *op, s64 a, s64 b)
{
	u64 x = (u64)a, y = (u64)b;

	switch (op[0]) {
	case '|':
		return (s64)(x | y);
	case '^':
		return (s64)(x ^ y);
	case '&':
		return (s64)(x & y);
	case '<':
		return (s64)(x << (y & 63));
	default:
		return (s64)(x >> (y & 63));
	}
}

static bool parse_level(struct pd_scan *s, int level, int depth, struct pd_expr **out)
{
	struct pd_expr *right;
	int i;

	if (level > TIGHTEST)
		return parse_operand(s, depth, out);
	if (!parse_level(s, level + 1, depth, out))
		return false;
	for (i = 0; i < OPERATORS; i++) {
		if (operators[i].level != level || !pd_scan_take(s, operators[i].text))
			continue;
		if (!parse_level(s, level + 1, depth, &right))
			return false;
		if ((*out)->kind != PD_X_NUMBER || right->kind != PD_X_NUMBER)
			return pd_scan_fail(s, "'%s' needs numbers", operators[i].text);
		(*out)->num = compute(operators[i].text, (*out)->num, right->num);
		(*out)->is_hex |= right->is_hex;
		i = -1; /* further ones of this level */
	}
	return true;
}

bool pd_parse_expr(struct pd_scan *s, int depth, struct pd_expr **out)
{
	const char *begin;

	pd_scan_space(s);
	begin = s->frame[0].p;
	if (!parse_level(s, 0, depth, out))
		return false;
	/* As it was written: for messages and for convert. */
	pd_scan_space(s);
	if ((*out)->kind == PD_X_NUMBER && s->token_end > begin)
		(*out)->text = pd_arena_text(s->arena, begin, (size_t)(s->token_end - begin));
	return true;
}

static bool parse_result(struct pd_scan *s, struct pd_syscall *call)
{
	struct pd_text name;
	char c;

	if (!pd_parse_expr(s, 0, &call->result))
		return false;
	if (call->result->kind != PD_X_NUMBER && call->result->kind != PD_X_ELLIPSIS)
		return pd_scan_fail(s, "the result of a call is a number or '...'");
	c = pd_scan_peek(s);
	if (c == 'E') {
		if (!pd_scan_word(s, &name))
			return false;
		call->error = pd_errno_by_name(name.p, name.len);
		call->error_name = name;
		if (call->error == 0)
			return pd_scan_unknown_near(s, "error", name, pd_symbol_near(name.p));
	}
	if (pd_scan_take(s, "("))
		return pd_scan_until(s, ")", "a note", &call->note);
	return true;
}

bool pd_parse_syscall(struct pd_scan *s, struct pd_syscall *call)
{
	struct pd_expr args = { .kind = PD_X_LIST };

	if (!pd_scan_word(s, &call->name) || !pd_scan_need(s, "(") ||
	    !parse_items(s, 0, ")", &args))
		return false;
	call->arg = args.item;
	call->argc = args.count;
	return pd_scan_need(s, "=") && parse_result(s, call);
}
