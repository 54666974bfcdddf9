/* SPDX-License-Identifier: MIT */
/*
 * iptables' and ip6tables' command line (iptables/iptables.c, xshared.c): words, commands, the
 * options that every rule has. Those of matches and targets are xt_parse_match.c's. Nothing here
 * looks at a table: that is xt_table.c.
 */
#include "nf/xt_words.h"

#include "lib/addr_text.h"
#include "lib/str.h"

#define COMMAND_MAX 2048u
#define WORDS_MAX   160u

/* ---- errors ---- */

static u32 append(char *out, u32 at, u32 cap, const char *s)
{
	for (; *s && at + 1 < cap; s++)
		out[at++] = *s;
	out[at] = 0;
	return at;
}

bool xt_error(struct xt_words *w, s32 status, const char *const *parts)
{
	struct xt_command *c = w->c;
	u32 at = 0;

	c->status = status;
	at = append(c->error, at, XT_ERROR_MAX, xt_program(c->pf));
	at = append(c->error, at, XT_ERROR_MAX, ": ");
	for (; *parts; parts++)
		at = append(c->error, at, XT_ERROR_MAX, *parts);
	return false;
}

const char *xt_next(struct xt_words *w, const char *what)
{
	if (w->at < w->count)
		return w->word[w->at++];
	XT_ERROR(w, 2, "option \"", what, "\" requires an argument");
	return NULL;
}

/* ---- words, as a shell would give them ---- */

/* One word from text to out; quotes and backslashes are taken off. Where the text goes on. */
static const char *read_word(const char *p, const char *end, char **out, char *limit)
{
	char quote = 0;

	for (; p < end && *out < limit; p++) {
		if (quote ? *p == quote : *p == '"' || *p == '\'') {
			quote = quote ? 0 : *p;
			continue;
		}
		if (!quote && (*p == ' ' || *p == '\t' || *p == '\n'))
			break;
		if (*p == '\\' && quote != '\'' && p + 1 < end)
			p++;
		*(*out)++ = *p;
	}
	*(*out)++ = 0;
	return p;
}

static bool split(struct xt_words *w, const char *text, u32 len, char *store, char **word)
{
	const char *p = len ? text : "", *end = p + len; /* empty bytes have no address */
	char *out = store;

	if (len + 2 > COMMAND_MAX)
		return XT_ERROR(w, 2, "the command is too long");
	while (p < end) {
		if (*p == ' ' || *p == '\t' || *p == '\n') {
			p++;
			continue;
		}
		if (w->count == WORDS_MAX)
			return XT_ERROR(w, 2, "too many arguments");
		word[w->count++] = out;
		p = read_word(p, end, &out, store + COMMAND_MAX - 1);
	}
	w->word = word;
	return true;
}

/* ---- what every rule has ---- */

/* "24", "255.255.255.0", "ffff::" as a mask. */
static bool parse_mask(const char *s, u16 pf, u8 mask[16])
{
	u32 bits = pf == AF_INET ? 32 : 128;
	u64 n;

	if (xt_number(s, bits, &n)) {
		for (u32 i = 0; i < 16; i++)
			mask[i] = n >= 8 * (i + 1) ? 0xff :
				  n > 8 * i	   ? (u8)(0xff00u >> (n - 8 * i)) :
						     0;
		return true;
	}
	return pf == AF_INET ? ip4_from_text(s, mask) : ip6_from_text(s, mask);
}

/* "10", "10.1": what is left out is 0. */
static bool parse_ip4(char *host, u32 cap, u8 addr[4])
{
	u32 dots = 0, len = (u32)str_len(host);

	for (const char *p = host; *p; p++)
		dots += *p == '.';
	for (; dots < 3 && len + 3 < cap; dots++, len += 2)
		str_copy(host + len, ".0", cap - len);
	return ip4_from_text(host, addr);
}

static bool parse_address(struct xt_words *w, const char *text, u8 addr[16], u8 mask[16])
{
	u16 pf = w->c->pf;
	char host[ADDR_TEXT_MAX + 8];
	const char *slash = text;

	while (*slash && *slash != '/')
		slash++;
	for (const char *p = text; p < slash; p++)
		if (*p == ',')
			return XT_ERROR(w, 2, "a list of addresses is not known here: `", text,
					"'");
	str_copy_n(host, sizeof(host), text, (size_t)(slash - text));
	memset(addr, 0, 16);
	memset(mask, 0, 16);
	if (!(pf == AF_INET ? parse_ip4(host, sizeof(host), addr) : ip6_from_text(host, addr)))
		return XT_ERROR(w, 2, "host/network `", text, "' not found");
	if (!*slash)
		memset(mask, 0xff, pf == AF_INET ? 4 : 16);
	else if (!parse_mask(slash + 1, pf, mask))
		return XT_ERROR(w, 2, "invalid mask `", slash + 1, "' specified");
	for (u32 i = 0; i < 16; i++)
		addr[i] &= mask[i];
	return true;
}

static bool parse_proto(struct xt_words *w, const char *text)
{
	const struct xt_name *n = xt_proto_names;
	u64 v;

	while (n->name && !str_eq(n->name, text))
		n++;
	if (n->name)
		v = n->value;
	else if (!xt_number(text, 255, &v))
		return XT_ERROR(w, 2, "unknown protocol \"", text, "\" specified");
	if (!v && w->invert)
		return XT_ERROR(w, 2, "rule would never match protocol");
	w->c->spec.proto = (u16)v;
	return true;
}

static bool parse_interface(struct xt_words *w, const char *text, char out[16])
{
	if (!*text || str_len(text) > 15)
		return XT_ERROR(w, 2, "interface name `", text,
				"' must be shorter than IFNAMSIZ (15)");
	/* "+" alone is any. */
	str_copy(out, str_eq(text, "+") ? "" : text, 16);
	return true;
}

static bool parse_chain(struct xt_words *w, const char *name, char out[XT_CHAIN_NAME_MAX])
{
	if (name[0] == '-' || name[0] == '!')
		return XT_ERROR(w, 2, "chain name not allowed to start with `",
				name[0] == '-' ? "-" : "!", "'");
	if (str_len(name) >= XT_CHAIN_NAME_MAX)
		return XT_ERROR(w, 2, "chain name `", name, "' too long (must be under 29 chars)");
	for (const char *p = name; *p; p++)
		if (*p == ' ' || *p == '\t')
			return XT_ERROR(w, 2, "Invalid chain name `", name, "'");
	str_copy(out, name, XT_CHAIN_NAME_MAX);
	return true;
}

static bool parse_counters(struct xt_words *w)
{
	const char *packets = xt_next(w, "--set-counters"), *bytes;

	bytes = packets ? xt_next(w, "--set-counters") : NULL;
	if (!bytes)
		return false;
	if (!xt_number(packets, INT64_MAX, &w->c->packets) ||
	    !xt_number(bytes, INT64_MAX, &w->c->bytes))
		return XT_ERROR(w, 2, "-c packet counter not numeric");
	w->c->has_counters = true;
	return true;
}

/* ---- commands ---- */

static const struct {
	const char *brief, *full;
	u8 verb;
	char takes; /* c: chain, C: chain if there, n: and a number, N: and a number if there, s: a
		       second name */
} verbs[] = {
	{ "-A", "--append", XT_APPEND, 'c' },
	{ "-D", "--delete", XT_DELETE, 'N' },
	{ "-I", "--insert", XT_INSERT, 'N' },
	{ "-R", "--replace", XT_REPLACE, 'n' },
	{ "-C", "--check", XT_CHECK, 'c' },
	{ "-L", "--list", XT_LIST, 'C' },
	{ "-S", "--list-rules", XT_LIST_RULES, 'C' },
	{ "-F", "--flush", XT_FLUSH, 'C' },
	{ "-Z", "--zero", XT_ZERO, 'C' },
	{ "-N", "--new-chain", XT_NEW_CHAIN, 'c' },
	{ "-X", "--delete-chain", XT_DELETE_CHAIN, 'C' },
	{ "-P", "--policy", XT_POLICY, 's' },
	{ "-E", "--rename-chain", XT_RENAME, 's' },
};

static bool is_value(const struct xt_words *w)
{
	return w->at < w->count && w->word[w->at][0] != '-' && w->word[w->at][0] != '!';
}

static bool parse_number_arg(struct xt_words *w, char takes, const char *option)
{
	u64 n;

	if (takes != 'n' && takes != 'N' && takes != 'C')
		return true;
	if (!is_value(w))
		return takes != 'n' || XT_ERROR(w, 2, option, " requires a rule number");
	if (!xt_number(w->word[w->at], UINT32_MAX, &n) || !n)
		return XT_ERROR(w, 2, "Invalid rule number `", w->word[w->at], "'");
	w->at++;
	w->c->number = (u32)n;
	if (w->c->verb == XT_DELETE)
		w->c->verb = XT_DELETE_NUM;
	return true;
}

/* Are these n letters of switches ("vnx")? Then they are set in c (NULL: only asked). */
static bool read_switches(struct xt_command *c, const char *letters, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (letters[i] != 'v' && letters[i] != 'n' && letters[i] != 'x' &&
		    letters[i] != 'w')
			return false;
	for (size_t i = 0; i < n && c; i++) {
		c->verbose |= letters[i] == 'v';
		c->numeric |= letters[i] == 'n';
		c->exact |= letters[i] == 'x';
	}
	return true;
}

/* 1: it was a command, 0: it is none, -1: wrong. */
static int parse_verb(struct xt_words *w, const char *option)
{
	struct xt_command *c = w->c;
	char brief[3] = { '-', 0, 0 };
	size_t len = str_len(option);
	const char *text;
	u32 i = 0;

	/* "-nvL": switches, and the command behind them. */
	if (len > 2 && option[1] != '-' && read_switches(NULL, option + 1, len - 2)) {
		int r;

		brief[1] = option[len - 1];
		r = parse_verb(w, brief);
		if (r > 0)
			read_switches(c, option + 1, len - 2);
		return r;
	}
	while (i < ARRAY_SIZE(verbs) && !str_eq(option, verbs[i].brief) &&
	       !str_eq(option, verbs[i].full))
		i++;
	if (i == ARRAY_SIZE(verbs))
		return 0;
	if (c->verb_given)
		return XT_WRONG(w, "Cannot use ", option, " with another command");
	c->verb_given = true;
	c->verb = verbs[i].verb;
	if (verbs[i].takes != 'C' || is_value(w)) {
		text = xt_next(w, option);
		if (!text || !parse_chain(w, text, c->chain))
			return -1;
		if (!parse_number_arg(w, verbs[i].takes, option))
			return -1;
	}
	if (verbs[i].takes == 's') {
		text = xt_next(w, option);
		if (!text || !parse_chain(w, text, c->name))
			return -1;
	}
	return 1;
}

static bool parse_table(struct xt_words *w, const char *name)
{
	for (u32 i = 0; i < XT_TABLES; i++) {
		if (str_eq(name, xt_table_name(i))) {
			w->c->table = (u8)i;
			w->c->table_given = true;
			return true;
		}
	}
	return XT_ERROR(w, 3, "can't initialize ", xt_program(w->c->pf), " table `", name,
			"': Table does not exist (do you need to insmod?)");
}

/* Switches: 1, 0. */
static int parse_switch(struct xt_words *w, const char *o)
{
	struct xt_command *c = w->c;

	if (o[0] == '-' && o[1] && o[1] != '-') {
		if (!read_switches(c, o + 1, str_len(o + 1)))
			return 0;
		/* -w SECONDS */
		if (str_eq(o, "-w") && is_value(w))
			w->at++;
		return 1;
	}
	c->verbose |= str_eq(o, "--verbose");
	c->numeric |= str_eq(o, "--numeric");
	c->exact |= str_eq(o, "--exact");
	c->line_numbers |= str_eq(o, "--line-numbers");
	return str_eq(o, "--verbose") || str_eq(o, "--numeric") || str_eq(o, "--exact") ||
	       str_eq(o, "--line-numbers") || str_eq(o, "--wait");
}

/* "-s" and the like: 1, 0, -1. Sets *inverted: "!" is allowed in front. */
static int parse_generic(struct xt_words *w, const char *o)
{
	struct xt_spec *s = &w->c->spec;
	const char *text;
	u8 bit;
	bool ok;

	bit = str_eq(o, "-p") || str_eq(o, "--protocol") || str_eq(o, "--proto")   ? XT_INV_PROTO :
	      str_eq(o, "-s") || str_eq(o, "--source") || str_eq(o, "--src")	   ? XT_INV_SRC :
	      str_eq(o, "-d") || str_eq(o, "--destination") || str_eq(o, "--dst")  ? XT_INV_DST :
	      str_eq(o, "-i") || str_eq(o, "--in-interface")			   ? XT_INV_IN :
	      str_eq(o, "-o") || str_eq(o, "--out-interface")			   ? XT_INV_OUT :
	      (str_eq(o, "-f") || str_eq(o, "--fragments")) && w->c->pf == AF_INET ? XT_INV_FRAG :
										     0;
	if (!bit)
		return 0;
	if (bit == XT_INV_FRAG) {
		s->frag = 1;
		s->invert |= w->invert ? bit : 0;
		return 1;
	}
	/* The old way: "-s ! 192.0.2.1". */
	if (w->at < w->count && str_eq(w->word[w->at], "!")) {
		w->invert = true;
		w->at++;
	}
	text = xt_next(w, o);
	if (!text)
		return -1;
	s->invert |= w->invert ? bit : 0;
	ok = bit == XT_INV_PROTO ? parse_proto(w, text) :
	     bit == XT_INV_SRC	 ? parse_address(w, text, s->src, s->src_mask) :
	     bit == XT_INV_DST	 ? parse_address(w, text, s->dst, s->dst_mask) :
	     bit == XT_INV_IN	 ? parse_interface(w, text, s->in) :
				   parse_interface(w, text, s->out);
	return ok ? 1 : -1;
}

/* -m, -j, -g, -t, -c: 1, 0, -1. */
static int parse_named(struct xt_words *w, const char *o)
{
	bool jump = str_eq(o, "-j") || str_eq(o, "--jump"),
	     go = str_eq(o, "-g") || str_eq(o, "--goto");
	const char *text;
	bool ok;

	if (str_eq(o, "-c") || str_eq(o, "--set-counters"))
		return parse_counters(w) ? 1 : -1;
	if (!jump && !go && !str_eq(o, "-m") && !str_eq(o, "--match") && !str_eq(o, "-t") &&
	    !str_eq(o, "--table"))
		return 0;
	text = xt_next(w, o);
	if (!text)
		return -1;
	if (str_eq(o, "-t") || str_eq(o, "--table"))
		return parse_table(w, text) ? 1 : -1;
	if (!jump && !go)
		return xt_parse_match(w, text) ? 1 : -1;
	if (w->c->spec.target)
		return XT_WRONG(w, "multiple -j flags not allowed");
	ok = jump ? xt_parse_target(w, text) : parse_chain(w, text, w->c->spec.jump);
	if (ok && go)
		w->c->spec.target = XT_GOTO;
	return ok ? 1 : -1;
}

static bool parse_word(struct xt_words *w, const char *o)
{
	static int (*const readers[])(struct xt_words * w,
				      const char *o) = { parse_verb, parse_named, parse_generic,
							 xt_parse_option, parse_switch };

	if (o[0] != '-')
		return XT_ERROR(w, 2, "Bad argument `", o, "'");
	for (u32 i = 0; i < ARRAY_SIZE(readers); i++) {
		int r = readers[i](w, o);

		if (r < 0)
			return false;
		if (!r)
			continue;
		if (w->invert && i != 2 && i != 3)
			return XT_ERROR(w, 2, "unexpected ! flag before ", o);
		w->invert = false;
		return true;
	}
	return XT_ERROR(w, 2, "unknown option \"", o, "\"");
}

/* iptables-save [-c] [-t table] */
static bool parse_save(struct xt_words *w)
{
	w->c->verb = XT_SAVE;
	while (w->at < w->count) {
		const char *o = w->word[w->at++], *text;

		if (str_eq(o, "-c") || str_eq(o, "--counters")) {
			w->c->counters = true;
			continue;
		}
		if (!str_eq(o, "-t") && !str_eq(o, "--table"))
			return XT_ERROR(w, 2, "unknown option \"", o, "\"");
		text = xt_next(w, o);
		if (!text || !parse_table(w, text))
			return false;
	}
	return true;
}

static bool parse_words(struct xt_words *w)
{
	while (w->at < w->count) {
		const char *o = w->word[w->at++];

		if (str_eq(o, "!")) {
			if (w->invert)
				return XT_ERROR(w, 2, "multiple consecutive ! not allowed");
			w->invert = true;
			continue;
		}
		if (!parse_word(w, o))
			return false;
	}
	if (w->invert)
		return XT_ERROR(w, 2, "nothing appropriate following !");
	if (!w->c->verb_given)
		return XT_ERROR(w, 2, "no command specified");
	return xt_target_complete(w);
}

/* A program's name in front: "iptables", "/sbin/ip6tables-save". 's' for one that saves, 0: none.
 */
static char program_word(const char *word)
{
	const char *base = word, *rest;

	if (str_eq(word, "-save"))
		return 's';
	for (const char *p = word; *p; p++)
		if (*p == '/')
			base = p + 1;
	rest = str_after(base, "iptables");
	if (!rest)
		rest = str_after(base, "ip6tables");
	if (!rest)
		return 0;
	if (str_eq(rest, "-save"))
		return 's';
	return *rest ? 0 : 'p';
}

bool xt_parse(struct xt_command *c, u16 pf, const char *text, u32 len)
{
	char store[COMMAND_MAX], *word[WORDS_MAX], program = 0;
	struct xt_words w = { .c = c };

	memset(c, 0, sizeof(*c));
	c->pf = pf;
	c->table = XT_FILTER;
	if (!split(&w, text, len, store, word))
		return false;
	if (w.count)
		program = program_word(word[0]);
	w.at = program != 0;
	return program == 's' ? parse_save(&w) : parse_words(&w);
}
